"""What people see of the whole: their App Home and the digest, and what they press there."""
