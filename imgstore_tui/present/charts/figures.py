"""Builds the figures of a run before anything is drawn: series of points, bars, titles."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes, format_seconds
from imgstore_tui.present.charts.axes import drawable
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.table_model import interval_text
from imgstore_tui.present.text.captions import dataset_names, level_text, residency_text


class ChartKind(StrEnum):
    """The kinds of chart, in the order of the menu."""

    WRITE = "write-many"
    READ = "read-many"
    READ_RANDOM = "read-random"
    BOTH = "both"
    DISK = "disk"
    READ_ONE = "read-one"
    GET_ONE = "get-one"
    READ_LABELS = "read-labels"
    WRITE_ONE = "write-one"
    APPEND = "append"
    OVERWRITE = "overwrite"
    DELETE = "delete"
    CLIENTS = "clients"

    @property
    def menu_text(self) -> str:
        """The name of the kind in a menu."""
        return {
            ChartKind.WRITE: "Write many",
            ChartKind.READ: "Read many",
            ChartKind.READ_RANDOM: "Read in random order",
            ChartKind.BOTH: "Write and read",
            ChartKind.DISK: "Disk use",
            ChartKind.READ_ONE: "Read one",
            ChartKind.GET_ONE: "Get one from an open store",
            ChartKind.READ_LABELS: "Read labels",
            ChartKind.WRITE_ONE: "Write one",
            ChartKind.APPEND: "Append 1 %",
            ChartKind.OVERWRITE: "Overwrite 1 %",
            ChartKind.DELETE: "Delete 1 %",
            ChartKind.CLIENTS: "Clients",
        }[self]

    @property
    def has_bars(self) -> bool:
        """Whether the kind is drawn as bars: of bytes, or of an operation measured with one image only."""
        return self in (ChartKind.DISK, ChartKind.WRITE_ONE)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations that the kind shows; none for rounds of clients, whatever they do."""
        if self is ChartKind.CLIENTS:
            return ()
        if self is ChartKind.BOTH:
            return (Operation.WRITE_MANY, Operation.READ_MANY)
        return (Operation.WRITE_MANY,) if self is ChartKind.DISK else (Operation(self.value),)


SOURCE_INDEX = -1
"""Method index of the source row: before all others, which are counted from 0."""


@dataclass(frozen=True, slots=True)
class Point:
    """One median on a chart."""

    n: float
    """Number of images, or of clients."""
    value: float
    """Seconds, or images per second; NaN where the trials failed, so that no line passes over them."""
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart."""

    name: str
    points: tuple[Point, ...]
    method_index: int
    """Number of the method, the same in all charts of a run: decides mark and colour."""
    dotted: bool = False
    is_guide: bool = False
    """Whether it is a line to compare with, which has no marks: nothing on it was measured."""

    def segments(self) -> list[list[Point]]:
        """Return the points that can be drawn, in segments that a line may connect."""
        segments = itertools.groupby(self.points, key=lambda point: drawable(point.n) and drawable(point.value))
        return [list(segment) for good, segment in segments if good]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart."""

    group: int
    """Number of images."""
    name: str
    value: float
    """Bytes, or seconds."""
    text: str
    method_index: int
    low: float = math.nan
    high: float = math.nan
    """Ends of the interval; NaN where there is none, as of bytes."""


def spanned(points: Iterable[Point]) -> list[float]:
    """Return the values that an axis must show: medians and both ends of their intervals."""
    ends = (value for point in points for value in (point.low, point.value, point.high))
    return [value for value in ends if drawable(value)]


def bar_scale_text(bars: Sequence[Bar], *, own: bool) -> str:
    """Return what a title says of the lengths of bars; empty where one scale holds for all."""
    return ", each N on its own scale" if own and len({bar.group for bar in bars}) > 1 else ""


