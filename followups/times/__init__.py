"""When: local days, opening hours, rhythms, spans."""
