"""The interval by signed ranks: against all signs, and against the ends that it has for few rounds."""

from __future__ import annotations

import itertools

import pytest

from imgstore_tui.stats.signed_rank import signed_rank_coverage, signed_rank_ratio

RATIOS = [1.3, 0.9, 1.7, 1.1, 2.0, 1.05, 1.5, 1.2, 0.8, 1.6]


def test_six_rounds_reach_from_the_least_to_the_greatest_ratio() -> None:
    interval = signed_rank_ratio(RATIOS[:6], 0.95)
    assert interval is not None
    assert [interval.low, interval.high] == [pytest.approx(0.9), pytest.approx(2.0)]
    assert interval.coverage == 1 - 2 / 64


def test_ten_rounds_leave_out_as_many_averages_as_all_signs_allow() -> None:
    # Of the sums of positive ranks of ten rounds, those below 9 have at most 2.5 %: the ninth average is the end.
    sums = [sum(rank for rank, sign in zip(range(1, 11), signs, strict=True) if sign)
            for signs in itertools.product((0, 1), repeat=10)]  # fmt: skip
    below = [sum(total < rank for total in sums) / len(sums) for rank in (9, 10)]
    assert below[0] <= 0.025 < below[1]
    assert signed_rank_coverage(10, 9) == pytest.approx(1 - 2 * below[0])
    averages = sorted((a * b) ** 0.5 for a, b in itertools.combinations_with_replacement(RATIOS, 2))
    interval = signed_rank_ratio(RATIOS, 0.95)
    assert interval is not None
    assert [interval.low, interval.high] == [pytest.approx(averages[8]), pytest.approx(averages[-9])]
