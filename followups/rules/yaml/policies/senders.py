"""Whom are bubbles from, as policy.yaml has it?"""

from __future__ import annotations

import re

from followups.rules.model import Sender, Senders
from followups.rules.yaml import fields as read
from followups.rules.yaml.fields import Fields
from followups.rules.yaml.messages import url_of
from followups.rules.yaml.problems import Problems
from followups.rules.yaml.tree import MapNode, Node
from followups.words.lint import utf16_length

MAX_NAME = 20
"""UTF-16 code units of a sender's name on LINE (Icon and nickname switch)."""
_SLACK_USER = re.compile(r"[UW][A-Z0-9]{2,30}")
_BRAND = re.compile(r"(?i)(?<![A-Za-z])line(?![A-Za-z])|ＬＩＮＥ")


def read_senders(node: MapNode, problems: Problems) -> Senders:
    """`senders: {bot: {name, icon}, people: {U0123: {name, icon}}}`, each key optional."""
    keys = Fields(node, problems, ("bot", "people"))
    bot, people = keys.get("bot", _sender), keys.get("people", read.mapping)
    found: dict[str, Sender] = {}
    for slack_user_id, inner in people.values.items() if people is not None else ():
        if not _SLACK_USER.fullmatch(slack_user_id):
            problems.add(
                people.keys[slack_user_id] if people is not None else inner,
                f"「{slack_user_id[:40]}」は Slack のユーザー ID ではありません（例: U0123ABCD）",
                f"“{slack_user_id[:40]}” is not a Slack user id (for example U0123ABCD)",
            )
            continue
        sender = _sender(inner, problems)
        if sender is not None:
            found[slack_user_id] = sender
    return Senders(bot=bot, people=found)


def _sender(node: Node, problems: Problems) -> Sender | None:
    found = read.mapping(node, problems)
    if found is None:
        return None
    keys = Fields(found, problems, ("name", "icon"))
    return Sender(name=keys.get("name", _name), icon_url=keys.get("icon", url_of(())))


def _name(node: Node, problems: Problems) -> str | None:
    found = read.text(node, problems)
    if found is None:
        return None
    if utf16_length(found) > MAX_NAME or "\n" in found:
        problems.add(
            node,
            f"差出人の名前は{MAX_NAME}字までの1行です（短くしてください）",
            f"a sender's name is one line of at most {MAX_NAME} characters (make it shorter)",
        )
        return None
    if _BRAND.search(found):
        problems.add(
            node,
            "差出人の名前に LINE は使えません（LINE が断ります。外してください）",
            "LINE refuses a sender's name with LINE in it (leave it out)",
        )
        return None
    return found
