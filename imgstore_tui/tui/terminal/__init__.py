"""The terminal: what it can do, and leaving it in order."""
