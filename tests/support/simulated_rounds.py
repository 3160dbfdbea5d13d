"""Simulates plans, and judges them with the package's own looks, parts of the error, ranking and comparison."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from imgstore_tui.bench.plan.error_parts import error_parts
from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.stats.looks import schedule_looks
from imgstore_tui.stats.ranking import Placement, Standing, rank_contestants

WEATHER = 0.1
"""Standard deviation of what a round does to all methods alike."""
READS = (Operation.READ_RANDOM, Operation.READ_MANY, Operation.GET_ONE, Operation.READ_ONE)


def contests_of(cells: int) -> list[Cell]:
    """Return contests of writes and reads at several numbers of images; the first decides what is recommended."""
    operations = (*READS, Operation.WRITE_MANY)
    all_of = [
        Cell("x", "", operation, cutoff, *((None, SyncLevel.BUFFERED) if operation.writes else (CacheState.HOT, None)))
        for cutoff in (1000, 100, 10, 1)
        for operation in operations
    ]
    return all_of[:cells]


def rounds_of(
    source: random.Random, methods: int, count: int, noise: float, slowest: float = 1.0
) -> dict[str, dict[int, float]]:
    """Return rounds of methods that take the same time but for noise, the last of them ``slowest`` times as long."""
    weather = [source.gauss(0.0, WEATHER) for _ in range(count)]
    factors = [0.0] * (methods - 1) + [math.log(slowest)]
    return {
        f"method{index}": {
            number: math.exp(shared + factor + source.gauss(0.0, noise)) for number, shared in enumerate(weather)
        }
        for index, factor in enumerate(factors)
    }


def standings_at_looks(
    contestants: dict[str, dict[int, float]], count: int, part: float = 1.0
) -> list[tuple[Standing, ...]]:
    """Return the standings at each look of a plan of ``count`` rounds."""
    return [rank_contestants(contestants, look, part=part) for look in schedule_looks(len(contestants), count)]


@dataclass(frozen=True, slots=True)
class FalseRates:
    """In how many of a number of runs something wrong was said of equal methods, at any look in any cell."""

    runs: int
    slower: int
    lone: int
    """A lone winner was named."""
    little_slower: int
    """A method was told apart at all."""


def false_rates(methods: int, cells: int, rounds: int, noise: float, runs: int) -> FalseRates:
    """Simulate runs of equal methods."""
    source = random.Random(f"equal/{methods}")
    parts = error_parts(contests_of(cells))
    slower = lone = little = 0
    for _ in range(runs):
        run = [
            standings
            for part in parts.values()
            for standings in standings_at_looks(rounds_of(source, methods, rounds, noise), rounds, part)
        ]
        slower += any(entry.placement is Placement.SLOWER for standings in run for entry in standings)
        lone += any(all(entry.placement is not Placement.TIE for entry in standings) for standings in run)
        little += any(entry.is_little_slower for standings in run for entry in standings)
    return FalseRates(runs, slower, lone, little)


def share_found(methods: int, rounds: int, noise: float, plans: int, part: float = 1.0) -> float:
    """Return in what share of plans a method that takes a fifth longer than the others is called slower."""
    source, seen, planted = random.Random(f"{methods}/{noise}/{part}"), 0, f"method{methods - 1}"
    for _ in range(plans):
        judged = standings_at_looks(rounds_of(source, methods, rounds, noise, 1.2), rounds, part)
        seen += any(
            entry.name == planted and entry.placement is Placement.SLOWER for standings in judged for entry in standings
        )
    return seen / plans
