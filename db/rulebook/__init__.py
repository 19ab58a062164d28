"""What decisions and answers are made by: one file a table."""
