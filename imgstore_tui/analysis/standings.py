"""Orders the methods of an operation while it has no verdict yet: who leads, in how many rounds, by how much."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.analysis.verdict import Verdict, exclusion_reason
from imgstore_tui.core.model import Cell
from imgstore_tui.stats.intervals import Interval, median_interval
from imgstore_tui.stats.ranking import shared_rounds
from imgstore_tui.stats.ratios import paired_ratios

LEAST_DRAWN = 3
"""Rounds below which no interval is given: of two values it would be the values."""


@dataclass(frozen=True, slots=True)
class ProvisionalStanding:
    """A method among those of its operation, before there is a verdict."""

    spec: str
    median: float
    """Median seconds of the rounds that all methods have."""
    interval: Interval | None
    """Median of these rounds and what surrounds it, at first their range; None below ``LEAST_DRAWN`` rounds."""
    behind_in: int
    """Number of rounds in which it took longer than the method that leads."""
    ratios: tuple[float, float] | None
    """Least and greatest ratio of a round to the method that leads; None for that one."""


@dataclass(frozen=True, slots=True)
class Standings:
    """The methods of a contest without a verdict, the one with the lowest median first."""

    contest: Cell
    """A cell without a spec."""
    rounds: int
    """Number of rounds that all of the methods have."""
    entries: tuple[ProvisionalStanding, ...]

    @property
    def leader(self) -> ProvisionalStanding:
        """The method with the lowest median."""
        return self.entries[0]


def provisional_standings(
    summaries: Iterable[CellSummary], verdicts: Sequence[Verdict], cutoff: int | None = None
) -> tuple[Standings, ...]:
    """Return the standings of the contests that have no verdict yet, one for each operation and level.

    Methods of which a trial failed are left out, as they are of verdicts.

    Args:
        summaries: The summaries of the cells.
        verdicts: The verdicts of their contests.
        cutoff: Number of images; None for the most at which each operation has a round of two methods.
    """
    contests: dict[Cell, dict[str, dict[int, float]]] = {}
    for summary in summaries:
        if cutoff in (None, summary.cell.cutoff) and summary.rounds and exclusion_reason(summary) is None:
            contests.setdefault(summary.cell.contest, {})[summary.cell.spec] = dict(summary.rounds)
    last: dict[Cell, Standings] = {}
    for verdict in verdicts:
        contestants = contests.get(verdict.contest, {})
        numbers = shared_rounds(contestants)
        entered = {
            name: {number: rounds[number] for number in numbers}
            for name, rounds in contestants.items()
            if numbers and all(number in rounds for number in numbers)
        }
        if len(entered) < 2:
            continue
        medians = {name: statistics.median(rounds.values()) for name, rounds in entered.items()}
        order = sorted(entered, key=lambda name: (medians[name], name))
        base = entered[order[0]]
        entries = []
        for name in order:
            ratios = paired_ratios(entered[name], base)
            seconds = list(entered[name].values())
            entries.append(
                ProvisionalStanding(
                    name,
                    medians[name],
                    median_interval(seconds) if len(seconds) >= LEAST_DRAWN else None,
                    sum(ratio > 1.0 for ratio in ratios),
                    (min(ratios), max(ratios)) if ratios and name != order[0] else None,
                )
            )
        key = replace(verdict.contest, cutoff=0)
        if key not in last or last[key].contest.cutoff < verdict.contest.cutoff:
            last[key] = Standings(verdict.contest, len(numbers), tuple(entries))
    undecided = {verdict.contest for verdict in verdicts if verdict.reason is not None}
    return tuple(standings for standings in last.values() if standings.contest in undecided)