def bar_scales(bars: Sequence[Bar], *, own: bool) -> dict[int, float]:
    """Return the value of a bar of full length, by number of images.

    Args:
        bars: The bars of a chart that can be drawn.
        own: Whether it is the greatest of each number of images; else the greatest of all.
    """
    most = max(bar.value for bar in bars)
    return {
        group: max(bar.value for bar in bars if bar.group == group) if own else most
        for group in {bar.group for bar in bars}
    }


@dataclass(frozen=True, slots=True)
class Figure:
    """The content of one chart: lines over the number of images, or bars."""

    kind: ChartKind
    title: str
    series: tuple[Series, ...] = ()
    bars: tuple[Bar, ...] = ()
    upward: str = ""
    """Name of the vertical axis, e.g. ``time for N images``."""
    strokes: tuple[str, str] = ("write", "read")
    """Meaning of solid and dotted lines, where there are both."""
    across: str = "images"
    """Name of the horizontal axis."""
    is_rate: bool = False
    """Whether values are rates, images per second, and not seconds."""
    proof: str = ""
    """How much of the stores was in memory when the clock started, of a figure with cold reads; else empty."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw yet."""
        return not self.bars and not any(series.segments() for series in self.series)


def chart_kinds(run: Run | None = None) -> tuple[ChartKind, ...]:
    """Return all kinds of chart, or with a run those that its plan can fill."""
    if run is None:
        return tuple(ChartKind)
    planned = set(run.plan.operations)
    has_clients = bool(run.client_rounds or run.plan.clients)
    return tuple(
        kind
        for kind in ChartKind
        if (has_clients if kind is ChartKind.CLIENTS else planned.issuperset(kind.operations))
    )


def make_figure(
    source: RunResults | Run | Sequence[CellSummary],
    kind: ChartKind | str,
    *,
    per_image: bool = False,
    dataset: str | None = None,
    sync: SyncLevel | None = None,
    cache: CacheState | None = None,
    against: bool = False,
    contest: str = "",
) -> Figure:
    """Return the figure of one kind of chart. Only what may be compared stands on one figure.

    Options that all of its methods share, such as ``preset=article``, stand in its title and not in every name.

    Args:
        source: A run, its results, or summaries of its cells.
        kind: Kind of chart.
        per_image: Whether values are divided by the number of images.
        dataset: Dataset; None for the first measured.
        sync: Sync level of writes; None for the first measured.
        cache: Cache state of reads; None for the first measured.
        against: Whether hot reads (solid) stand against cold ones (dotted), where both were measured.
        contest: What the clients of a chart of clients do, see ``client_contests``; empty for the first.
    """
    if ChartKind(kind) is ChartKind.CLIENTS:
        from imgstore_tui.present.charts.client_figure import client_figure  # which builds on this module

        run = source.run if isinstance(source, RunResults) else source if isinstance(source, Run) else None
        figure = client_figure(run, dataset=dataset, contest=contest)
    else:
        figure = _figure(
            source, kind, per_image=per_image, dataset=dataset, sync=sync, cache=cache, against=against
        )  # fmt: skip
    names = {line.name for line in figure.series} | {bar.name for bar in figure.bars}
    names.discard(IN_PLACE.label)
    options = {name.partition(":")[2] for name in names}
    if len(names) < 2 or len(options) > 1 or options == {""}:
        return figure
    (shared,) = options
    return replace(
        figure,
        title=f"{figure.title}, {shared}",
        series=tuple(replace(line, name=line.name.removesuffix(f":{shared}")) for line in figure.series),
        bars=tuple(replace(bar, name=bar.name.removesuffix(f":{shared}")) for bar in figure.bars),
    )


def method_indexes(run: Run | None, specs: Iterable[str]) -> dict[str, int]:
    """Return the index by which each method has its colour and its mark, in all charts of a run alike.

    Args:
        run: The run, whose plan gives the order; None if it is not known.
        specs: Labels of the methods, for those that the plan does not name.
    """
    planned = [spec.label for spec in run.plan.specs] if run is not None else []
    names = dict.fromkeys([*planned, *specs])
    indexes = {name: index for index, name in enumerate(name for name in names if name != IN_PLACE.label)}
    return {**indexes, IN_PLACE.label: SOURCE_INDEX}


