"""Tests the verdicts of the benchmark that compares the instrument with a bare script."""

from __future__ import annotations

import pytest

from tests.benchmarks.agreement import verdict_of


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.98, 1.02, "agrees"),
        (0.97, 1.03, "agrees"),
        (0.96, 1.02, "undecided"),
        (0.99, 1.04, "undecided"),
        (0.5, 2.0, "undecided"),
        (1.04, 1.2, "differs"),
        (0.8, 0.96, "differs"),
    ],
)
def test_an_interval_agrees_only_as_a_whole(low: float, high: float, verdict: str) -> None:
    assert verdict_of(low, high) == verdict
