"""Which numbers of images a round measures when time is short."""

from __future__ import annotations

import math
from dataclasses import replace

from imgstore_tui.bench.plan.grid import plan_blocks
from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.plan.stop_rule import StopRule
from imgstore_tui.bench.run.round_scope import Group, RoundScope, group_of
from imgstore_tui.core.model import Plan

PLAN = named_plan("quick")
FEW, MORE, MOST = (("synthetic", cutoff) for cutoff in PLAN.cutoffs)


class SomeSettled(StopRule):
    """A rule by which the cells of some numbers of images need no further round."""

    settled: frozenset[int] = frozenset()

    def is_settled(self, cell: object) -> bool:
        return getattr(cell, "cutoff", None) in self.settled


def scope_after(
    seconds: float, rounds: int = 1, plan: Plan = PLAN, settled: frozenset[int] = frozenset()
) -> RoundScope:
    """A scope after rounds in which each number of images took so many seconds."""
    blocks = plan_blocks(plan)
    rule = SomeSettled(plan, [cell for block in blocks for cell in block.cells])
    rule.settled = settled
    scope = RoundScope(plan, blocks, rule, lambda _: 0.1)
    for _ in range(rounds):
        scope.add_round({group_of(block): seconds for block in blocks})
    return scope


def every() -> frozenset[Group]:
    return frozenset({FEW, MORE, MOST})


def test_the_first_round_measures_the_most_images_the_second_the_others_too() -> None:
    first = scope_after(1.0, rounds=0)
    assert first.groups(60.0) == {MOST}
    first.add_round({MOST: 1.0})
    assert first.groups(59.0) == every()


def test_what_was_not_measured_is_taken_to_cost_as_much_as_more_images() -> None:
    scope = scope_after(1.0, rounds=0)
    scope.add_round({MOST: 4.0})
    assert scope.groups(56.0) == {MOST}


def test_with_time_enough_every_round_measures_everything() -> None:
    assert scope_after(0.5).groups(59.0) == every()
    assert scope_after(1e6).groups(math.inf) == every()


def test_when_time_is_short_the_most_images_keep_it() -> None:
    assert scope_after(3.5).groups(50.0) == {MOST}


def test_fewer_images_keep_it_where_the_most_cannot_have_a_verdict() -> None:
    blocks = plan_blocks(PLAN)
    scope = RoundScope(PLAN, blocks, StopRule(PLAN, [cell for block in blocks for cell in block.cells]), lambda _: 0.1)
    scope.add_round({FEW: 1.0, MORE: 3.0, MOST: 20.0})
    assert scope.groups(40.0) >= {MORE}
    assert MOST not in scope.groups(40.0)


def test_where_nothing_can_have_a_verdict_everything_goes_on() -> None:
    assert scope_after(50.0).groups(10.0) == every()


def test_after_a_verdict_the_run_ends_before_its_budget() -> None:
    after = scope_after(3.5, rounds=9, settled=frozenset({PLAN.cutoffs[-1]}))
    assert after.groups(14.0) == frozenset()
    assert MOST not in after.groups(50.0)


def test_a_plan_without_looks_is_never_cut() -> None:
    assert scope_after(50.0, plan=replace(PLAN, looks=False)).groups(10.0) == every()
