"""How do signals and links get in: stories that take in what products and phones send."""
