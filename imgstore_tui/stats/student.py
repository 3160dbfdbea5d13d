"""The paired ratio by Student's t on logarithms: approximate, and reaches every level with few rounds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import lru_cache

from imgstore_tui.stats.intervals import Basis, Interval

SMALLEST_SPREAD = 1e-9
"""Standard deviation of the logarithms that is assumed at least, so that equal ratios have an interval."""


def student_ratio(ratios: Sequence[float], confidence: float) -> Interval:
    """Return the geometric mean of paired ratios and its interval by Student's t.

    The level is kept where the logarithms are normal, and nearly kept where they are not: with few rounds the interval
    is an approximation, and says so (Georges, Buytaert and Eeckhout, *Statistically Rigorous Java Performance
    Evaluation*, 2007, use the same for a few runs).

    Args:
        ratios: Ratios above 0, one a round; at least two.
        confidence: Wanted coverage, 0 to 1.

    Raises:
        ValueError: If there are fewer than two ratios, or one is not above 0.
    """
    if len(ratios) < 2 or min(ratios) <= 0:
        raise ValueError("an interval by Student's t needs two ratios or more, all above 0")
    logs = [math.log(ratio) for ratio in ratios]
    middle, n = statistics.fmean(logs), len(logs)
    error = max(statistics.stdev(logs), SMALLEST_SPREAD) / math.sqrt(n)
    reach = student_quantile(1 - (1 - confidence) / 2, n - 1) * error
    low, high = math.exp(middle - reach), math.exp(min(middle + reach, 700.0))
    return Interval(math.exp(middle), low, high, confidence, n, Basis.STUDENT)


def student_tail(t: float, freedom: float) -> float:
    """Return the probability that Student's t exceeds ``t``.

    Args:
        t: The value.
        freedom: Degrees of freedom, above 0; not necessarily whole.
    """
    tail = _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2
    return tail if t >= 0 else 1 - tail


@lru_cache(1024)
def student_quantile(probability: float, freedom: float) -> float:
    """Return the value that Student's t exceeds with probability ``1 - probability``.

    Args:
        probability: From 0.5 to below 1.
        freedom: Degrees of freedom, above 0.

    Raises:
        ValueError: If the probability lies outside.
    """
    if not 0.5 <= probability < 1:
        raise ValueError(f"a probability from 0.5 to below 1 is needed, not {probability}")
    low, high = 0.0, 1.0
    while student_tail(high, freedom) > 1 - probability and high < 1e300:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, freedom) > 1 - probability else (low, middle)
    return high


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Return the regularized incomplete beta function by its continued fraction (DLMF 8.17.22, Lentz's method)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    value = d
    for m in range(1, 500):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + term * d or tiny)
            c = 1 + term / c or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return math.exp(front) * value / a