def _figure(
    source: RunResults | Run | Sequence[CellSummary],
    kind: ChartKind | str,
    *,
    per_image: bool,
    dataset: str | None,
    sync: SyncLevel | None,
    cache: CacheState | None,
    against: bool,
) -> Figure:
    kind = ChartKind(kind)
    run = source.run if isinstance(source, RunResults) else source if isinstance(source, Run) else None
    summaries = _summaries(source)
    indexes = method_indexes(run, (entry.cell.spec for entry in summaries))
    several = len({entry.cell.dataset for entry in summaries}) > 1
    if dataset is None and summaries:
        dataset = summaries[0].cell.dataset
    chosen = [entry for entry in summaries if entry.cell.dataset == dataset]
    named = dataset if run is None or dataset is None else dataset_names(run).get(dataset, dataset)
    if kind is ChartKind.DISK:
        title = "Disk use" + (" per image" if per_image else "")
        bars = _bars(chosen, indexes, per_image=per_image)
        return Figure(kind, _titled(title, named, several), bars=bars, upward="bytes on disk")
    if kind is ChartKind.WRITE_ONE:
        return _write_one(chosen, indexes, sync, _titled("", named, several))
    lines: tuple[Series, ...] = ()
    levels = []
    drawn: list[CellSummary] = []
    states: tuple[CacheState | None, ...] = (CacheState.HOT, CacheState.COLD) if against else (cache,)
    for operation in kind.operations:
        for state in (None,) if operation.writes else states:
            cells = _cells_at_one_level(chosen, operation, sync, state)
            if not cells:
                continue
            levels.append(level_text(cells[0].cell))
            is_second = kind is ChartKind.BOTH and operation is Operation.READ_MANY
            dotted = state is CacheState.COLD if against else is_second
            drawn += cells
            lines += _lines(cells, indexes, per_image=per_image, dotted=dotted)
    title, what = _time_title(kind, levels, per_image=per_image, against=against)
    strokes = ("hot", "cold") if against else ("write", "read")
    # That a store is hot is the usual state of a benchmark; that one is cold needs a proof.
    proof = residency_text(drawn) if any(entry.cell.cache is CacheState.COLD for entry in drawn) else ""
    title = _titled(title, named, several)
    return Figure(kind, title, lines, upward=f"time for {what}", strokes=strokes, proof=proof)


def _cells_at_one_level(
    summaries: Sequence[CellSummary], operation: Operation, sync: SyncLevel | None, cache: CacheState | None
) -> list[CellSummary]:
    """Return the cells of an operation that differ in method and cutoff only: those of the first at these levels."""
    cells = [entry for entry in summaries if entry.cell.operation is operation]
    first = next((entry for entry in cells if _at_level(entry, sync, cache)), None)
    return [entry for entry in cells if first is not None and _levels(entry) == _levels(first)]


def _levels(entry: CellSummary) -> tuple[object, ...]:
    cell = entry.cell
    return cell.sync, cell.cache, cell.payload, cell.workers, cell.scratch


def _time_title(kind: ChartKind, levels: Sequence[str], *, per_image: bool, against: bool) -> tuple[str, str]:
    """Return the title of a chart of times, and what its times are for, such as ``N images``.

    Args:
        kind: Kind of chart.
        levels: Sync level or cache state of each operation on it, as text.
        per_image: Whether times are divided by the number of images.
        against: Whether hot reads stand against cold ones.
    """
    one = kind in (ChartKind.READ_ONE, ChartKind.GET_ONE)
    what = "one image of N" if per_image else "one image" if one else "N images"
    if kind in (ChartKind.APPEND, ChartKind.OVERWRITE, ChartKind.DELETE) and not per_image:
        what = "N/100 images"
    if kind is ChartKind.READ_LABELS:
        what = "a label" if per_image else "N labels"
    title = kind.menu_text
    if kind is ChartKind.BOTH and len(levels) == 2:
        title = f"Write ({levels[0]}) and read ({levels[1]}): time for {what}"
    elif levels:
        level_names = " and ".join(level.removeprefix("cache ") for level in levels) if against else levels[0]
        title = f"{kind.menu_text}, {level_names}: time for {what}"
    return title, what


