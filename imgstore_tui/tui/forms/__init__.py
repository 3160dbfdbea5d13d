"""The values that the user edits on the screen: choice, conditions, datasets, storage methods."""
