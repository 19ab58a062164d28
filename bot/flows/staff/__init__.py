"""How Slack and the program meet: stories of presses, posts and people's own pages."""
