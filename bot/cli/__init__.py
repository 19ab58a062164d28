"""The yorisoi command, one file per noun."""
