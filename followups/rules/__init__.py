"""The rule language: when, what, to whom and for which single goal."""
