"""The ratio of two samples that share nothing: against brute force, and against what it promises."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from imgstore_tui.stats.shift import coverage, independent_ratio


def below(m: int, n: int, rank: int) -> float:
    """P(U < rank), by counting every order of m and n values."""
    orders = list(itertools.combinations(range(m + n), m))
    return sum(sum(order) - m * (m - 1) // 2 < rank for order in orders) / len(orders)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (4, 4), (6, 6), (3, 7)])
def test_the_coverage_is_what_counting_gives(m: int, n: int) -> None:
    for rank in range(m * n // 2 + 1):
        assert coverage(m, n, rank) == pytest.approx(1 - 2 * below(m, n, rank))
    assert coverage(m, n, m * n) == 0.0


def test_six_rounds_each_give_the_textbooks_interval() -> None:
    # The table of the rank sum test has the critical value 5 for 6 and 6 at 95 %: the sixth ratio from either end.
    assert coverage(6, 6, 6) == pytest.approx(1 - 2 * 19 / 924)
    values, base = [2.0, 4.0, 8.0, 16.0, 32.0, 64.0], [1.0] * 6
    found = independent_ratio(values, base)
    assert found is not None
    assert (found.low, found.median, found.high, found.n) == (2.0, 12.0, 64.0, 6)


def test_the_promise_is_kept_for_noise_with_a_long_tail() -> None:
    source = random.Random(1)
    kept = 0
    for _ in range(400):
        base = [source.lognormvariate(0, 0.5) for _ in range(6)]
        values = [1.3 * source.lognormvariate(0, 0.5) for _ in range(6)]
        found = independent_ratio(values, base)
        assert found is not None
        kept += found.contains(1.3)
    assert kept / 400 > 0.93


def test_too_few_values_give_a_range_and_none_give_nothing() -> None:
    found = independent_ratio([2.0, 3.0], [1.0] * 9)
    assert found is not None
    assert found.is_range
    assert (found.low, found.high, found.n) == (2.0, 3.0, 2)
    assert independent_ratio([], [1.0]) is None
    assert independent_ratio([1.0], [0.0, math.nan]) is None
