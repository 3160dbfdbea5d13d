"""Chooses which numbers of images a round measures, so that one of them gets a verdict within the time budget."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from imgstore_tui.bench.plan.grid import Block
from imgstore_tui.bench.plan.looks import rounds_for_verdict
from imgstore_tui.bench.plan.stop_rule import StopRule
from imgstore_tui.core.model import Cell, Plan
from imgstore_tui.stats.intervals import CONFIDENCE
from imgstore_tui.stats.looks import pairs
from imgstore_tui.stats.signed_rank import fewest_rounds

Group = tuple[str, int]
"""Blocks that are compared with each other: dataset and cutoff."""
_MARGIN = 1.2
"""Factor by which the rounds to come may take longer than those before."""
_RESERVED_SHARE = 0.25
"""Share of the budget that is kept once there is a verdict, so that the run ends within it."""


def group_of(block: Block) -> Group:
    """Return the group of a block."""
    return block.dataset, block.cutoff


class RoundScope:
    """The groups of a round: the largest that can have its verdict in time, and the others while there is time.

    These have fewer rounds then: a curve to look at. Only plans whose rounds stop by themselves are cut so, and only
    by a time budget; methods of one group always have the same rounds.
    """

    def __init__(
        self, plan: Plan, blocks: Sequence[Block], stop_rule: StopRule, expect: Callable[[Cell], float]
    ) -> None:
        """Start before the first round.

        Args:
            plan: The plan.
            blocks: All its blocks.
            stop_rule: Tells which cells need no further round.
            expect: Returns the expected seconds of a trial of a cell.
        """
        self._plan = plan
        self._expect = expect
        self._stop_rule = stop_rule
        self._blocks: dict[Group, list[Block]] = {}
        for block in blocks:
            self._blocks.setdefault(group_of(block), []).append(block)
        self._rounds: Counter[Group] = Counter()
        self._seconds: Counter[Group] = Counter()

    def add_round(self, seconds: dict[Group, float]) -> None:
        """Count a round, with the seconds that each group took in it."""
        for group, value in seconds.items():
            self._rounds[group] += 1
            self._seconds[group] += value  # type: ignore[assignment]

    def groups(self, left_s: float) -> frozenset[Group]:
        """Return the groups of the next round; none if there is a verdict and no time for another.

        Args:
            left_s: Seconds that are left of the time budget.
        """
        pending = [group for group in self._blocks if not self._is_settled(group)]
        pending.sort(key=lambda group: -group[1])
        if not self._plan.looks or math.isinf(left_s):
            return frozenset(pending)
        answered = len(pending) < len(self._blocks)
        reserved = _RESERVED_SHARE * (self._plan.budget_s or 0.0)
        available = left_s - reserved if answered else left_s
        for first in pending:
            for at_the_end in (False, True):
                reserve = _MARGIN * self._rounds_missing(first, at_the_end=at_the_end) * self._round_s(first)
                if reserve <= available:
                    return self._filled(first, pending, left_s - reserved - reserve)
        return frozenset() if answered else frozenset(pending)

    def _filled(self, first: Group, pending: Sequence[Group], spare_s: float) -> frozenset[Group]:
        """Return a group, and the others for one round of which there is time to spare."""
        chosen = {first}
        if not self._seconds:
            return frozenset(chosen)  # what a round takes here is seen first
        for group in pending:
            if group != first and self._round_s(group) <= spare_s:
                chosen.add(group)
                spare_s -= self._round_s(group)
        return frozenset(chosen)

    def _is_settled(self, group: Group) -> bool:
        return all(map(self._stop_rule.is_settled, self._cells(group)))

    def _round_s(self, group: Group) -> float:
        """Return the seconds of a round: as measured, else as expected, and those of small groups as of a larger."""
        if self._rounds[group]:
            return self._seconds[group] / self._rounds[group]
        larger = [self._seconds[other] / count for other, count in self._rounds.items() if other[1] > group[1]]
        return min(larger, default=sum(map(self._expect, self._cells(group))))

    def _cells(self, group: Group) -> list[Cell]:
        return [cell for block in self._blocks[group] for cell in block.cells]

    def _rounds_missing(self, group: Group, *, at_the_end: bool) -> int:
        """Return how many rounds a group lacks for its first look, or for a verdict when the budget ends the run."""
        methods = len(self._blocks[group])
        needed = (
            fewest_rounds((1 - CONFIDENCE) / pairs(methods)) if at_the_end else rounds_for_verdict(self._plan, methods)
        )
        return max(1, needed - self._rounds[group])
