"""The statistics against SciPy's, wherever it has the same: distributions, intervals, and the tests behind verdicts."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from imgstore_tui.stats.intervals import median_absolute_deviation, median_coverage, median_interval, relative_spread
from imgstore_tui.stats.looks import Look
from imgstore_tui.stats.ranking import MARGIN, Placement, rank_contestants
from imgstore_tui.stats.ratios import paired_ratio
from imgstore_tui.stats.shift import COUNTED, FEW, independent_ratio, ratio_coverage
from imgstore_tui.stats.signed_rank import MOST_COUNTED, signed_rank_coverage, signed_rank_ratio
from imgstore_tui.stats.student import student_quantile, student_ratio, student_tail
from imgstore_tui.stats.warnings import LARGEST_DEVIATION, LARGEST_SWING, Noise, noise_warnings

scipy_stats: Any = pytest.importorskip("scipy.stats", reason="scipy is not installed (extra dev)")

SEEDS = range(60)
LEVEL = 0.05


def timings(source: random.Random, count: int, factor: float = 1.0, spread: float = 0.2) -> list[float]:
    return [factor * source.lognormvariate(0.0, spread) for _ in range(count)]


@pytest.mark.parametrize("n", [1, 2, 5, 6, 7, 12, 25, 100, 501])
def test_coverage_is_that_of_the_binomial_distribution(n: int) -> None:
    for rank in range(1, (n + 1) // 2 + 1):
        expected = 1 - 2 * scipy_stats.binom.cdf(rank - 1, n, 0.5)
        assert median_coverage(n, rank) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_median_interval_is_that_of_the_quantile_test(seed: int) -> None:
    source = random.Random(seed)
    values = timings(source, source.randint(6, 120), spread=1.0)
    ours = median_interval(values)
    theirs = scipy_stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    assert (ours.low, ours.high) == (theirs.low, theirs.high)


@pytest.mark.parametrize("n", range(2, 6))
def test_of_too_few_values_scipy_has_no_interval_either(n: int) -> None:
    theirs = scipy_stats.quantile_test([float(value) for value in range(n)], p=0.5).confidence_interval(0.95)
    assert str(theirs.low) == str(theirs.high) == "nan"
    assert median_interval([float(value) for value in range(n)]).is_range


@pytest.mark.parametrize("seed", SEEDS)
def test_spreads(seed: int) -> None:
    source = random.Random(seed)
    values = timings(source, source.randint(3, 40), spread=source.choice([0.02, 0.05, 0.1, 0.3]))
    deviation = scipy_stats.median_abs_deviation(values)
    assert median_absolute_deviation(values) == pytest.approx(deviation)
    normal = scipy_stats.median_abs_deviation(values, scale="normal") / scipy_stats.scoreatpercentile(values, 50)
    assert relative_spread(values) == pytest.approx(normal, rel=1e-4)
    if len(values) < 6:  # of more, outliers are looked at before the spread
        mean = scipy_stats.tmean(values)
        swing = max(scipy_stats.tmax(values) - mean, mean - scipy_stats.tmin(values)) / mean
        wide = scipy_stats.variation(values, ddof=1) >= LARGEST_DEVIATION or swing >= LARGEST_SWING
        assert (Noise.SPREAD in {warning.kind for warning in noise_warnings(values)}) == wide


@pytest.mark.parametrize("seed", SEEDS)
def test_slower_is_what_the_sign_test_says(seed: int) -> None:
    source = random.Random(seed)
    count = source.randint(6, 40)
    base = dict(enumerate(timings(source, count)))
    other = {number: value * source.lognormvariate(0.1, 0.2) for number, value in base.items()}
    interval = paired_ratio(other, base)
    assert interval is not None
    above = sum(other[number] > base[number] for number in base)
    differ = scipy_stats.binomtest(above, count, 0.5).pvalue <= LEVEL
    assert (not interval.contains(1.0)) == differ


@pytest.mark.parametrize("seed", SEEDS)
def test_slower_is_what_the_signed_rank_test_says(seed: int) -> None:
    source = random.Random(seed)
    count = source.randint(6, 40)
    base = dict(enumerate(timings(source, count)))
    other = {number: value * source.lognormvariate(0.2, 0.2) for number, value in base.items()}
    best, second = rank_contestants({"base": base, "other": other}, Look(count, LEVEL))
    assert best.placement is Placement.BEST
    slow, fast = (other, base) if second.name == "other" else (base, other)
    beyond = [math.log(slow[number] / fast[number] / MARGIN) for number in base]
    differ = scipy_stats.wilcoxon(beyond, method="exact", alternative="greater").pvalue <= LEVEL / 2
    assert (second.placement is Placement.SLOWER) == differ


@pytest.mark.parametrize("seed", SEEDS)
def test_a_ratio_by_t_is_that_of_the_paired_t_test(seed: int) -> None:
    source = random.Random(seed)
    ratios = timings(source, source.randint(2, 40), spread=source.choice([0.01, 0.1, 1.0]))
    ours = student_ratio(ratios, 0.99)
    theirs = scipy_stats.ttest_1samp([math.log(ratio) for ratio in ratios], 0.0).confidence_interval(0.99)
    assert (math.log(ours.low), math.log(ours.high)) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize("freedom", [1, 2.5, 5, 8, 24, 64, 300])
def test_students_t(freedom: float) -> None:
    for probability in (0.5, 0.9, 0.975, 0.999, 1 - 1e-6):
        quantile = scipy_stats.t.ppf(probability, freedom)
        assert student_quantile(probability, freedom) == pytest.approx(quantile, abs=1e-9)
        assert student_tail(quantile, freedom) == pytest.approx(1 - probability)
        assert student_tail(-quantile, freedom) == pytest.approx(probability)


@pytest.mark.parametrize("n", [2, 6, 9, 12, 25, MOST_COUNTED, MOST_COUNTED + 1, 200])
def test_coverage_by_signed_ranks(n: int) -> None:
    for rank in range(1, n * (n + 1) // 4, 1 + n * n // 40):
        values = sorted(range(1, n + 1))
        if n <= 25:
            signed = [-value for value in values]
            total, remaining = 0, rank - 1
            for index in reversed(range(n)):
                if values[index] <= remaining:
                    signed[index], remaining, total = values[index], remaining - values[index], total + values[index]
            expected = 1 - 2 * scipy_stats.wilcoxon(signed, method="exact", alternative="less").pvalue
            assert total == rank - 1
            assert signed_rank_coverage(n, rank) == pytest.approx(expected, abs=1e-12)
        else:
            deviation = (n * (n + 1) * (2 * n + 1) / 24) ** 0.5
            expected = 1 - 2 * scipy_stats.norm.cdf((rank - 0.5 - n * (n + 1) / 4) / deviation)
            assert signed_rank_coverage(n, rank) == pytest.approx(expected, abs=5e-3)


def test_the_middle_by_signed_ranks_is_the_median_of_all_averages() -> None:
    ratios = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
    interval = signed_rank_ratio(ratios, 0.95)
    assert interval is not None
    assert interval.median == pytest.approx(8.0)
    assert signed_rank_ratio(ratios, 0.99) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_independent_ratio_excludes_one_where_the_exact_rank_sum_test_does(seed: int) -> None:
    source = random.Random(seed)
    values = timings(source, source.randint(6, 30), factor=source.choice([1.0, 1.1, 1.2]))
    base = timings(source, source.randint(6, 30))
    interval = independent_ratio(values, base)
    assert interval is not None
    pvalue = scipy_stats.mannwhitneyu(values, base, method="exact").pvalue
    assert (not interval.contains(1.0)) == (pvalue <= LEVEL)


def rank_sum_test(m: int, n: int, statistic: int, method: str) -> Any:
    """Return SciPy's one-sided test of m and n values whose rank sum statistic is given."""
    whole, part = divmod(statistic, n)
    values = [-1.0 - number for number in range(m)]
    values[:whole] = [n + float(number) for number in range(whole)]
    if part:
        values[whole] = part - 0.5
    test = scipy_stats.mannwhitneyu(values, [float(value) for value in range(n)], alternative="less", method=method)
    assert test.statistic == statistic
    return test


