"""The trials of a run gathered by cell: once, or again and again while the run grows."""

from __future__ import annotations

from collections.abc import Callable

from imgstore_tui.analysis.summary import CellSummary, median_int, summarise_cell
from imgstore_tui.core.backend import DiskUsage
from imgstore_tui.core.model import Cell, Measurement, Run
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.core.spec import IN_PLACE

_WHOLE = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)
"""Operations that handle every image of the cutoff once."""
_WEIGHED_BY = {Operation.WRITE_MANY: 0, Operation.WRITE_ONE: 2}
"""Whose store stands for cells that weighed none: that of ``write-many``, ``write-one``'s for want of any."""

_Place = tuple[str, str, int, str, str]
"""What disk use belongs to: dataset, spec, cutoff, payload, scratch."""


def summarise(run: Run) -> tuple[CellSummary, ...]:
    """Return a summary of every cell that has a trial, in the order in which tables show them."""
    return Aggregator().summaries(run)


class Aggregator:
    """Keeps what the cells of a run came to; asked again of the same run with more trials, it makes only those anew.

    A run of hundreds of rounds has thousands of trials: all of them at every look would take from what is measured.
    """

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._run: Run | None = None
        self._cells: dict[Cell, list[Measurement]] = {}
        self._places: dict[_Place, dict[Cell, list[Measurement]]] = {}
        """Trials that weighed their store."""
        self._whole: dict[tuple[str, int], int] = {}
        """Raw pixels of all images of each dataset and cutoff, from trials that handled each image once."""
        self._made: dict[Cell, CellSummary] = {}
        self._order: list[Cell] = []

    def summaries(self, run: Run) -> tuple[CellSummary, ...]:
        """Return a summary of every cell that has a trial, in the order in which tables show them."""
        known = len(self._run.measurements) if self._run is not None and _goes_on(self._run, run) else 0
        if not known:
            self._forget()
        touched: set[Cell] = set()
        for measurement in run.measurements[known:]:
            touched |= self._take(measurement)
        facts = {entry.text: entry for entry in run.datasets}
        for cell in touched:
            self._made[cell] = summarise_cell(
                cell, self._cells[cell], facts.get(cell.dataset), self._weight(cell),
                self._whole.get((cell.dataset, cell.cutoff)),
            )  # fmt: skip
        if len(self._order) < len(self._made):
            self._order = sorted(self._made, key=_plan_order(run))
        self._run = run
        return tuple(self._made[cell] for cell in self._order)

    def _take(self, measurement: Measurement) -> set[Cell]:
        """Take a trial in; return the cells whose summaries it bears on."""
        cell = measurement.cell
        self._cells.setdefault(cell, []).append(measurement)
        touched = {cell}
        if measurement.allocated_bytes is not None or measurement.apparent_bytes is not None:
            self._places.setdefault(_place(cell), {}).setdefault(cell, []).append(measurement)
            touched |= {other for other in self._cells if _place(other) == _place(cell)}
        images, size = (cell.dataset, cell.cutoff), measurement.pixel_bytes
        whole = cell.operation in _WHOLE or (cell.cutoff == 1 and not cell.operation.changes)
        if size is not None and whole and self._whole.get(images) != size:
            self._whole[images] = size
            touched |= {other for other in self._cells if (other.dataset, other.cutoff) == images}
        return touched

    def _weight(self, cell: Cell) -> DiskUsage | None:
        """Return the cell's own weight, else that of the store written by ``write-many``, else any other's."""
        weighed = self._places.get(_place(cell))
        if not weighed:
            return None
        nearest = min(weighed, key=lambda other: _WEIGHED_BY.get(other.operation, 1))
        trials = weighed.get(cell) or weighed[nearest]
        return DiskUsage(
            median_int(trial.apparent_bytes for trial in trials),
            median_int(trial.allocated_bytes for trial in trials),
            median_int(trial.files for trial in trials),
        )


def _goes_on(before: Run, run: Run) -> bool:
    """Whether a run is one known before, with more trials, or none more."""
    count = len(before.measurements)
    return (
        (before.id, before.plan, before.datasets) == (run.id, run.plan, run.datasets)
        and 0 < count <= len(run.measurements)
        # The same trials, not equal ones: at its end each is noted with what ended its rounds.
        and all(run.measurements[place] is before.measurements[place] for place in (0, count - 1))
    )


def _place(cell: Cell) -> _Place:
    return (cell.dataset, cell.spec, cell.cutoff, cell.payload, cell.scratch)


def _plan_order(run: Run) -> Callable[[Cell], tuple[object, ...]]:
    """Return the sort key of cells: dataset, operation, levels, cutoff, spec, as the plan orders them."""
    datasets = {text: index for index, text in enumerate(run.plan.datasets)}
    # The source row is what all others are held against: it comes first.
    specs = {spec.label: index for index, spec in enumerate((IN_PLACE, *run.plan.specs))}

    def key(cell: Cell) -> tuple[object, ...]:
        return (
            datasets.get(cell.dataset, len(datasets)), cell.dataset, cell.scratch, cell.payload, cell.workers,
            list(Operation).index(cell.operation),
            -1 if cell.sync is None else list(SyncLevel).index(cell.sync),
            -1 if cell.cache is None else list(CacheState).index(cell.cache),
            cell.cutoff, specs.get(cell.spec, len(specs)), cell.spec,
        )  # fmt: skip

    return key
