"""How is something said: placeholders, lengths, lint, spans and moments in words."""
