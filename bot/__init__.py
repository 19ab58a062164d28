"""The running program: flows do what followups decides; adapters speak to LINE, Slack and the model."""
