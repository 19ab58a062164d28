"""Doors for Slack."""
