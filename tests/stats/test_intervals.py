"""Medians and their intervals, against numbers worked out by hand and against brute force."""

import itertools
import random

import pytest

from imgstore_tui.stats.intervals import median_absolute_deviation, median_coverage, median_interval, relative_spread


def test_six_values_give_their_extremes_with_the_exact_coverage() -> None:
    interval = median_interval([5.0, 1.0, 4.0, 2.0, 6.0, 3.0])
    assert (interval.median, interval.low, interval.high) == (3.5, 1.0, 6.0)
    assert interval.coverage == 1 - 2 / 64
    assert not interval.is_range
    assert interval.n == 6


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_below_six_values_there_is_only_a_range(n: int) -> None:
    interval = median_interval([float(value) for value in range(n)])
    assert interval.is_range
    assert (interval.low, interval.high) == (0.0, n - 1.0)


@pytest.mark.parametrize(
    ("n", "low_rank", "percent"),  # the table of Le Boudec, Performance Evaluation, annex A (p = 0.5, level 95 %)
    [
        (6, 1, 96.9),
        (7, 1, 98.4),
        (8, 1, 99.2),
        (9, 2, 96.1),
        (10, 2, 97.9),
        (12, 3, 96.1),
        (16, 4, 97.9),
        (25, 8, 95.7),
    ],
)
def test_ranks_agree_with_the_printed_table(n: int, low_rank: int, percent: float) -> None:
    interval = median_interval([float(value) for value in range(1, n + 1)])
    assert interval.low == low_rank
    assert interval.high == n + 1 - low_rank
    assert interval.coverage is not None
    assert interval.coverage * 100 == pytest.approx(percent, abs=0.05)


@pytest.mark.parametrize("n", [100, 1023, 1024, 5000])
@pytest.mark.sample_first
def test_many_values_have_the_narrowest_interval_that_is_sure_enough(n: int) -> None:
    interval = median_interval([float(value) for value in range(1, n + 1)])
    assert interval.coverage is not None
    assert (
        median_coverage(n, int(interval.low) + 1) < 0.95 <= interval.coverage == median_coverage(n, int(interval.low))
    )
    assert interval.low + interval.high == n + 1
    # The normal approximation of the binomial is good here.
    assert interval.low == pytest.approx(n / 2 - 0.98 * n**0.5, abs=1.5)


def test_coverage_agrees_with_counting_all_outcomes() -> None:
    for n, rank in [(4, 1), (7, 2), (8, 3)]:
        outcomes = list(itertools.product([0, 1], repeat=n))  # each value is below (1) or above the true median
        inside = sum(rank <= sum(outcome) <= n - rank for outcome in outcomes)
        assert median_coverage(n, rank) == inside / len(outcomes)


def test_the_promise_is_kept_on_skewed_noise() -> None:
    source = random.Random(1)
    hits = sum(
        median_interval([source.expovariate(1.0) for _ in range(6)]).contains(0.6931471805599453) for _ in range(4000)
    )
    assert hits / 4000 == pytest.approx(1 - 2 / 64, abs=0.012)


@pytest.mark.parametrize("values", [[], [float("nan")], [1.0, float("inf")]])
def test_nothing_and_no_numbers_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one value"):
        median_interval(values)


def test_spread() -> None:
    assert median_absolute_deviation([1.0, 2.0, 4.0, 8.0, 100.0]) == 3.0
    assert relative_spread([9.0, 10.0, 11.0]) == pytest.approx(0.14826)
    assert relative_spread([1.0]) is None
    assert relative_spread([0.0, 0.0]) is None
