"""What customers say and get: the stories of LINE's side."""
