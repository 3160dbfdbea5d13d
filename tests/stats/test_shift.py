"""The ratio of two samples that share nothing: against brute force, and against what it promises."""

from __future__ import annotations

import itertools
import math
import random
import time

import pytest

from imgstore_tui.stats import shift
from imgstore_tui.stats.shift import independent_ratio, ratio_coverage


def below(m: int, n: int, rank: int) -> float:
    """P(U < rank), by counting every order of m and n values."""
    orders = list(itertools.combinations(range(m + n), m))
    return sum(sum(order) - m * (m - 1) // 2 < rank for order in orders) / len(orders)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (4, 4), (6, 6), (3, 7)])
def test_the_coverage_is_what_counting_gives(m: int, n: int) -> None:
    for rank in range(m * n // 2 + 1):
        assert ratio_coverage(m, n, rank) == pytest.approx(1 - 2 * below(m, n, rank))
    assert ratio_coverage(m, n, m * n) == 0.0


def test_six_rounds_each_give_the_textbooks_interval() -> None:
    # The table of the rank sum test has the critical value 5 for 6 and 6 at 95 %: the sixth ratio from either end.
    assert ratio_coverage(6, 6, 6) == pytest.approx(1 - 2 * 19 / 924)
    values, base = [2.0, 4.0, 8.0, 16.0, 32.0, 64.0], [1.0] * 6
    interval = independent_ratio(values, base)
    assert interval is not None
    assert (interval.low, interval.median, interval.high, interval.n) == (2.0, 12.0, 64.0, 6)


def test_the_promise_is_kept_for_noise_with_a_long_tail() -> None:
    source = random.Random(1)
    covered = 0
    for _ in range(400):
        base = [source.lognormvariate(0, 0.5) for _ in range(6)]
        values = [1.3 * source.lognormvariate(0, 0.5) for _ in range(6)]
        interval = independent_ratio(values, base)
        assert interval is not None
        covered += interval.contains(1.3)
    assert covered / 400 > 0.93


def test_hundreds_of_rounds_are_no_reason_to_wait() -> None:
    source = random.Random(2)
    values, base = ([source.lognormvariate(0, 0.5) for _ in range(500)] for _ in range(2))
    began = time.process_time()
    interval = independent_ratio(values, base)
    # Counting orders one by one takes minutes; this is no measure of speed.
    assert time.process_time() - began < 30
    assert interval is not None
    assert interval.low < interval.median < interval.high
    assert interval.coverage == pytest.approx(0.95, abs=1e-3)


@pytest.mark.parametrize(("m", "n"), [(52, 52), (30, 120), (26, 400)])
def test_beyond_what_is_counted_the_interval_is_that_of_counting(
    m: int, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = random.Random(3)
    values, base = ([source.lognormvariate(0, 0.5) for _ in range(count)] for count in (m, n))
    quick = independent_ratio(values, base)
    monkeypatch.setattr(shift, "COUNTED", m * n)
    shift._rank.cache_clear()
    counted = independent_ratio(values, base)
    shift._rank.cache_clear()
    assert quick is not None
    assert counted is not None
    assert quick.low == pytest.approx(counted.low, rel=0.01)
    assert quick.high == pytest.approx(counted.high, rel=0.01)
    assert quick.coverage == pytest.approx(counted.coverage, abs=1e-3)


def test_too_few_values_give_a_range_and_none_give_nothing() -> None:
    interval = independent_ratio([2.0, 3.0], [1.0] * 9)
    assert interval is not None
    assert interval.is_range
    assert (interval.low, interval.high, interval.n) == (2.0, 3.0, 2)
    assert independent_ratio([], [1.0]) is None
    assert independent_ratio([1.0], [0.0, math.nan]) is None
