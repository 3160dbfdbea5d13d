"""Looks: when methods are compared, how often a comparison errs, and what it misses; seeded simulations."""

from __future__ import annotations

import math

import pytest

from imgstore_tui.bench.plan.error_parts import error_parts
from imgstore_tui.stats.looks import final_look, last_look, pairs, schedule_looks
from imgstore_tui.stats.signed_rank import fewest_rounds
from tests.support.simulated_rounds import contests_of, false_rates, share_found

CELLS = 17


def test_n_rounds_reach_two_to_the_power_of_one_less() -> None:
    assert [fewest_rounds(level) for level in (0.5, 0.05, 2**-7, 2**-7 - 1e-6)] == [2, 6, 8, 9]


def test_the_first_look_is_where_the_exact_test_reaches_its_level() -> None:
    assert [schedule_looks(methods, 25)[0].rounds for methods in (2, 3, 5, 10)] == [8, 9, 11, 13]
    for methods in (2, 3, 5, 10):
        first = schedule_looks(methods, 25)[0]
        assert 2.0 ** (1 - first.rounds) <= first.error / pairs(methods) < 2.0 ** (2 - first.rounds)


@pytest.mark.parametrize("methods", [2, 3, 5, 10])
@pytest.mark.parametrize("rounds", [6, 9, 12, 25, 100])
def test_the_looks_spend_the_error_once(methods: int, rounds: int) -> None:
    looks = schedule_looks(methods, rounds)
    counts = [look.rounds for look in looks]
    assert counts == sorted(set(counts))
    assert counts[-1] == rounds
    assert sum(look.error for look in looks) == pytest.approx(0.05)


def test_five_rounds_or_fewer_have_no_look() -> None:
    assert schedule_looks(3, 5) == ()
    assert final_look(schedule_looks(3, 12), 5) is None


def test_looks_that_are_reached_and_the_one_at_the_end() -> None:
    looks = schedule_looks(3, 25)
    assert last_look(looks, 8) is None
    assert last_look(looks, 13) == looks[1]
    assert final_look(looks, 12) == looks[1]
    ended = final_look(looks, 14)
    assert ended is not None
    assert ended.rounds == 14
    assert ended.error == pytest.approx(0.05 - looks[0].error - looks[1].error)
    early = final_look(looks, 7)
    assert early is not None
    assert early.rounds == 7
    assert early.error == pytest.approx(0.05)


PLANS = [(3, 0.05, 12), (5, 0.05, 12), (3, 0.10, 25), (5, 0.10, 25)]


@pytest.mark.parametrize(("methods", "noise", "rounds"), PLANS)
def test_a_fifth_slower_is_found_in_nine_plans_of_ten(methods: int, noise: float, rounds: int) -> None:
    assert share_found(methods, rounds, noise, 200) >= 0.9


@pytest.mark.parametrize(
    ("methods", "noise", "rounds"), [PLANS[0], *(pytest.param(*plan, marks=pytest.mark.full) for plan in PLANS[1:])]
)
def test_it_is_found_in_the_cell_that_decides_where_nine_are_to_hold_together(
    methods: int, noise: float, rounds: int
) -> None:
    part = error_parts(contests_of(9))[contests_of(1)[0]]
    assert share_found(methods, rounds, noise, 400, part) >= 0.9


@pytest.mark.parametrize("methods", [3, 5, 10])
def test_equal_methods_are_seldom_told_apart_in_a_run_of_seventeen_cells(methods: int) -> None:
    rates = false_rates(methods, CELLS, 12, 0.05, runs=40)
    assert max(rates.slower, rates.lone) <= 0.05 * rates.runs
    # Even *a little slower* is kept to the level; of so few runs chance may add a few.
    assert rates.little_slower <= 0.05 * rates.runs + 2 * math.sqrt(0.05 * 0.95 * rates.runs)
