"""One screen a file; a screen holds the state of what is on it."""
