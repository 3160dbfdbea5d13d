"""Sizes of a terminal at which the screen is laid out otherwise."""

from __future__ import annotations

WIDE_COLUMNS = 120
"""Columns from which on choosing and results stand side by side."""
BROAD_COLUMNS = 150
"""Columns from which on, where all panes are seen, the matrix stands beside the chart."""
SHORT_ROWS = 20
"""Rows from which on there is room for more than the lists themselves."""
TALL_ROWS = 36
"""Rows from which on, where it is wide too, all panes are seen at once."""

COLUMN_CLASSES = [(0, "-narrow"), (WIDE_COLUMNS, "-wide")]
ROW_CLASSES = [(0, "-low"), (SHORT_ROWS, "-short"), (TALL_ROWS, "-tall")]
"""Classes of the screen by its size, for the style sheets."""
