"""Loopback LINE, Slack and OpenAI-compatible servers that behave and refuse like the real ones."""
