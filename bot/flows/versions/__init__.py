"""Comparing, taking back and exchanging versions of rules."""
