"""What did it achieve: stories that measure and report."""
