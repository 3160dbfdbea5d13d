"""One cell in full."""
