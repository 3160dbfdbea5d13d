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
    return min(1.0, _orders_with_at_most(high, low, runs) / math.comb(high + low, high))


def _orders_with_at_most(high: int, low: int, runs: int) -> int:
    """Return how many orders of so many high and low values have at most so many runs, at least two.

    With 2 k runs there are k of either kind, each cut at k - 1 of the places between its values; with 2 k + 1 runs one
    kind has k + 1. Each number of cuts follows from the one before: to count them anew takes minutes for thousands.
    """
    orders = 0
    high_ways = low_ways = 1  # of cutting into k runs
    for half in range(1, runs // 2 + 1):
        orders += 2 * high_ways * low_ways
        high_more, low_more = high_ways * (high - half) // half, low_ways * (low - half) // half
        if 2 * half < runs:
            orders += high_more * low_ways + high_ways * low_more
        high_ways, low_ways = high_more, low_more
    return orders
