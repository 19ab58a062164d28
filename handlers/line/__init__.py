"""Doors for LINE."""
