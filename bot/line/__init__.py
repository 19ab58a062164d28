"""LINE: the only sender, the reading of webhooks, and the shape of messages."""
