"""A run against several base runs: how often chance is called a loss, and how often a loss is found; seeded."""

from __future__ import annotations

import math
import random
from functools import partial

import pytest

from imgstore_tui.stats.holm import holm_intervals
from imgstore_tui.stats.intervals import Interval
from imgstore_tui.stats.run_spread import FEWEST_BASES, RunShift, run_shift

ROUNDS, NOISE, MACHINE, CELL, MARGIN = 12, 0.05, 0.03, 0.02, 1.05


def simulated_run(
    source: random.Random,
    cells: int,
    slower: dict[int, float] | None = None,
    machine_spread: float = MACHINE,
    cell_spread: tuple[float, ...] = (CELL,),
) -> list[list[float]]:
    machine = source.gauss(0.0, machine_spread)
    offsets = [
        machine + source.gauss(0.0, cell_spread[cell % len(cell_spread)]) + math.log((slower or {}).get(cell, 1.0))
        for cell in range(cells)
    ]
    return [[math.exp(offset + source.gauss(0.0, NOISE)) for _ in range(ROUNDS)] for offset in offsets]


def simulated_shift(source: random.Random, cells: int, slower: dict[int, float] | None = None) -> RunShift:
    bases = [simulated_run(source, cells) for _ in range(5)]
    return run_shift(simulated_run(source, cells, slower), bases)


def is_worse(shift: RunShift) -> bool:
    whole = shift.whole is not None and shift.whole.low > 1.0 and shift.whole.median > MARGIN
    return whole or any(cell.is_slower() and cell.judged.median > MARGIN for cell in shift.cells)


@pytest.mark.parametrize(
    ("cells", "runs"), [(1, 100), (2, 100), *(pytest.param(cells, 400, marks=pytest.mark.full) for cells in (2, 9))]
)
def test_chance_is_called_a_loss_at_most_in_one_comparison_of_twenty(cells: int, runs: int) -> None:
    source = random.Random(f"same/{cells}")
    assert sum(is_worse(simulated_shift(source, cells)) for _ in range(runs)) <= 0.05 * runs


@pytest.mark.parametrize("slower", [range(1), range(9)])
def test_a_loss_of_a_fifth_is_found_in_nine_of_ten(slower: range) -> None:
    source = random.Random(f"loss/{slower}")
    assert sum(is_worse(simulated_shift(source, 9, dict.fromkeys(slower, 1.2))) for _ in range(40)) >= 0.9 * 40


def test_a_loss_in_one_of_two_cells_is_found_as_often() -> None:
    source = random.Random("two")
    assert sum(is_worse(simulated_shift(source, 2, {0: 1.2})) for _ in range(200)) >= 0.9 * 200


@pytest.mark.full
@pytest.mark.parametrize(
    "spread", [(0.06, (0.005, 0.005)), (0.0, (0.04, 0.04)), (0.03, (0.02, 0.06)), (0.03, (0.02, 0.3))]
)
def test_two_cells_whose_spreads_are_alike_or_not_are_seldom_called_slower(
    spread: tuple[float, tuple[float, ...]],
) -> None:
    source, runs = random.Random(str(spread)), 1000

    def drawn() -> list[list[float]]:
        return simulated_run(source, 2, None, *spread)

    wrong = sum(is_worse(run_shift(drawn(), [drawn() for _ in range(5)])) for _ in range(runs))
    assert wrong <= 0.05 * runs + 2 * math.sqrt(0.05 * 0.95 * runs)


def test_what_did_not_change_is_no_loss_where_the_rest_got_faster() -> None:
    source = random.Random("rest")
    faster = dict.fromkeys(range(6), 0.7)
    shifts = [simulated_shift(source, 9, faster) for _ in range(40)]
    assert sum(is_worse(shift) for shift in shifts) <= 0.1 * 40


def test_a_cell_that_is_restless_between_runs_is_judged_by_its_own_spread() -> None:
    source = random.Random(3)

    def run(jump: float) -> list[list[float]]:
        calm = simulated_run(source, 20)
        return [[seconds * math.exp(jump) for seconds in calm[0]], *calm[1:]]

    bases = [run(jump) for jump in (-0.4, 0.3, -0.2, 0.4, -0.1)]
    assert not run_shift(run(0.4), bases).cells[0].is_slower()
    assert run_shift(run(0.4), [run(0.0) for _ in range(5)]).cells[0].is_slower()


def test_a_run_of_few_rounds_is_granted_their_noise() -> None:
    source = random.Random(4)
    bases = [simulated_run(source, 9) for _ in range(5)]
    whole = simulated_run(source, 9)
    noisy = [[seconds * factor for factor in (0.7, 1.4)] for seconds, *_ in whole]
    long, short = (run_shift(run, bases).cells[0].judged for run in (whole, noisy))
    assert short.high / short.low > 2 * long.high / long.low


def test_equal_runs_have_intervals_and_few_bases_none() -> None:
    run = [[1.0] * 6] * 4
    shift = run_shift(run, [run] * FEWEST_BASES)
    assert shift.whole is not None
    assert shift.whole.low <= 1.0 <= shift.whole.high
    assert not is_worse(shift)
    with pytest.raises(ValueError, match="base runs or more"):
        run_shift(run, [run] * (FEWEST_BASES - 1))


def at(p: float, level: float) -> Interval:
    """Return the interval of a comparison with the one-sided probability ``p``: beyond 1 at all levels from there."""
    return Interval(1.1, 1.01 if level >= p else 0.99, 1.3, 1 - 2 * level, 6)


def test_holm_rejects_what_the_textbook_rejects() -> None:
    def rejected(*chances: float) -> list[bool]:
        intervals = holm_intervals([partial(at, p) for p in chances], 0.05, 1.0)
        return [interval is not None and interval.low > 1.0 for interval in intervals]

    # Bonferroni alone would stop at the first: 0.05 / 4 = 0.0125.
    assert rejected(0.01, 0.016, 0.024, 0.049) == [True, True, True, True]
    assert rejected(0.01, 0.02, 0.024, 0.049) == [True, False, False, False]
    assert rejected(0.02, 0.02, 0.02, 0.02) == [False] * 4
    assert rejected() == []
