"""All charts of a run, in the order in which they are shown: each with its axes, for every dataset and level."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, SyncLevel
from imgstore_tui.present.charts.axes import LOG, Scales
from imgstore_tui.present.charts.figures import ChartKind, Figure, chart_kinds, make_figure
from imgstore_tui.present.results import build_results


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure and the axes that it is to be drawn on."""

    figure: Figure
    scales: Scales = LOG
    heading: str = ""
    """What stands before the figure's own title, e.g. its number in a report."""

    @property
    def title(self) -> str:
        """What it shows and how."""
        axes = self.scales.text
        if self.figure.kind.has_bars:
            axes = "log scale" if self.scales.y else "linear scale"
        return f"{self.heading}{self.figure.title}, {axes}"


def run_charts(run: Run, *, scales: Scales = LOG, told: Collection[ChartKind] = ()) -> tuple[Chart, ...]:
    """Return every chart that the plan can fill: of each dataset, at each level.

    Args:
        run: The run.
        scales: Which axes are logarithmic.
        told: Kinds that are left out for the first dataset.
    """
    summed, found = build_results(run), []
    for number, dataset in enumerate(run.plan.datasets):
        for kind in chart_kinds(run):
            if not number and kind in told:
                continue
            for view in chart_views(run, kind):
                figure = make_figure(
                    summed, kind, dataset=dataset, sync=view.sync, cache=view.cache, against=view.against
                )
                found.append(Chart(figure, scales))
    return tuple(found)


def chart_levels(run: Run, kind: ChartKind) -> Iterator[tuple[SyncLevel | None, CacheState | None]]:
    """Yield the levels at which a kind of chart is drawn: writes by sync level, reads by cache state."""
    if kind is ChartKind.DISK:
        yield None, None
        return
    writes = any(operation.writes for operation in kind.operations)
    reads = any(not operation.writes for operation in kind.operations)
    for sync in run.plan.sync if writes else (None,):
        for cache in run.plan.cache if reads else (None,):
            yield sync, cache


@dataclass(frozen=True, slots=True)
class ChartView:
    """One way of looking at a kind of chart: at which levels, or hot against cold."""

    sync: SyncLevel | None = None
    cache: CacheState | None = None
    against: bool = False

    @property
    def text(self) -> str:
        """Which levels these are."""
        if self.against:
            return "hot against cold"
        return ", ".join(str(level) for level in (self.sync, self.cache) if level is not None)


def chart_views(run: Run, kind: ChartKind) -> tuple[ChartView, ...]:
    """Return the ways to look at a kind of chart: each level, and hot against cold where both are planned."""
    found = [ChartView(sync, cache) for sync, cache in chart_levels(run, kind)]
    reads_only = not kind.has_bars and not any(operation.writes for operation in kind.operations)
    if reads_only and {CacheState.HOT, CacheState.COLD} <= set(run.plan.cache):
        found.append(ChartView(against=True))
    return tuple(found)
