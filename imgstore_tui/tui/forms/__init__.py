"""What the user edits on the screen: choices, conditions, datasets, methods, plans."""
