"""What both faces start besides a run."""
