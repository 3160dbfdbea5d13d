"""Tests the verdicts and exit codes of the benchmarks that compare times."""

from __future__ import annotations

import pytest

from imgstore_tui.stats.intervals import median_interval
from tests.benchmarks.verdicts import exit_code, verdict_of


@pytest.mark.parametrize(
    ("ratios", "target", "verdict"),
    [
        ([1.0, 1.1, 1.2, 1.3, 1.4, 1.5], 0.9, "ok"),
        ([0.8, 0.85, 1.0, 1.1, 1.2, 1.3], 0.9, "ok"),
        ([0.7, 0.75, 0.8, 0.85, 0.95, 1.3], 0.9, "unsure"),
        ([0.5, 0.6, 0.7, 0.75, 0.8, 0.85], 0.9, "below"),
        ([1.0, 1.1, 1.2, 1.3, 1.4, 1.5], 2.0, "below"),
        ([0.5], 0.9, "unsure"),
        ([0.5, 3.0, 3.0], 0.9, "unsure"),
        ([1.0], 0.9, "ok"),
    ],
)
def test_only_a_whole_interval_of_enough_rounds_is_below_its_target(
    ratios: list[float], target: float, verdict: str
) -> None:
    assert verdict_of(median_interval(ratios), target) == verdict


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([], 0),
        (["ok", "-", "ok"], 0),
        (["ok", "unsure"], 3),
        (["unsure", "below", "ok"], 1),
        (["ok", "failed", "unsure"], 1),
    ],
)
def test_the_worst_row_decides_the_exit_code(verdicts: list[str], code: int) -> None:
    assert exit_code(verdicts) == code


def test_nothing_to_compare_with_is_no_verdict() -> None:
    assert verdict_of(None) == "-"
