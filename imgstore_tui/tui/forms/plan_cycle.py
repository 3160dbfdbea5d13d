"""The plans that a key steps through: the program's own, then those that were saved."""

from __future__ import annotations

from imgstore_tui.bench.plan.plans import PLAN_NAMES
from imgstore_tui.core.model import Plan
from imgstore_tui.jobs.plans import plan_by_name, saved_plans


class PlanCycle:
    """Knows which plan came last, so that one that cannot be had is passed the next time."""

    def __init__(self) -> None:
        self._tried = ""

    def after(self, name: str) -> Plan:
        """Return the plan after the one of a name, or after the one that was tried in vain.

        Raises:
            ImgstoreError: If that one cannot be had, and why; asked again, the one after it is tried.
        """
        names = [*PLAN_NAMES, *saved_plans()]
        last = self._tried or name
        here = names.index(last) if last in names else -1
        self._tried = names[(here + 1) % len(names)]
        plan = plan_by_name(self._tried)
        self._tried = ""
        return plan
