"""Names the panes of the workbench, in the order of their keys."""

from __future__ import annotations

from enum import StrEnum


class PaneName(StrEnum):
    """One part of the screen that can be brought to the front."""

    CHOOSE = "choose"
    CHART = "chart"
    TABLE = "table"
    LOG = "log"
    VERDICT = "verdict"
    MATRIX = "matrix"

    @property
    def key(self) -> str:
        """The digit that brings it to the front."""
        return str(list(PaneName).index(self) + 1)
