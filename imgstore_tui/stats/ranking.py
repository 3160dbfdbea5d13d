"""Who is best, who ties, who is slower, and about whom nothing can be said."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from imgstore_tui.stats.intervals import MIN_ROUNDS, Interval
from imgstore_tui.stats.ratios import paired_ratio

NEAR = 1.1
"""Ratio up to which two take as good as the same time, either way."""


class Placement(StrEnum):
    """Where a contestant ends."""

    BEST = "best"
    TIE = "tie"
    """Not told apart from the best."""
    SLOWER = "slower"
    NONE = "none"
    """Too few rounds to say."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One contestant of a ranking."""

    name: str
    median: float
    """Median over its rounds, in the unit of the values."""
    placement: Placement
    ratio: Interval | None
    """Its per-round ratios to the best (or, with no verdict, to the lowest median); None if no round is shared."""

    @property
    def is_near(self) -> bool:
        """Whether the whole interval of the ratio is near 1: a likeness that was measured, not one left open."""
        return self.ratio is not None and self.ratio.low >= 1 / NEAR and self.ratio.high <= NEAR


def rank_contestants(contestants: Mapping[str, Mapping[int, float]], minimum: int = MIN_ROUNDS) -> tuple[Standing, ...]:
    """Rank contestants by median, lower is better, and say who cannot be told apart from the first.

    The best is the lowest median among those with at least ``minimum`` rounds. Another ties with it when the interval
    of its paired ratio reaches 1 (an interval wholly below 1 is a tie too: medians and pairs disagree). With fewer
    than ``minimum`` shared rounds, or nobody to compare with, there is no verdict.

    Args:
        contestants: Result of each round by round number, for each name.
        minimum: Fewest rounds for a verdict.

    Returns:
        Standings by ascending median.
    """
    entered = {name: rounds for name, rounds in contestants.items() if rounds}
    medians = {name: statistics.median(rounds.values()) for name, rounds in entered.items()}
    order = sorted(entered, key=lambda name: (medians[name], name))
    eligible = [name for name in order if len(entered[name]) >= minimum]
    base = eligible[0] if eligible else order[0] if order else ""
    standings = [
        Standing(
            name,
            medians[name],
            Placement.NONE if name == base else _placement(ratio, minimum),
            ratio,
        )
        for name in order
        for ratio in [paired_ratio(entered[name], entered[base])]
    ]
    if any(standing.placement is not Placement.NONE for standing in standings):
        standings = [
            Standing(base, medians[base], Placement.BEST, standing.ratio) if standing.name == base else standing
            for standing in standings
        ]
    return tuple(standings)


def _placement(ratio: Interval | None, minimum: int) -> Placement:
    if ratio is None or ratio.n < minimum or ratio.is_range:
        return Placement.NONE
    return Placement.SLOWER if ratio.low > 1.0 else Placement.TIE
