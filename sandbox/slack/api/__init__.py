"""How does each method of the Web API answer? Importing this registers them all."""

from sandbox.slack.api import about, apps, chat, conversations, files, reactions, users, views

__all__ = ["about", "apps", "chat", "conversations", "files", "reactions", "users", "views"]
