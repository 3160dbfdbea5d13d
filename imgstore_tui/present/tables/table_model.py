"""Defines tables of harmless text, before any format is chosen, and the text of intervals and ratios."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

from imgstore_tui.core.model import Cell
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import seconds_unit
from imgstore_tui.stats.intervals import Interval


class Emphasis(StrEnum):
    """Meaning of an entry that a format may show as colour; the text states it too."""

    PLAIN = "plain"
    BEST = "best"
    TIE = "tie"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One entry of a table; its text is made harmless to terminals."""

    text: str
    emphasis: Emphasis = Emphasis.PLAIN
    value: float | None = field(default=None, compare=False)
    """The number behind the text, to sort by; None where there is only text."""
    cell: Cell | None = field(default=None, compare=False)
    """The cell of the run that the entry is about, if any."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", safe_text(self.text))


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of a table."""

    title: str
    right: bool = True
    """Whether the text is aligned right, as numbers are."""
    wide: bool = False
    """Whether the column is left out on narrow terminals."""
    wraps: bool = False
    """Whether the text may be folded over several lines."""
    grouped: bool = False
    """Whether the text is the same for all rows of a group, so that it is shown once."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; title and caption are made harmless like its entries."""

    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[TableEntry, ...], ...]
    caption: str = ""
    breaks: frozenset[int] = field(default=frozenset())
    """Indexes of rows after which a group ends."""
    heads: frozenset[int] = field(default=frozenset())
    """Indexes of heading rows."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", safe_text(self.title))
        object.__setattr__(self, "caption", safe_text(self.caption))


NOTHING = TableEntry("-", Emphasis.QUIET)


def interval_text(interval: Interval, *, unit: bool = True) -> str:
    """Return low and high in the unit and digits of the median, ``1.21-1.31 ms``, in brackets if of too few rounds.

    Args:
        interval: The interval.
        unit: Whether the unit is written; not where the median stands right before it.
    """
    scale, name = seconds_unit(interval.median)
    text = (
        f"{_low_high(interval.low / scale, interval.high / scale, interval.median / scale)}{f' {name}' if unit else ''}"
    )
    return f"({text})" if interval.is_range else text


def ratio_text(ratio: Interval) -> str:
    """Return a ratio with three digits: ``1.02x``, ``14.3x``."""
    return f"{ratio.median:,.{_decimals(ratio.median)}f}x"


def ratio_interval_text(ratio: Interval) -> str:
    """Return the interval of a ratio, in brackets if it is a range of too few rounds."""
    text = _low_high(ratio.low, ratio.high, ratio.median)
    return f"({text})" if ratio.is_range else text


def _low_high(low: float, high: float, middle: float) -> str:
    digits = _decimals(middle)
    return f"{low:,.{digits}f}-{high:,.{digits}f}"


def _decimals(value: float) -> int:
    if not math.isfinite(value) or value >= 99.95:
        return 0
    return 1 if value >= 9.995 else 2
