"""What becomes of a lead: stories of claiming, resting and settling it."""
