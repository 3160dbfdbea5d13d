"""Charts: figures as data, then as terminal text, SVG, or matplotlib sheets."""
