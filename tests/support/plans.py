"""Plans that are small enough to run within a test."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins.registry import resolve_spec


def small_plan(*specs: str, **changes: object) -> Plan:
    """Return a plan of two cutoffs, four operations and two rounds.

    Args:
        specs: The storage methods; ``disk`` and ``disk+raw`` if there are none.
        changes: Fields of the plan to set.
    """
    plan = Plan(
        specs=tuple(resolve_spec(spec) for spec in specs or ("disk", "disk+raw")),
        datasets=("synthetic,size=8",),
        cutoffs=(1, 20),
        operations=(Operation.WRITE_ONE, Operation.WRITE_MANY, Operation.READ_ONE, Operation.READ_MANY),
        rounds=2,
    )
    return replace(plan, **changes)  # type: ignore[arg-type]
