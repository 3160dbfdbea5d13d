"""The one row model: tables and trials as harmless text and plain values, before any format is chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

from imgstore_tui.core.model import Cell
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import seconds_unit
from imgstore_tui.stats.intervals import Interval


class Emphasis(StrEnum):
    """What an entry wants to say beside its text; colour may follow it, the text says it too."""

    PLAIN = "plain"
    BEST = "best"
    TIE = "tie"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One entry of a table; whatever text it is given, it holds one that no terminal obeys."""

    text: str
    emphasis: Emphasis = Emphasis.PLAIN
    value: float | None = field(default=None, compare=False)
    """The number behind the text, to sort by; None where the text itself is what there is."""
    cell: Cell | None = field(default=None, compare=False)
    """The cell that it is about, where there is one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", safe_text(self.text))


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of a table."""

    title: str
    right: bool = True
    """Numbers stand right, words left."""
    wide: bool = False
    """Left out where there are fewer than some hundred columns."""
    wraps: bool = False
    """Its text may be folded over several lines."""
    grouped: bool = False
    """Its text is the same for all rows of a group, so that showing it once is enough."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that says what was measured; title and caption are made harmless like its entries."""

    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[TableEntry, ...], ...]
    caption: str = ""
    breaks: frozenset[int] = field(default=frozenset())
    """Indexes of rows after which a group ends."""
    heads: frozenset[int] = field(default=frozenset())
    """Indexes of rows that say what the rows below them are about."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", safe_text(self.title))
        object.__setattr__(self, "caption", safe_text(self.caption))


NOTHING = TableEntry("-", Emphasis.QUIET)


def interval_text(interval: Interval) -> str:
    """Return low and high in the median's unit and digits, ``1.21-1.31``; a mere range in brackets."""
    scale, _ = seconds_unit(interval.median)
    text = _low_high(interval.low / scale, interval.high / scale, interval.median / scale)
    return f"({text})" if interval.is_range else text


def ratio_text(ratio: Interval) -> str:
    """Return a ratio with three digits: ``1.02x``, ``14.3x``."""
    return f"{ratio.median:,.{_decimals(ratio.median)}f}x"


def ratio_interval_text(ratio: Interval) -> str:
    """Return the interval of a ratio, in brackets if it is a mere range."""
    text = _low_high(ratio.low, ratio.high, ratio.median)
    return f"({text})" if ratio.is_range else text


def _low_high(low: float, high: float, middle: float) -> str:
    digits = _decimals(middle)
    return f"{low:,.{digits}f}-{high:,.{digits}f}"


def _decimals(value: float) -> int:
    if not math.isfinite(value) or value >= 99.95:
        return 0
    return 1 if value >= 9.995 else 2
