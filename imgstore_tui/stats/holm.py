"""Holm's method: many comparisons at once, in which the probability of any false one is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from imgstore_tui.stats.intervals import Interval

LevelInterval = Callable[[float], Interval | None]
"""Returns the interval whose lower end errs with a probability; None where there is none."""


def holm_intervals(comparisons: Sequence[LevelInterval], error: float, bound: float) -> tuple[Interval | None, ...]:
    """Return the interval of each comparison at the level that the method of Holm (1979) leaves it.

    The error is divided among all comparisons; those that lie beyond the bound hand their part to the others, until
    none is added. Any of those whose true value is not beyond the bound is found beyond it with at most ``error``.

    Args:
        comparisons: The comparisons.
        error: Probability that any of them is wrongly found beyond the bound, above 0 and below 1.
        bound: A comparison is beyond it if its whole interval is.
    """
    beyond: set[int] = set()
    while True:
        level = error / max(1, len(comparisons) - len(beyond))
        intervals = tuple(interval_at(level) for interval_at in comparisons)
        indices = {index for index, interval in enumerate(intervals) if interval is not None and interval.low > bound}
        if indices <= beyond:
            return intervals
        beyond |= indices
