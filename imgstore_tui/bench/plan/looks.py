"""Fixes the looks of a plan beforehand: after how many rounds its methods are compared, and at which level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from imgstore_tui.core.model import Cell, Plan
from imgstore_tui.stats.intervals import CONFIDENCE, MIN_ROUNDS
from imgstore_tui.stats.looks import Look, final_look, last_look, schedule_looks


def looks_of(plan: Plan, methods: int) -> tuple[Look, ...]:
    """Return the looks at cells of a plan that are compared with each other.

    A plan whose rounds do not stop by themselves is looked at once, at its end.

    Args:
        plan: The plan.
        methods: Number of methods that are compared.
    """
    if plan.looks:
        return schedule_looks(methods, plan.rounds)
    return (Look(plan.rounds, 1 - CONFIDENCE),) if plan.rounds >= MIN_ROUNDS else ()


def rounds_for_verdict(plan: Plan, methods: int) -> int:
    """Return the fewest rounds at which a run of the plan is looked at, unless it ends before."""
    looks = looks_of(plan, methods)
    return looks[0].rounds if plan.looks and looks else MIN_ROUNDS


def rounds_for_first_verdicts(plan: Plan, cells: Iterable[Cell]) -> int:
    """Return the fewest rounds at which the methods of every contest of a plan are compared.

    It is the number that all texts name which speak of the run as a whole.

    Args:
        plan: The plan.
        cells: Its cells, those of the source row included: the more methods, the more rounds.
    """
    return rounds_for_verdict(plan, max(Counter(cell.contest for cell in cells).values(), default=0))


def look_at(plan: Plan, methods: int, rounds: int, *, ended: bool) -> Look | None:
    """Return the look at so many rounds of a run.

    Args:
        plan: The plan of the run.
        methods: Number of methods that are compared.
        rounds: Rounds that all of them have.
        ended: Whether no further round comes; then all that is left of the error is spent at what there is.

    Returns:
        None where there is no verdict yet.
    """
    looks = looks_of(plan, methods)
    if not ended:
        return last_look(looks, rounds)
    return final_look(looks, rounds) if looks and rounds <= looks[-1].rounds else last_look(looks, rounds)
