"""Shows one cell in full."""
