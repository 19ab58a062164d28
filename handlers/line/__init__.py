"""Doors for LINE."""

from handlers.line.webhook import router

__all__ = ["router"]
