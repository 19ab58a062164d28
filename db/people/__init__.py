"""Who people are, and what they agreed to: one file a table."""
