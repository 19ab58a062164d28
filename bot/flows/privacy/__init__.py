"""Stories about what customers agreed to and what is kept about them."""
