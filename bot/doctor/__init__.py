"""Is this set-up right, and if not, what exactly is to be done? Looks only; changes nothing anywhere."""
