"""How is the program kept running: stories for operators."""
