"""Where a customer stands: score, segment, stage."""
