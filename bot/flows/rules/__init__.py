"""What is decided: stories that publish rules, look at time, decide, explain and forecast."""
