"""Looks: when methods are compared, how often a comparison errs, and what it misses; seeded simulations."""

from __future__ import annotations

import math
import random

import pytest

from imgstore_tui.stats.looks import final_look, last_look, pairs, schedule_looks
from imgstore_tui.stats.ranking import Placement, Standing, rank_contestants
from imgstore_tui.stats.signed_rank import fewest_rounds

WEATHER = 0.1
"""Standard deviation of what a round does to all methods alike."""
CELLS = 17


def rounds_of(
    source: random.Random, methods: int, count: int, noise: float, slowest: float = 1.0
) -> dict[str, dict[int, float]]:
    """Return rounds of methods that take the same time but for noise, the last of them ``slowest`` times as long."""
    weather = [source.gauss(0.0, WEATHER) for _ in range(count)]
    factors = [0.0] * (methods - 1) + [math.log(slowest)]
    return {
        f"method{index}": {
            number: math.exp(shared + factor + source.gauss(0.0, noise)) for number, shared in enumerate(weather)
        }
        for index, factor in enumerate(factors)
    }


def standings_at_looks(
    contestants: dict[str, dict[int, float]], count: int, cells: int = 1
) -> list[tuple[Standing, ...]]:
    looks = schedule_looks(len(contestants), count)
    return [rank_contestants(contestants, look, cells=cells) for look in looks]


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
    assert ended.error == pytest.approx(0.05 - 2 * looks[0].error)
    early = final_look(looks, 7)
    assert early is not None
    assert early.rounds == 7
    assert early.error == pytest.approx(0.05)


@pytest.mark.parametrize("methods", [3, 5])
@pytest.mark.parametrize(("noise", "rounds"), [(0.05, 12), (0.10, 25)])
def test_a_fifth_slower_is_found_in_nine_plans_of_ten(methods: int, noise: float, rounds: int) -> None:
    source = random.Random(f"{methods}/{noise}")
    plans, seen = 200, 0
    for _ in range(plans):
        contestants = rounds_of(source, methods, rounds, noise, 1.2)
        planted = f"method{methods - 1}"
        seen += any(
            entry.placement is Placement.SLOWER
            for standings in standings_at_looks(contestants, rounds)
            for entry in standings
            if entry.name == planted
        )
    assert seen >= 0.9 * plans


@pytest.mark.parametrize("methods", [3, 5])
def test_it_is_found_where_nine_cells_are_to_hold_together_too(methods: int) -> None:
    source = random.Random(f"headline/{methods}")
    plans, seen = 200, 0
    for _ in range(plans):
        found = standings_at_looks(rounds_of(source, methods, 12, 0.05, 1.2), 12, cells=9)
        seen += any(entry.placement is Placement.SLOWER for standings in found for entry in standings)
    assert seen >= 0.9 * plans


@pytest.mark.parametrize("methods", [3, 5, 10])
def test_equal_methods_are_seldom_told_apart_in_a_run_of_seventeen_cells(methods: int) -> None:
    source = random.Random(f"equal/{methods}")
    runs, slower, lone, told_apart = 40, 0, 0, 0
    for _ in range(runs):
        run = [
            standings
            for _ in range(CELLS)
            for standings in standings_at_looks(rounds_of(source, methods, 12, 0.05), 12, CELLS)
        ]
        slower += any(entry.placement is Placement.SLOWER for standings in run for entry in standings)
        lone += any(all(entry.placement is not Placement.TIE for entry in standings) for standings in run)
        told_apart += any(entry.is_little_slower for standings in run for entry in standings)
    assert slower <= 0.05 * runs
    assert lone <= 0.05 * runs
    # Even *a little slower* is kept to the level; of so few runs chance may add a few.
    assert told_apart <= 0.05 * runs + 2 * math.sqrt(0.05 * 0.95 * runs)
