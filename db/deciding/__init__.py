"""What is decided and what came of it: one file a table."""
