"""Doors for Slack."""

from handlers.slack.http import router

__all__ = ["router"]