def _summaries(source: RunResults | Run | Sequence[CellSummary]) -> tuple[CellSummary, ...]:
    if isinstance(source, RunResults):
        return source.summaries
    return summarise(source) if isinstance(source, Run) else tuple(source)


def _write_one(summaries: Sequence[CellSummary], indexes: dict[str, int], sync: SyncLevel | None, tail: str) -> Figure:
    """Return the times to store one image as bars, as there is no second number of images to draw a line to."""
    cells = [entry for entry in summaries if entry.cell.operation is Operation.WRITE_ONE]
    level = next((entry.cell for entry in cells if _at_level(entry, sync, None)), None)
    same = [entry for entry in cells if level is not None and entry.cell.contest == level.contest]
    bars = tuple(
        Bar(entry.cell.cutoff, safe_text(entry.cell.spec), entry.interval.median,
            f"{format_seconds(entry.seconds)}, {interval_text(entry.interval, unit=False)}", indexes[entry.cell.spec],
            entry.interval.low, entry.interval.high)
        for entry in sorted(same, key=lambda entry: indexes[entry.cell.spec])
        if entry.interval is not None
    )  # fmt: skip
    title = f"Write one, {level_text(level)}: time for one image" if level is not None else "Write one"
    return Figure(ChartKind.WRITE_ONE, title + tail, bars=bars, upward="time for one image")


def _titled(title: str, dataset: str | None, several: bool) -> str:
    return f"{title} ({safe_text(dataset)})" if several and dataset else title


def _at_level(entry: CellSummary, sync: SyncLevel | None, cache: CacheState | None) -> bool:
    if entry.cell.operation.writes:
        return sync is None or entry.cell.sync is sync
    return cache is None or entry.cell.cache is cache


def _lines(
    summaries: Sequence[CellSummary], indexes: dict[str, int], *, per_image: bool, dotted: bool
) -> tuple[Series, ...]:
    points: dict[str, list[Point]] = {}
    for entry in summaries:
        line = points.setdefault(entry.cell.spec, [])
        interval, by = entry.interval, entry.images if per_image else 1
        if interval is None:
            line.append(Point(entry.cell.cutoff, math.nan, math.nan, math.nan))
        else:
            line.append(Point(entry.cell.cutoff, interval.median / by, interval.low / by, interval.high / by))
    return tuple(
        Series(safe_text(name), tuple(sorted(line, key=lambda point: point.n)), indexes[name], dotted)
        for name, line in sorted(points.items(), key=lambda item: indexes[item[0]])
    )


def _bars(summaries: Sequence[CellSummary], indexes: dict[str, int], *, per_image: bool) -> tuple[Bar, ...]:
    weights: dict[tuple[int, str], int] = {}
    for entry in summaries:
        cell = entry.cell
        if entry.disk is None or entry.disk.allocated_bytes is None:
            continue
        key = (cell.cutoff, cell.spec)
        if cell.operation is Operation.WRITE_MANY or key not in weights:
            weights[key] = entry.disk.allocated_bytes
    return tuple(
        Bar(cutoff, safe_text(spec), value, format_bytes(value), indexes[spec])
        for (cutoff, spec), allocated in sorted(weights.items(), key=lambda item: (item[0][0], indexes[item[0][1]]))
        for value in [allocated / cutoff if per_image else float(allocated)]
    )
