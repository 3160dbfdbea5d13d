"""The screens, one per module; a screen holds the state of what it shows."""
