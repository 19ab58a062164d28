"""Stories about the LINE channel itself: contents, groups, linking dialogs, the account's own id."""
