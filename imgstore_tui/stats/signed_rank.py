"""The paired ratio by signed ranks: the exact test that turns the signs of the rounds."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from functools import lru_cache

from imgstore_tui.stats.intervals import Basis, Interval
from imgstore_tui.stats.student import student_ratio

MOST_COUNTED = 60
"""Rounds up to which the orders of signs are counted; of more, the ranks' sum is nearly normal."""
MOST_ROUNDS = 300
"""Rounds up to which all pairs of rounds are averaged; of more, t on log ratios serves as well."""


def fewest_rounds(level: float) -> int:
    """Return the fewest rounds whose signs, all alike, are as rare as ``level``: n rounds reach ``2**(1 - n)``.

    Args:
        level: Probability of an error, both sides together, above 0 and below 1.
    """
    return max(2, 1 + math.ceil(-math.log2(level) - 1e-9))


def signed_rank_ratio(ratios: Sequence[float], confidence: float) -> Interval | None:
    """Return the middle of paired ratios and its interval by Wilcoxon's signed ranks on their logarithms.

    The estimate is that of Hodges and Lehmann, the median of all averages of two rounds; the interval inverts the test
    whose distribution is counted by turning the sign of each round (Hollander, Wolfe and Chicken, *Nonparametric
    Statistical Methods*, 3.1 to 3.3). It is exact for independent rounds in which the noise of both sides has one
    shape, since a log ratio then scatters evenly to either side.

    Args:
        ratios: Ratios above 0, one a round.
        confidence: Wanted coverage, 0 to 1.

    Returns:
        None where so few rounds cannot reach the coverage, or there are too many for it.
    """
    n = len(ratios)
    if n > MOST_ROUNDS:
        return None
    rank = _rank(n, confidence)
    if rank == 0:
        return None
    import numpy as np  # late: help of commands that print verdicts needs none

    logs = np.array([math.log(ratio) for ratio in ratios])
    averages = np.sort(np.add.outer(logs, logs)[np.tri(n, dtype=bool)] / 2)
    middle = (averages[(len(averages) - 1) // 2] + averages[len(averages) // 2]) / 2
    low, high = averages[rank - 1], averages[-rank]
    coverage = signed_rank_coverage(n, rank)
    return Interval(math.exp(middle), math.exp(low), math.exp(high), coverage, n, Basis.SIGNED_RANKS)


def simultaneous_ratio(ratios: Sequence[float], confidence: float) -> Interval:
    """Return the interval of paired ratios by signed ranks, where they can reach the coverage; else by Student's t.

    Which of the two depends on the number of rounds and the coverage alone, never on the ratios.

    Args:
        ratios: Ratios above 0, one a round; at least two.
        confidence: Wanted coverage, 0 to 1.
    """
    return signed_rank_ratio(ratios, confidence) or student_ratio(ratios, confidence)


def signed_rank_coverage(n: int, rank: int) -> float:
    """Return the probability that the true middle lies between the rank-th smallest and largest average of two.

    That is ``1 - 2 P(W < rank)`` of the sum of positive ranks W of n rounds: counted up to ``MOST_COUNTED`` rounds;
    beyond, by the normal distribution that W has then, nearly.
    """
    if n > MOST_COUNTED:
        middle, deviation = n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return 1.0 - 2.0 * statistics.NormalDist().cdf((rank - 0.5 - middle) / deviation)
    return 1.0 - 2.0 * _orders_below(n)[rank] / (1 << n)


@lru_cache(1024)
def _rank(n: int, confidence: float) -> int:
    """Return the largest rank whose coverage is at least ``confidence``; 0 if there is none."""
    low, high = 0, n * (n + 1) // 4
    while low < high:
        middle = (low + high + 1) // 2
        enough = signed_rank_coverage(n, middle) >= confidence - 1e-12
        low, high = (middle, high) if enough else (low, middle - 1)
    return low


@lru_cache(64)
def _orders_below(n: int) -> tuple[int, ...]:
    """Return for each rank, 0 to n (n + 1) / 2, how many of the 2**n sign patterns give a W below it."""
    ways = [1] + [0] * (n * (n + 1) // 2)
    for rank in range(1, n + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return (0, *itertools.accumulate(ways[:-1]))
