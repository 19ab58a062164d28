"""What may our app do in Slack, and what is each permission for?"""

from __future__ import annotations

SCOPES = {
    "channels:history": ("公開チャンネルで自分の投稿を探す", "finding our posts in public channels"),
    "channels:read": ("公開チャンネルの状態を確かめる", "looking at public channels"),
    "chat:write": ("投稿と書き換え", "posting and rewriting"),
    "commands": ("スラッシュコマンド", "slash commands"),
    "files:read": ("スタッフがスレッドに置いたファイルを読む", "reading files that staff put into threads"),
    "files:write": ("お客様の画像をスレッドに出す", "showing customers' pictures in threads"),
    "groups:history": ("非公開チャンネルで自分の投稿を探す", "finding our posts in private channels"),
    "groups:read": ("非公開チャンネルの状態を確かめる", "looking at private channels"),
    "usergroups:read": ("操作できる人をユーザーグループで決める", "letting user groups say who may act"),
    "users:read": ("操作した人が社内の人か確かめる", "checking that who acts is one of us"),
}
"""Bot scopes, each with its use in Japanese and English: those of the methods that `client.py` and `files.py`
call, and of the events that `handlers/slack` takes in."""

EVENTS = ("app_home_opened", "message.channels", "message.groups")
"""Subscribed events."""

APP_SCOPE = "connections:write"
"""The one scope of an app-level token (Socket Mode)."""
