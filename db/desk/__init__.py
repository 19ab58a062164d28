"""What staff see and do: one file a table."""
