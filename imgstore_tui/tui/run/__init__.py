"""The run on the screen: its thread, its state, and previews of data."""
