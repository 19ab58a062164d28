"""Words: for the model, and for customers."""
