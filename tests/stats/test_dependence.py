"""Drift and streaks: how probable an order of rounds is, counted out, and the warnings that follow."""

from __future__ import annotations

import itertools
import random

import pytest

from imgstore_tui.stats.dependence import MOST_COUNTED, drift_probability, streak_probability
from imgstore_tui.stats.warnings import Noise, noise_warnings, order_warnings


def test_drift_is_as_probable_as_all_orders_say() -> None:
    orders = list(itertools.permutations(range(6)))
    for order in ((0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 0, 1), (0, 2, 1, 4, 3, 5)):
        least = min(_inversions(order), 15 - _inversions(order))
        expected = sum(min(_inversions(other), 15 - _inversions(other)) <= least for other in orders) / len(orders)
        assert drift_probability(order) == pytest.approx(expected)


def test_streaks_are_as_probable_as_all_orders_say() -> None:
    orders = set(itertools.permutations((0, 0, 0, 0, 1, 1, 1, 1)))
    for order in ((0, 0, 0, 0, 1, 1, 1, 1), (0, 1, 1, 0, 0, 0, 1, 1)):
        expected = sum(_runs(other) <= _runs(order) for other in orders) / len(orders)
        assert streak_probability(order) == pytest.approx(expected)


@pytest.mark.parametrize("n", [12, MOST_COUNTED + 20])
def test_chance_is_seldom_taken_for_dependence(n: int) -> None:
    source = random.Random(n)
    warned = sum(bool(order_warnings([source.gauss(1.0, 0.05) for _ in range(n)], "Rounds")) for _ in range(2000))
    assert warned <= 10


def test_rounds_that_grow_slower_are_warned_of() -> None:
    (warning,) = noise_warnings([1.0 + number / 200 for number in range(9)])
    assert warning.kind is Noise.DRIFT
    assert warning.text == "Rounds drift: the last third lies at 1.03 times the first."
    assert "independent rounds" in warning.advice


def test_rounds_that_come_in_streaks_are_warned_of() -> None:
    low, high = [1.0, 1.01, 1.005, 1.002, 1.004], [1.04, 1.05, 1.045, 1.03, 1.035, 1.05, 1.041, 1.033, 1.036, 1.042]
    values = [*low, *high, *reversed(low)]
    (warning,) = noise_warnings(values)
    assert warning.kind is Noise.STREAKS


def test_few_or_equal_values_say_nothing() -> None:
    for values in ([], [1.0], [1.0] * 20, [1.0, 2.0, 3.0]):
        assert order_warnings(values, "Rounds") == ()


def _inversions(order: tuple[int, ...]) -> int:
    return sum(first > second for first, second in itertools.combinations(order, 2))


def _runs(order: tuple[int, ...]) -> int:
    return 1 + sum(first != second for first, second in itertools.pairwise(order))
