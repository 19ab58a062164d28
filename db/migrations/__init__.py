"""The schema's history, run by `yorisoi migrate` and at start."""
