"""Names the sizes of a figure in a paper."""

from __future__ import annotations

from enum import StrEnum


class FigureSize(StrEnum):
    """The places in a paper that a figure is drawn for."""

    COLUMN = "column"
    PAGE = "page"

    @property
    def millimetres(self) -> float:
        """The width of the place."""
        return 84.0 if self is FigureSize.COLUMN else 174.0
