"""How many times longer, of two samples that share nothing: by ranks, with no assumption about their distribution."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from functools import lru_cache

from imgstore_tui.stats.intervals import CONFIDENCE, MIN_ROUNDS, Basis, Interval
from imgstore_tui.stats.student import SMALLEST_SPREAD, student_quantile

COUNTED = 2_500
"""Ratios up to which orders are counted one by one; of hundreds of rounds that would take minutes."""
FEW = 24
"""Values of the smaller side up to which orders are counted all the same."""


def independent_ratio(
    values: Sequence[float], base: Sequence[float], confidence: float = CONFIDENCE, minimum: int = MIN_ROUNDS
) -> Interval | None:
    """Return by what factor ``values`` lie above ``base``: the median of all ratios, and its interval.

    The estimate of Hodges and Lehmann (1963) on logarithms, and the interval that inverts the rank sum test of
    Wilcoxon, Mann and Whitney (Hollander, Wolfe and Chicken, *Nonparametric Statistical Methods*, 4.3): exact for two
    distributions that differ by a factor, whatever their shape. Below ``minimum`` values on a side the range of the
    ratios is returned, and says that it is one.

    Args:
        values: At least one number; those not above 0 are left out.
        base: The same for what it is compared with; ``Interval.n`` is the smaller number of both.
        confidence: Wanted coverage, 0 to 1.
        minimum: Fewest values on each side for an interval.

    Returns:
        None where either side has no number above 0.
    """
    over = [value for value in values if value > 0 and math.isfinite(value)]
    under = [value for value in base if value > 0 and math.isfinite(value)]
    if not over or not under:
        return None
    ratios = sorted(value / other for value in over for other in under)
    middle, n = statistics.median(ratios), min(len(over), len(under))
    rank = _rank(len(over), len(under), confidence) if n >= minimum else 0
    if rank == 0:
        return Interval(middle, ratios[0], ratios[-1], None, n)
    return Interval(
        middle, ratios[rank - 1], ratios[-rank], ratio_coverage(len(over), len(under), rank), n, Basis.RANK_SUM
    )


def simultaneous_shift(values: Sequence[float], base: Sequence[float], confidence: float) -> Interval | None:
    """Return the ratio of two samples by rank sum, where it can reach the coverage; else by Student's t on logarithms.

    The t test is that of Welch, for two samples that need not scatter alike; the result says that it is approximate.

    Args:
        values: At least one number; those not above 0 are left out.
        base: The same for what it is compared with.
        confidence: Wanted coverage, 0 to 1.
    """
    ratio = independent_ratio(values, base, confidence)
    if ratio is None or not ratio.is_range or ratio.n < MIN_ROUNDS:
        return ratio
    sides = [[math.log(value) for value in side if value > 0 and math.isfinite(value)] for side in (values, base)]
    errors = [max(statistics.variance(side) / len(side), SMALLEST_SPREAD**2) for side in sides]
    parts = sum(error**2 / (len(side) - 1) for error, side in zip(errors, sides, strict=True))
    freedom = max(1, math.floor(sum(errors) ** 2 / parts))
    reach = student_quantile(1 - (1 - confidence) / 2, freedom) * math.sqrt(sum(errors))
    middle = statistics.fmean(sides[0]) - statistics.fmean(sides[1])
    low, high = math.exp(middle - reach), math.exp(middle + reach)
    return Interval(math.exp(middle), low, high, confidence, ratio.n, Basis.STUDENT)


@lru_cache(64)
def _rank(m: int, n: int, confidence: float) -> int:
    """Return the largest rank whose coverage is at least ``confidence``; 0 if there is none."""
    low, high = 0, m * n // 2
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if ratio_coverage(m, n, middle) >= confidence else (low, middle - 1)
    return low


def ratio_coverage(m: int, n: int, rank: int) -> float:
    """Return the probability that the true factor lies between the rank-th smallest and rank-th largest ratio.

    That is ``1 - 2 P(U < rank)`` of the rank sum statistic U of ``m`` and ``n`` values: exact up to ``COUNTED``
    ratios, or ``FEW`` values on a side; beyond, by the normal distribution that U has then, nearly (as above, 4.1).
    """
    if 2 * rank > m * n:
        return 0.0
    if m * n > COUNTED and min(m, n) > FEW:
        deviation = math.sqrt(m * n * (m + n + 1) / 12)
        return 1.0 - 2.0 * statistics.NormalDist().cdf((rank - 0.5 - m * n / 2) / deviation)
    return 1.0 - 2.0 * _orders_below(m, n)[rank] / math.comb(m + n, m)


@lru_cache(64)
def _orders_below(m: int, n: int) -> tuple[int, ...]:
    """Return for each rank, 0 to m n, how many orders of m and n values give a U below it: a Gaussian binomial."""
    m, n = sorted((m, n))
    ways = [1, *[0] * (m * n)]
    for part in range(1, m + 1):
        # Multiplied by 1 - q**(n + part), divided by 1 - q**part.
        for u in range(m * n, n + part - 1, -1):
            ways[u] -= ways[u - n - part]
        for u in range(part, m * n + 1):
            ways[u] += ways[u - part]
    return (0, *itertools.accumulate(ways[:-1]))
