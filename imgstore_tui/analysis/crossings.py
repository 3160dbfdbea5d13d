"""Finds the numbers of images at which one method takes over from another."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from imgstore_tui.analysis.growth import LEAST_ROUNDS, Growth
from imgstore_tui.core.model import Cell
from imgstore_tui.stats.intervals import Interval, median_interval

_POINTS_A_DECADE = 24
_REFINEMENTS = 24


@dataclass(frozen=True, slots=True)
class Crossing:
    """A number of images at which one method takes over from another."""

    below: Cell
    """The method that takes less time for fewer images; a cell with a cutoff of 0."""
    above: Cell
    """The method that takes less time for more images."""
    images: float
    low: float
    """Number of images up to which ``below`` surely takes less time."""
    high: float
    """Number of images from which on ``above`` surely takes less time."""
    measured_up_to: int
    """The largest number of images at which both were measured."""
    rows: tuple[Cell, ...]
    """The cells around it that decide where it is."""


def crossings(one: Growth, other: Growth, most: int) -> list[Crossing]:
    """Return where the faster of two methods changes, by ascending number of images.

    At each number of images the two are compared by the ratio of their times in each round; a crossing lies between
    the last number at which the interval of the ratio is on one side of 1 and the first at which it is on the other.
    The interval of crossings thus holds the true one as often as those of the ratios hold the true ratio.

    Args:
        one: A method.
        other: Another one, of the same data, operation and level.
        most: Number of images up to which crossings are looked for.
    """
    first = max(one.cutoffs[0], other.cutoffs[0])
    beyond = min(one.cutoffs[-1], other.cutoffs[-1])
    last = most
    for growth in (one, other):
        if growth.obstacle(most):
            last = min(last, growth.cutoffs[-1])
    if last <= first or len(set(one.rounds) & set(other.rounds)) < LEAST_ROUNDS:
        return []
    steps = max(2, math.ceil(_POINTS_A_DECADE * math.log10(last / first)))
    points = [first * (last / first) ** (step / steps) for step in range(steps + 1)]
    crossed: list[Crossing] = []
    decided: tuple[float, int] | None = None
    for point in points:
        side = _side(one, other, point)
        if side == 0:
            continue
        if decided is not None and side != decided[1]:
            low = _edge(one, other, decided[0], point, decided[1])
            high = _edge(one, other, point, decided[0], side)
            below, above = (one, other) if side > 0 else (other, one)
            crossed.append(
                Crossing(
                    below.cell, above.cell, _middle(one, other, decided[0], point), low, high, beyond,
                    (*one.rows_around(decided[0], point), *other.rows_around(decided[0], point)),
                )
            )  # fmt: skip
        decided = (point, side)
    return crossed


def ratio_interval(one: Growth, other: Growth, images: float) -> Interval:
    """Return the time of one method over that of another at a number of images, paired by round, and widened."""
    seconds, base = one.seconds_by_round(images), other.seconds_by_round(images)
    interval = median_interval([seconds[number] / base[number] for number in seconds if number in base])
    factor = one.widening(images) * other.widening(images)
    return replace(interval, low=interval.low / factor, high=interval.high * factor)


def _side(one: Growth, other: Growth, images: float) -> int:
    """Return -1 where the first method surely takes less time, 1 where the other does, 0 where neither surely does."""
    ratio = ratio_interval(one, other, images)
    if ratio.is_range:  # too few rounds to be sure of anything
        return 0
    return -1 if ratio.high < 1 else 1 if ratio.low > 1 else 0


def _edge(one: Growth, other: Growth, inside: float, outside: float, side: int) -> float:
    """Return how far towards ``outside`` it is sure which method takes less time."""
    for _ in range(_REFINEMENTS):
        middle = math.sqrt(inside * outside)
        inside, outside = (middle, outside) if _side(one, other, middle) == side else (inside, middle)
    return inside


def _middle(one: Growth, other: Growth, low: float, high: float) -> float:
    """Return where both take the same time by the medians."""
    start = ratio_interval(one, other, low).median > 1
    for _ in range(_REFINEMENTS):
        middle = math.sqrt(low * high)
        same = (ratio_interval(one, other, middle).median > 1) == start
        low, high = (middle, high) if same else (low, middle)
    return math.sqrt(low * high)
