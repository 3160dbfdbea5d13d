"""How many times slower: ratios paired by round, so that a slow minute of the machine cancels out."""

from __future__ import annotations

from collections.abc import Mapping

from imgstore_tui.stats.intervals import CONFIDENCE, Interval, median_interval


def paired_ratios(values: Mapping[int, float], base: Mapping[int, float]) -> tuple[float, ...]:
    """Return value / base of every round that has both, by ascending round; rounds with a base of 0 are left out."""
    return tuple(values[number] / base[number] for number in sorted(values) if base.get(number, 0.0) > 0.0)


def paired_ratio(
    values: Mapping[int, float], base: Mapping[int, float], confidence: float = CONFIDENCE
) -> Interval | None:
    """Return the median of the per-round ratios and its interval; None if no round has both.

    The median of ratios within blocks (Kalibera and Jones, *Rigorous Benchmarking in Reasonable Time*, 2013, on why
    the repetition at the highest level is the unit; the interval is the sign test's, see ``intervals``).

    Args:
        values: Result of each round, by round number.
        base: The same for what it is compared with.
        confidence: Wanted coverage, 0 to 1.
    """
    ratios = paired_ratios(values, base)
    return median_interval(ratios, confidence) if ratios else None
