"""Builds the results of a run, which everything that presents it takes: summaries of cells, verdicts of contests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from imgstore_tui.analysis.aggregate import Aggregator
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.analysis.verdict import Verdict, VerdictCache, VerdictRules
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import IN_PLACE


@dataclass(frozen=True, slots=True)
class RunResults:
    """A run with its summaries and verdicts, computed once and passed to everything that presents them."""

    run: Run
    summaries: tuple[CellSummary, ...]
    verdicts: tuple[Verdict, ...]
    verdict_of: Mapping[Cell, Verdict]
    """Verdicts by contest."""


class ResultsBuilder:
    """Builds the results of a growing run again and again; recomputes only what new trials change."""

    def __init__(self) -> None:
        self._aggregator = Aggregator()
        self._verdicts = VerdictCache()

    def build(self, run: Run) -> RunResults:
        """Summarise the cells of a run and judge its contests."""
        summaries = self._aggregator.summaries(run)
        verdicts = self._verdicts.verdicts(summaries, VerdictRules.of(run))
        return RunResults(run, summaries, verdicts, {verdict.contest: verdict for verdict in verdicts})


def build_results(run: Run) -> RunResults:
    """Summarise the cells of a run and judge its contests."""
    return ResultsBuilder().build(run)


def spec_order(run: Run) -> Callable[[str], tuple[int, str]]:
    """Return the sort key of methods by label: the source row first, then in the order of the plan, then others."""
    ranks = {spec.label: rank for rank, spec in enumerate((IN_PLACE, *run.plan.specs))}
    return lambda label: (ranks.get(label, len(ranks)), label)


def group_summaries(summaries: Iterable[CellSummary], *ignored: str) -> list[list[CellSummary]]:
    """Group summaries whose cells differ only in the ignored fields, in the order given.

    Args:
        summaries: The summaries.
        *ignored: Names of fields of ``Cell``.
    """
    groups: dict[Cell, list[CellSummary]] = {}
    blank: dict[str, object] = {"spec": "", "cutoff": 0, "operation": Operation.WRITE_ONE, "sync": None, "cache": None}
    for summary in summaries:
        key = replace(summary.cell, **{name: blank[name] for name in ignored})  # type: ignore[arg-type]
        groups.setdefault(key, []).append(summary)
    return list(groups.values())
