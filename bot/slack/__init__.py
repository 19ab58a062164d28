"""Slack: the client, the ids, and the shape of cards, modals and App Home."""
