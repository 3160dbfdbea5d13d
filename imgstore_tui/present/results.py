"""A run with all that was made of it, made once, and how its cells are gathered for tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from imgstore_tui.analysis.aggregate import Aggregator
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.analysis.verdict import Verdict, VerdictCache
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import IN_PLACE


@dataclass(frozen=True, slots=True)
class RunResults:
    """A run with all that was made of it, so that it is made once."""

    run: Run
    summaries: tuple[CellSummary, ...]
    verdicts: tuple[Verdict, ...]
    verdict_of: Mapping[Cell, Verdict]
    """Verdicts by contest."""


class ResultsBuilder:
    """Digests a run again and again while it grows: only what new trials bear on is made anew."""

    def __init__(self) -> None:
        self._tally = Aggregator()
        self._court = VerdictCache()

    def of(self, run: Run) -> RunResults:
        """Summarise a run and judge its contests."""
        summaries = self._tally.summaries(run)
        found = self._court.verdicts(summaries, [spec.label for spec in run.plan.specs])
        return RunResults(run, summaries, found, {verdict.contest: verdict for verdict in found})


def build_results(run: Run) -> RunResults:
    """Summarise a run and judge its contests."""
    return ResultsBuilder().of(run)


def spec_order(run: Run) -> Callable[[str], tuple[int, str]]:
    """Return the sort key of methods by their labels: the source row, then as the plan has them, then others."""
    places = {spec.label: place for place, spec in enumerate((IN_PLACE, *run.plan.specs))}
    return lambda label: (places.get(label, len(places)), label)


def group_summaries(summaries: Iterable[CellSummary], *blank: str) -> list[list[CellSummary]]:
    """Gather summaries that differ in nothing but these fields of their cells, in order."""
    found: dict[Cell, list[CellSummary]] = {}
    empty: dict[str, object] = {"spec": "", "cutoff": 0, "operation": Operation.WRITE_ONE, "sync": None, "cache": None}
    for summary in summaries:
        key = replace(summary.cell, **{name: empty[name] for name in blank})  # type: ignore[arg-type]
        found.setdefault(key, []).append(summary)
    return list(found.values())
