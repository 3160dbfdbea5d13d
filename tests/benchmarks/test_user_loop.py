"""Tests when the benchmark of a user's loop says that times agree, and what it takes from the answer."""

from __future__ import annotations

import pytest

from imgstore_tui.stats.intervals import Interval
from tests.benchmarks.user_loop import SENTENCES, verdict_of


@pytest.mark.parametrize(
    ("spans", "verdict"),
    [
        ([(0.9, 1.2), (0.7, 1.5)], "agrees"),
        ([(0.9, 1.2), (1.4, 1.6)], "undecided"),
        ([(0.6, 1.2), (1.0, 1.1)], "undecided"),
        ([(0.9, 1.2), (1.6, 3.0)], "differs"),
        ([(0.3, 0.6), (1.0, 1.1)], "differs"),
        ([(0.6, 1.2), (1.6, 3.0)], "differs"),
    ],
)
def test_both_ratios_must_lie_within_the_factor(spans: list[tuple[float, float]], verdict: str) -> None:
    assert verdict_of([Interval((low + high) / 2, low, high, 0.95, 9) for low, high in spans]) == verdict


def test_the_sentences_on_single_reads_are_taken_from_the_answer() -> None:
    one = "Asked for one by one an image takes 4.7 µs (get-one), 5 times as long as by calls of up to 64 images."
    short = "Single reads are timed each by itself, with label and checks: microseconds that a bare loop does not have."
    assert SENTENCES.findall(f"Take lmdb: it is fast. On disk: 4 MB. {one} {short} All was read from memory.") == [
        one, short,
    ]  # fmt: skip
