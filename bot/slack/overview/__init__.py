"""What do the App Home and the digest look like, and what can be pressed there? Pure."""