@pytest.mark.parametrize("m", [6, 9, 17])
@pytest.mark.parametrize("n", [6, 8, 20])
def test_coverage_of_ratios_is_that_of_the_rank_sum_statistic(m: int, n: int) -> None:
    for rank in range(1, m * n // 2 + 1):
        expected = 1 - 2 * rank_sum_test(m, n, rank - 1, "exact").pvalue
        assert ratio_coverage(m, n, rank) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("m", "n"), [(51, 51), (60, 90), (300, 40)])
def test_of_many_values_coverage_is_that_of_the_normal_approximation(m: int, n: int) -> None:
    assert m * n > COUNTED
    assert min(m, n) > FEW
    for rank in range(m * n // 4, m * n // 2, 50):
        expected = 1 - 2 * rank_sum_test(m, n, rank - 1, "asymptotic").pvalue
        assert ratio_coverage(m, n, rank) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_of_many_values_the_approximation_is_scipys(seed: int) -> None:
    source = random.Random(seed)
    m, n = source.randint(51, 90), source.randint(51, 90)
    values, base = timings(source, m, factor=source.choice([1.0, 1.05, 1.1])), timings(source, n)
    interval = independent_ratio(values, base)
    assert interval is not None
    pvalue = scipy_stats.mannwhitneyu(values, base, method="asymptotic").pvalue
    assert (not interval.contains(1.0)) == (pvalue <= LEVEL)
