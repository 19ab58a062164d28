"""What is said on LINE: one file a table."""
