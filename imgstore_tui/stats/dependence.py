"""Whether the order of rounds looks like chance: drift by Kendall's rank correlation, streaks by the runs test."""

from __future__ import annotations

import itertools
import math
import statistics
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from functools import lru_cache

MOST_COUNTED = 60
"""Values up to which orders are counted; of more, the statistics are nearly normal."""


def drift_probability(values: Sequence[float]) -> float:
    """Return how probable it is that independent values rise or fall as steadily as these, in either direction.

    The test of Mann (1945) by Kendall's number of inversions; equal values speak against a drift.
    """
    n = len(values)
    if n < 2:
        return 1.0
    before: list[float] = []
    falling = rising = 0
    for value in values:
        falling += len(before) - bisect_left(before, value)
        rising += bisect_right(before, value)
        insort(before, value)
    least = min(falling, rising)
    if n > MOST_COUNTED:
        deviation = math.sqrt(n * (n - 1) * (2 * n + 5) / 72)
        return min(1.0, 2 * statistics.NormalDist().cdf((least + 0.5 - n * (n - 1) / 4) / deviation))
    return min(1.0, 2 * _orders_with_inversions(n)[least] / math.factorial(n))


@lru_cache(64)
def _orders_with_inversions(n: int) -> tuple[int, ...]:
    """Return for each number, how many orders of n values have at most so many inversions."""
    ways = [1]
    for size in range(2, n + 1):
        longer = [0] * (len(ways) + size - 1)
        for inversions, count in enumerate(ways):
            for more in range(size):
                longer[inversions + more] += count
        ways = longer
    total, sums = 0, []
    for count in ways:
        total += count
        sums.append(total)
    return tuple(sums)


def streak_probability(values: Sequence[float]) -> float:
    """Return how probable it is that independent values cross their median as seldom as these.

    The runs test of Wald and Wolfowitz (1940) about the median; values on it are left out.
    """
    if not values:
        return 1.0
    middle = statistics.median(values)
    above = [value > middle for value in values if value != middle]
    high, low = sum(above), len(above) - sum(above)
    if not high or not low:
        return 1.0
    runs = 1 + sum(first != second for first, second in itertools.pairwise(above))
    orders = math.comb(high + low, high)
    return min(1.0, sum(_orders_with_runs(high, low, count) for count in range(2, runs + 1)) / orders)


def _orders_with_runs(high: int, low: int, runs: int) -> int:
    """Return how many orders of so many high and low values have exactly so many runs."""
    half, odd = divmod(runs, 2)
    if not odd:
        return 2 * math.comb(high - 1, half - 1) * math.comb(low - 1, half - 1)
    return math.comb(high - 1, half) * math.comb(low - 1, half - 1) + math.comb(high - 1, half - 1) * math.comb(
        low - 1, half
    )
