"""The median of a few timings and how far it can be trusted, with no assumption about their distribution."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

MIN_ROUNDS = 6
"""The fewest values whose extremes enclose the median with 95 % confidence: 1 - 2/2**6 = 96.9 %."""
CONFIDENCE = 0.95


class Basis(StrEnum):
    """The test that an interval inverts."""

    ORDER = "order statistics"
    """Exact for independent values, whatever their distribution."""
    SIGNED_RANKS = "signed ranks"
    """Exact for independent rounds in which the noise of both sides has one shape."""
    RANK_SUM = "rank sum"
    """Exact for independent values of two distributions that differ by a factor."""
    STUDENT = "t on log ratios"
    """Approximate."""
    JACKKNIFE = "jackknife over rounds"
    """Approximate: Student's t on how what is fitted changes as each round is left out."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A median with what surrounds it. The unit is that of the values."""

    median: float
    low: float
    high: float
    coverage: float | None
    """Probability that low..high encloses the true median, exact; None where low..high is only the range seen."""
    n: int
    """How many values it stands on."""
    basis: Basis = Basis.ORDER
    """The test behind low..high; without meaning where they are only the range seen."""

    @property
    def is_approximate(self) -> bool:
        """Whether the coverage holds only nearly."""
        return self.coverage is not None and self.basis in (Basis.STUDENT, Basis.JACKKNIFE)

    @property
    def is_range(self) -> bool:
        """Whether low..high is the range of too few values, not a confidence interval."""
        return self.coverage is None

    def contains(self, value: float) -> bool:
        """Whether ``value`` lies in low..high, ends included."""
        return self.low <= value <= self.high


@lru_cache(1024)
def median_coverage(n: int, rank: int) -> float:
    """Return the probability that the median lies between the rank-th smallest and rank-th largest of n values.

    The number of values below the median of a continuous distribution is binomial (n, 1/2), so the coverage of
    [x_(k), x_(n+1-k)] is ``1 - 2 P(B < k)``: exact, for any shape (Hahn and Meeker, *Statistical Intervals*, 5.2;
    David and Nagaraja, *Order Statistics*, 7.1). Values that repeat only raise it.
    """
    below = sum(math.comb(n, count) for count in range(rank))
    return 1.0 - 2.0 * (below / (1 << n))


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Return the median and the narrowest symmetric order-statistic interval of at least ``confidence``.

    Below six values none reaches 95 %: then the range is returned, and says that it is one.

    Args:
        values: At least one finite number.
        confidence: Wanted coverage, 0 to 1.

    Raises:
        ValueError: If there is no value, or one is not finite.
    """
    if not values or not all(math.isfinite(value) for value in values):
        raise ValueError("a median needs at least one value, all of them finite")
    ordered = sorted(values)
    n = len(ordered)
    rank = _narrowest(n, confidence)
    median = statistics.median(ordered)
    if rank == 0:
        return Interval(median, ordered[0], ordered[-1], None, n)
    return Interval(median, ordered[rank - 1], ordered[n - rank], median_coverage(n, rank), n)


@lru_cache(1024)
def _narrowest(n: int, confidence: float) -> int:
    """Return the largest rank whose interval of n values has at least ``confidence``; 0 where not even the extremes do.

    Kept, because the cells of a run have the same few numbers of rounds, and of hundreds of rounds the sums are long.
    """
    # The coverage falls as the rank grows; bisect wants what rises.
    return bisect_right(range(1, (n + 1) // 2 + 1), -confidence, key=lambda rank: -median_coverage(n, rank))


def median_absolute_deviation(values: Sequence[float]) -> float:
    """Return the median distance from the median, in the unit of the values (Hampel 1974)."""
    middle = statistics.median(values)
    return statistics.median(abs(value - middle) for value in values)


def relative_spread(values: Sequence[float]) -> float | None:
    """Return 1.4826 MAD / median: for normal noise the standard deviation over the mean, unmoved by outliers.

    None for fewer than two values or a median of zero.
    """
    if len(values) < 2:
        return None
    middle = statistics.median(values)
    return 1.4826 * median_absolute_deviation(values) / middle if middle else None
