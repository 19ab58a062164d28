"""What came in, and what is kept of it: one file a table."""
