"""Names the rows that advice lacks: what has a weight and was not measured, or in too few rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imgstore_tui.analysis.advice.method_choice import MethodChoice
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.analysis.verdict import VerdictRules, exclusion_reason
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import Operation


@dataclass(frozen=True, slots=True)
class MissingRow:
    """A row that has not the rounds that advice takes."""

    row: Cell
    rounds: int
    """Rounds that it has; 0 where it was not measured."""
    needed: int


def missing_rows(run: Run, summaries: Sequence[CellSummary], choice: MethodChoice) -> tuple[MissingRow, ...]:
    """Return the rows of times with a weight that are not there, or have too few rounds, in the order of the plan.

    A row that failed is none of them: measuring it again is no remedy, and it is named with its reason elsewhere.

    Args:
        run: The run.
        summaries: The summaries of its cells.
        choice: The choice of a method for a dataset.
    """
    specs = [spec.label for spec in run.plan.specs]
    needed = VerdictRules.of(run).rounds_needed(len(specs))
    own = [entry for entry in summaries if entry.cell.dataset == choice.dataset]
    cutoff = choice.cutoff or max(run.plan.cutoffs, default=0)
    rows = []
    for operation in _operations(choice):
        for spec in specs:
            row = Cell(
                dataset=choice.dataset,
                spec=spec,
                operation=operation,
                cutoff=cutoff,
                cache=None if operation.writes else choice.levels.cache,
                sync=choice.levels.sync if operation.writes else None,
                payload=run.plan.payload,
                workers=run.plan.workers,
            )
            measured = [
                entry
                for entry in own
                if (entry.cell.spec, entry.cell.operation, entry.cell.cutoff) == (spec, operation, cutoff)
            ]
            entries = [entry for entry in measured if choice.levels.include(entry.cell)]
            # At another level than planned, as libraries that force by themselves: no further run changes that.
            if any(map(exclusion_reason, entries)) or (measured and not entries):
                continue
            rounds = max((len(entry.rounds) for entry in entries), default=0)
            if rounds < needed:
                rows.append(MissingRow(entries[0].cell if entries else row, rounds, needed))
    return tuple(rows)


def _operations(choice: MethodChoice) -> list[Operation]:
    """Return the operations that measure the times with a weight: those that were measured, else the first choice."""
    measured = {
        figure.row.operation for method in choice.ranking.methods for figure in method.figures.values() if figure.rounds
    }
    timed = [criterion.operations for criterion in choice.weights if criterion.operations]
    return list(dict.fromkeys(next((each for each in each_of if each in measured), each_of[0]) for each_of in timed))
