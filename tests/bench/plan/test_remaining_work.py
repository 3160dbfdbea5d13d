"""What is left of a run is weighed by cost, and the budget bounds the time that is given."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from imgstore_tui.bench.plan.remaining_work import RemainingWork
from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import CacheState, Operation

SMALL = Cell("synthetic", "lmdb", Operation.READ_MANY, 10, CacheState.HOT, None)
LARGE = replace(SMALL, cutoff=10_000)


def work() -> RemainingWork:
    return RemainingWork([SMALL, LARGE], 2, {"synthetic": 3072.0})


def test_all_rounds_of_all_cells_are_left_at_first() -> None:
    assert work().cells == (SMALL, LARGE)
    assert work().seconds == pytest.approx(2 * (work().expect(SMALL) + work().expect(LARGE)))


def test_a_finished_trial_is_no_longer_left() -> None:
    remaining = work()
    remaining.finish(LARGE)
    assert remaining.seconds == pytest.approx(2 * remaining.expect(SMALL) + remaining.expect(LARGE))
    remaining.finish(LARGE)
    remaining.finish(LARGE)
    assert remaining.seconds == pytest.approx(2 * remaining.expect(SMALL))


def test_what_trials_took_is_spent_and_expected_of_those_left() -> None:
    remaining = work()
    remaining.finish(LARGE)
    remaining.learn(LARGE, 6.0)
    assert remaining.spent_s == 6.0
    assert remaining.seconds == pytest.approx(6.0 + 2 * remaining.expect(SMALL))


def test_progress_is_the_share_of_the_cost() -> None:
    remaining = work()
    remaining.learn(LARGE, 10.0)
    progress = remaining.progress(7, 30.0, math.inf, expected_s=10.0, share=0.5, known=True)
    assert (progress.images_done, progress.remaining_s) == (7, 25.0)
    assert progress.fraction == pytest.approx(1 - 25 / 40)


def test_no_time_is_given_before_anything_was_measured() -> None:
    assert work().progress(0, 30.0, math.inf, known=False).remaining_s is None


def test_the_budget_bounds_the_time_but_the_running_trial_ends() -> None:
    remaining = work()
    assert remaining.progress(0, 30.0, 5.0, known=True).remaining_s == 5.0
    assert not remaining.progress(0, 30.0, 5.0, known=True).past_budget
    beyond = remaining.progress(0, 30.0, -1.0, expected_s=8.0, share=0.25, known=True)
    assert (beyond.remaining_s, beyond.past_budget) == (6.0, True)


def test_a_run_with_nothing_to_do_is_done() -> None:
    assert RemainingWork([], 1, {}).progress(0, 0.0, math.inf, known=False).fraction == 1.0
