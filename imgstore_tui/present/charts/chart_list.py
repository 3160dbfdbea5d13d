"""Lists the charts of a run in the order in which they are shown: each with its axes, per dataset and level."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, SyncLevel
from imgstore_tui.present.charts.axes import LOG, Scales
from imgstore_tui.present.charts.client_figure import client_contests
from imgstore_tui.present.charts.figures import (
    ChartKind,
    Figure,
    bar_scale_text,
    chart_kinds,
    make_figure,
)
from imgstore_tui.present.results import RunResults


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure and the axes it is drawn on."""

    figure: Figure
    scales: Scales = LOG
    heading: str = ""
    """Text before the figure's own title, such as its number in a report."""

    @property
    def title(self) -> str:
        """Title of the figure and its scales."""
        if self.figure.kind.has_bars:
            return f"{self.heading}{self.figure.title}{bar_scale_text(self.figure.bars, own=self.scales.y)}"
        return f"{self.heading}{self.figure.title}, {self.scales.text}"


def run_charts(results: RunResults, *, scales: Scales = LOG, skipped: Collection[ChartKind] = ()) -> tuple[Chart, ...]:
    """Return every chart that the plan can fill: of each dataset, at each level.

    Args:
        results: The run with its summaries.
        scales: Which axes are logarithmic.
        skipped: Kinds left out for the first dataset.
    """
    run = results.run
    charts = []
    for number, dataset in enumerate(run.plan.datasets):
        for kind in chart_kinds(run):
            if not number and kind in skipped:
                continue
            for view in chart_views(run, kind):
                figure = make_figure(
                    results, kind, dataset=dataset, sync=view.sync, cache=view.cache, against=view.against,
                    contest=view.contest,
                )  # fmt: skip
                charts.append(Chart(figure, scales))
    return tuple(charts)


def chart_levels(run: Run, kind: ChartKind) -> Iterator[tuple[SyncLevel | None, CacheState | None]]:
    """Yield the levels at which a kind of chart is drawn: writes by sync level, reads by cache state."""
    if kind is ChartKind.DISK:
        yield None, None
        return
    writes = any(operation.writes for operation in kind.operations)
    reads = any(not operation.writes for operation in kind.operations)
    # A library that forces by itself has a level that no plan names.
    levels = dict.fromkeys((*run.plan.sync, *(trial.sync for trial in run.measurements if trial.sync is not None)))
    for sync in levels if writes else (None,):
        for cache in run.plan.cache if reads else (None,):
            yield sync, cache


@dataclass(frozen=True, slots=True)
class ChartView:
    """One variant of a kind of chart: at one level, hot reads against cold ones, or what clients do."""

    sync: SyncLevel | None = None
    cache: CacheState | None = None
    against: bool = False
    """Whether hot reads stand against cold ones."""
    contest: str = ""
    """What the clients of a chart of clients do."""

    @property
    def text(self) -> str:
        """The levels, for a menu."""
        if self.against:
            return "hot against cold"
        if self.contest:
            return self.contest
        return ", ".join(str(level) for level in (self.sync, self.cache) if level is not None)


def chart_views(run: Run, kind: ChartKind) -> tuple[ChartView, ...]:
    """Return the variants of a kind of chart: each level, hot against cold where both are planned; what clients do."""
    if kind is ChartKind.CLIENTS:
        return tuple(ChartView(contest=contest) for contest in client_contests(run)) or (ChartView(),)
    views = [ChartView(sync, cache) for sync, cache in chart_levels(run, kind)]
    reads_only = not kind.has_bars and not any(operation.writes for operation in kind.operations)
    if reads_only and {CacheState.HOT, CacheState.COLD} <= set(run.plan.cache):
        views.append(ChartView(against=True))
    return tuple(views)
