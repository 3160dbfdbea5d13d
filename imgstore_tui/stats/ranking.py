"""Who is best, who ties, who is slower, and about whom nothing can be said."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from imgstore_tui.stats.intervals import Interval
from imgstore_tui.stats.looks import Look, pairs
from imgstore_tui.stats.ratios import paired_ratio, paired_ratios
from imgstore_tui.stats.signed_rank import simultaneous_ratio

NEAR = 1.1
"""Ratio up to which two take as good as the same time, either way."""
MARGIN = 1.05
"""Ratio beyond which the whole interval must lie for *slower*: less is too little to choose by."""


class Placement(StrEnum):
    """Where a contestant ends."""

    BEST = "best"
    TIE = "tie"
    """Not told apart from the best by more than the margin."""
    SLOWER = "slower"
    """Slower than the best beyond the margin."""
    NONE = "none"
    """Too few rounds to say."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One contestant of a ranking."""

    name: str
    median: float
    """Median over the rounds that are compared, in the unit of the values."""
    placement: Placement
    ratio: Interval | None
    """Its per-round ratios to the best (or, with no verdict, to the lowest median); None if no round is shared."""

    @property
    def is_near(self) -> bool:
        """Whether the whole interval of the ratio is near 1: a likeness that was measured, not one left open."""
        return self.ratio is not None and self.ratio.low >= 1 / NEAR and self.ratio.high <= NEAR

    @property
    def is_little_slower(self) -> bool:
        """Whether it is slower, but not shown to be so beyond the margin."""
        return self.placement is Placement.TIE and self.ratio is not None and self.ratio.low > 1.0

    @property
    def contradicts_medians(self) -> bool:
        """Whether its median is the higher one, and its ratio says that it is the faster one."""
        return self.placement is Placement.TIE and self.ratio is not None and self.ratio.median < 1 - 1e-9


def shared_rounds(contestants: Mapping[str, Mapping[int, float]]) -> tuple[int, ...]:
    """Return the rounds that all contestants have, ascending.

    A run that ends inside a round has measured some methods once more than others: that round compares nobody. Who
    lags behind by more than one round does not take the others' rounds away; it is left out of the ranking.
    """
    contenders = _without_laggards(contestants)
    common = set.intersection(*(set(rounds) for rounds in contenders.values())) if contenders else set()
    return tuple(sorted(common))


def _without_laggards(contestants: Mapping[str, Mapping[int, float]]) -> dict[str, Mapping[int, float]]:
    """Return the contestants that have as many rounds as the one with the most, or one fewer."""
    most = max((len(rounds) for rounds in contestants.values()), default=0)
    return {name: rounds for name, rounds in contestants.items() if len(rounds) >= max(1, most - 1)}


def rank_contestants(
    contestants: Mapping[str, Mapping[int, float]], look: Look | None, *, methods: int = 0, part: float = 1.0
) -> tuple[Standing, ...]:
    """Rank contestants by median, lower is better, and say who cannot be told apart from the first.

    The best is the lowest median over the rounds that all have. Another is slower if the whole interval of its paired
    ratio lies beyond ``MARGIN``; otherwise it ties (an interval wholly below 1 is a tie too: medians and pairs
    disagree). The error of the look is divided among all pairs of methods, since any of them might have been the
    lowest, and among the cells whose verdicts hold together.

    Args:
        contestants: Result of each round by round number, for each name.
        look: The look that compares them; only its first rounds count. None gives no verdict.
        methods: Methods that the plan compares; those that failed count too. None of the contestants is uncounted.
        part: Part of the error that this verdict may spend of all that shall hold together; 1 for it alone.

    Returns:
        Standings by ascending median.
    """
    entered = {name: rounds for name, rounds in contestants.items() if rounds}
    contenders = _without_laggards(entered)
    shared = shared_rounds(entered)
    numbers = shared if look is None else shared[: look.rounds]
    counted = {
        name: {number: rounds[number] for number in numbers} if name in contenders and numbers else dict(rounds)
        for name, rounds in entered.items()
    }
    medians = {name: statistics.median(rounds.values()) for name, rounds in counted.items()}
    order = sorted(entered, key=lambda name: (medians[name], name))
    base = next((name for name in order if name in contenders), "")
    ranked = [name for name in order if name in contenders]
    if look is None or len(ranked) < 2 or len(numbers) < look.rounds:
        return tuple(
            Standing(name, medians[name], Placement.NONE, paired_ratio(counted[name], counted[base])) for name in order
        )
    confidence = 1 - look.error * part / pairs(max(methods, len(entered)))
    standings = []
    for name in order:
        if name not in contenders:
            standings.append(Standing(name, medians[name], Placement.NONE, paired_ratio(counted[name], counted[base])))
            continue
        ratios = paired_ratios(counted[name], counted[base])
        usable = len(ratios) >= 2 and min(ratios) > 0
        ratio = simultaneous_ratio(ratios, confidence) if usable else None
        standings.append(Standing(name, medians[name], _placement(name == base, ratio), ratio))
    return tuple(standings)


def _placement(best: bool, ratio: Interval | None) -> Placement:
    if best:
        return Placement.BEST
    if ratio is None:
        return Placement.NONE
    return Placement.SLOWER if ratio.low > MARGIN else Placement.TIE


def is_settled(standings: Sequence[Standing]) -> bool:
    """Return whether further rounds would change nothing: all others are surely slower, or surely near the best."""
    others = [entry for entry in standings if entry.placement is not Placement.BEST]
    return len(others) < len(standings) and all(
        entry.placement is Placement.SLOWER or (entry.placement is Placement.TIE and entry.is_near) for entry in others
    )
