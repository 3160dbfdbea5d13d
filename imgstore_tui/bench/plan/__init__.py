"""Defines plans, the grid of cells that they span, and what they cost."""
