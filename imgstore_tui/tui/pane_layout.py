"""Decides which panes are visible at a size of the terminal, and how much of it each gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.terminal.breakpoints import TALL_ROWS, TALLEST_ROWS, WIDE_COLUMNS

LEFT, RIGHT = (PaneName.CHART, PaneName.TABLE), (PaneName.VERDICT, PaneName.MATRIX, PaneName.LOG)
"""The panes of the two columns of results, from top to bottom."""

_BESIDE = "44"
"""Columns of the choice beside the results."""


@dataclass(frozen=True, slots=True)
class PaneLayout:
    """The visible panes: the choice at the left, then two columns of results."""

    choice: str = ""
    """Width of the choice, in columns or fractions; empty where it is hidden."""
    heights: Mapping[PaneName, int] = field(default_factory=dict)
    """Shares of the height of its column, by pane of results; the others are hidden."""
    left: str = "3fr"
    """Width of the left column of results."""
    right: str = "2fr"
    """Width of the right column of results."""


def lay_out(columns: int, rows: int, front: PaneName, *, idle: bool = False, enlarged: bool = False) -> PaneLayout:
    """Return the layout for a terminal.

    Where only one pane fits, it is the one in front. On a wide terminal the choice is beside the results while it is
    in front, and gives them its room otherwise; a terminal that is tall, too, shows all results at once.

    Args:
        columns: Columns of the terminal.
        rows: Rows of the terminal.
        front: The pane in front.
        idle: Whether there is nothing to show yet, so that the choice may have the room.
        enlarged: Whether the pane in front is shown alone at any size.
    """
    choosing = front is PaneName.CHOOSE
    if enlarged or columns < WIDE_COLUMNS:
        return PaneLayout("1fr") if choosing else PaneLayout(heights={front: 1})
    if choosing and idle:
        return PaneLayout("2fr", {PaneName.CHART: 1}, left="1fr")
    choice = _BESIDE if choosing else ""
    if rows >= TALL_ROWS:
        return PaneLayout(choice, _all_results(rows, front))
    if choosing:
        return PaneLayout(choice, {PaneName.CHART: 1})
    if front in (PaneName.CHART, PaneName.VERDICT):
        return PaneLayout(choice, {PaneName.CHART: 1, PaneName.VERDICT: 1})
    return PaneLayout(choice, {front: 1})


def _all_results(rows: int, front: PaneName) -> dict[PaneName, int]:
    heights = {PaneName.CHART: 13, PaneName.TABLE: 7}
    if rows >= TALLEST_ROWS:
        return heights | {PaneName.VERDICT: 5, PaneName.MATRIX: 3, PaneName.LOG: 2}
    # There is room for one of the two below the verdict.
    return heights | {PaneName.VERDICT: 6, PaneName.LOG if front is PaneName.LOG else PaneName.MATRIX: 4}
