"""Plans, the grid of cells they span, and what they cost."""
