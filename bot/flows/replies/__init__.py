"""What people write to customers: stories of drafts and of sending them."""
