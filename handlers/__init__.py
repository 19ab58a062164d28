"""Doors: acknowledge, read the payload into our types, call one flow, answer."""
