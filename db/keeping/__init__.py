"""Keeping the whole in order: backups, retention, vital signs."""
