"""Defines the terminal sizes at which the layout of the screen changes."""

from __future__ import annotations

WIDE_COLUMNS = 120
"""Columns from which on choice and results are side by side."""
SHORT_ROWS = 20
"""Rows from which on more than the lists themselves fits."""
TALL_ROWS = 36
"""Rows from which on all results are visible at once, if the terminal is also wide."""
TALLEST_ROWS = 42
"""Rows from which on three panes fit below each other."""

COLUMN_CLASSES = [(0, "-narrow"), (WIDE_COLUMNS, "-wide")]
ROW_CLASSES = [(0, "-low"), (SHORT_ROWS, "-short"), (TALL_ROWS, "-tall")]
"""Classes of the screen by its size, for the style sheets."""
