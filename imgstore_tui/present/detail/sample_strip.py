"""Strips: where samples lie between the quickest and the slowest, in one line of text a round."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from imgstore_tui.stats.intervals import Interval

_WIDE = 20.0
"""Slowest over quickest from which on distances are ratios."""
_SHADES = "·░▒▓█"
"""How many samples lie on a column: one, then ever more."""


@dataclass(frozen=True, slots=True)
class StripScale:
    """Columns of a strip and the seconds at its ends."""

    low: float
    high: float
    width: int
    log: bool

    def column(self, value: float) -> int:
        """Return the column on which a value lies, 0 to ``width - 1``."""
        if self.high <= self.low:
            return self.width // 2
        if self.log:
            place = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            place = (value - self.low) / (self.high - self.low)
        return max(0, min(self.width - 1, round(place * (self.width - 1))))


def strip_scale(values: Sequence[float], width: int) -> StripScale:
    """Return the scale on which all values have a place.

    Args:
        values: Seconds, at least one.
        width: Columns.
    """
    low, high = min(values), max(values)
    # Of the smallest numbers there are, the ratio may be beyond the largest.
    wide = low > 0 and _WIDE < high / low < math.inf
    return StripScale(low, high, max(1, width), wide)


def sample_strip(samples: Sequence[float], scale: StripScale) -> str:
    """Return samples as blocks, fuller where more of them lie, and their median as a dot."""
    columns = Counter(scale.column(value) for value in samples)
    most = max(columns.values(), default=1)
    cells = [" "] * scale.width
    for column, count in columns.items():
        # One sample is the lightest shade however few there are.
        level = 0 if count == 1 else 1 + round((len(_SHADES) - 2) * (count - 1) / max(1, most - 1))
        cells[column] = _SHADES[min(level, len(_SHADES) - 1)]
    if samples:
        cells[scale.column(statistics.median_low(samples))] = "●"
    return "".join(cells)


def interval_strip(interval: Interval, scale: StripScale) -> str:
    """Return an interval as a line with its ends, and the median on it."""
    low, middle, high = (scale.column(value) for value in (interval.low, interval.median, interval.high))
    cells = [" "] * scale.width
    cells[low : high + 1] = "─" * (high - low + 1)
    if low < high:
        cells[low], cells[high] = "├", "┤"
    cells[middle] = "┼"
    return "".join(cells)
