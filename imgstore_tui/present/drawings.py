"""All charts of a run, in the order in which they are shown: each with its axes, for every dataset and level."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, SyncLevel
from imgstore_tui.present.figures import ChartKind, Figure, chart_kinds, make_figure


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure and the axes that it is to be drawn on."""

    figure: Figure
    log: bool = True
    heading: str = ""
    """What stands before the figure's own title, e.g. its number in a report."""

    @property
    def title(self) -> str:
        """What it shows and how."""
        axes = "log scale" if self.log else "linear scale" if self.figure.kind is ChartKind.DISK else "linear axes"
        return f"{self.heading}{self.figure.title}, {axes}"


def drawings(run: Run, *, log: bool = True, told: Collection[ChartKind] = ()) -> tuple[Drawing, ...]:
    """Return every chart that the plan can fill: of each dataset, at each level.

    Args:
        run: The run.
        log: Whether axes are logarithmic.
        told: Kinds that are left out for the first dataset.
    """
    found = []
    for number, dataset in enumerate(run.plan.datasets):
        for kind in chart_kinds(run):
            if not number and kind in told:
                continue
            for sync, cache in levels(run, kind):
                figure = make_figure(run, kind, dataset=dataset, sync=sync, cache=cache)
                found.append(Drawing(figure, log))
    return tuple(found)


def levels(run: Run, kind: ChartKind) -> Iterator[tuple[SyncLevel | None, CacheState | None]]:
    """Yield the levels at which a kind of chart is drawn: writes by sync level, reads by cache state."""
    if kind is ChartKind.DISK:
        yield None, None
        return
    writes = any(operation.writes for operation in kind.operations)
    reads = any(not operation.writes for operation in kind.operations)
    for sync in run.plan.sync if writes else (None,):
        for cache in run.plan.cache if reads else (None,):
            yield sync, cache
