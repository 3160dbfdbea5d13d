"""Aggregates the trials of a run into summaries of its cells, incrementally while the run grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from imgstore_tui.analysis.summary import CellSummary, median_int, summarise_cell
from imgstore_tui.core.backend import DiskUsage
from imgstore_tui.core.model import Cell, Measurement, Run
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.core.spec import IN_PLACE

_WHOLE = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)
"""Operations that handle every image of the cutoff once."""
_DISK_USE_ORDER = {Operation.WRITE_MANY: 0, Operation.WRITE_ONE: 2}
"""Order in which the store of another operation stands for cells without disk use: ``write-many`` first."""

_StoreKey = tuple[str, str, int, str, str]
"""What identifies a store: dataset, spec, cutoff, payload, scratch."""


def summarise(run: Run) -> tuple[CellSummary, ...]:
    """Return a summary of every cell that has a trial, in the order in which tables show them."""
    return Aggregator().summaries(run)


class Aggregator:
    """Keeps the summaries of a growing run and recomputes only those that new trials change.

    A run of hundreds of rounds has thousands of trials: aggregating all of them at every update would disturb the
    measurement.
    """

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._run: Run | None = None
        self._cells: dict[Cell, list[Measurement]] = {}
        self._cells_of_store: dict[_StoreKey, set[Cell]] = {}
        self._cells_of_images: dict[tuple[str, int], set[Cell]] = {}
        """Cells by dataset and cutoff."""
        self._stores: dict[_StoreKey, dict[Cell, list[Measurement]]] = {}
        """Trials with disk use, by store."""
        self._pixel_bytes: dict[tuple[str, int], int] = {}
        """Raw pixels of all images of each dataset and cutoff, from trials that handled each image once."""
        self._summaries: dict[Cell, CellSummary] = {}
        self._order: list[Cell] = []

    def summaries(self, run: Run) -> tuple[CellSummary, ...]:
        """Return a summary of every cell that has a trial, in the order in which tables show them."""
        done = len(self._run.measurements) if self._run is not None and _continues(self._run, run) else 0
        if not done:
            self._reset()
        changed: set[Cell] = set()
        for measurement in run.measurements[done:]:
            self._add(measurement, changed)
        facts = {entry.text: entry for entry in run.datasets}
        emulators = {server.backend: server.product for server in run.environment.servers if server.emulator}
        for cell in changed:
            self._summaries[cell] = summarise_cell(
                cell, self._cells[cell], facts.get(cell.dataset), self._disk_usage(cell),
                self._pixel_bytes.get((cell.dataset, cell.cutoff)), emulators.get(self._cells[cell][0].backend, ""),
            )  # fmt: skip
        if len(self._order) < len(self._summaries):
            self._order = sorted(self._summaries, key=_plan_order(run))
        self._run = run
        return tuple(self._summaries[cell] for cell in self._order)

    def _add(self, measurement: Measurement, changed: set[Cell]) -> None:
        """Add a trial, and the cells whose summaries it changes to ``changed``."""
        cell = measurement.cell
        store, images = _store_key(cell), (cell.dataset, cell.cutoff)
        trials = self._cells.get(cell)
        if trials is None:
            trials = self._cells[cell] = []
            self._cells_of_store.setdefault(store, set()).add(cell)
            self._cells_of_images.setdefault(images, set()).add(cell)
        trials.append(measurement)
        changed.add(cell)
        if measurement.allocated_bytes is not None or measurement.apparent_bytes is not None:
            self._stores.setdefault(store, {}).setdefault(cell, []).append(measurement)
            changed |= self._cells_of_store[store]
        size = measurement.pixel_bytes
        whole = cell.operation in _WHOLE or (cell.cutoff == 1 and not cell.operation.changes)
        if size is not None and whole and self._pixel_bytes.get(images) != size:
            self._pixel_bytes[images] = size
            changed |= self._cells_of_images[images]

    def _disk_usage(self, cell: Cell) -> DiskUsage | None:
        """Return the disk use of the stores of a cell, else of ``write-many``, else of another operation."""
        stores = self._stores.get(_store_key(cell))
        if not stores:
            return None
        nearest = min(stores, key=lambda other: _DISK_USE_ORDER.get(other.operation, 1))
        trials = stores.get(cell) or stores[nearest]
        names = dict.fromkeys(name for trial in trials for name in trial.disk_parts or {})
        return DiskUsage(
            median_int(trial.apparent_bytes for trial in trials),
            median_int(trial.allocated_bytes for trial in trials),
            median_int(trial.files for trial in trials),
            tuple((name, size) for name in names if (size := _median_part(trials, name)) is not None),
            median_int(trial.server_log_bytes for trial in trials),
        )


def _median_part(trials: Iterable[Measurement], name: str) -> int | None:
    return median_int((trial.disk_parts or {}).get(name) for trial in trials)


def _continues(before: Run, run: Run) -> bool:
    """Return whether a run is an earlier one with more trials, or the same."""
    count = len(before.measurements)
    return (
        (before.id, before.plan, before.datasets) == (run.id, run.plan, run.datasets)
        and 0 < count <= len(run.measurements)
        # Identical objects, not equal ones: when a run ends, each trial is replaced by one with its stop reason.
        and all(run.measurements[index] is before.measurements[index] for index in (0, count - 1))
    )


def _store_key(cell: Cell) -> _StoreKey:
    return (cell.dataset, cell.spec, cell.cutoff, cell.payload, cell.scratch)


def _plan_order(run: Run) -> Callable[[Cell], tuple[object, ...]]:
    """Return the sort key of cells: dataset, operation, levels, cutoff, spec, as the plan orders them."""
    datasets = {text: index for index, text in enumerate(run.plan.datasets)}
    # The source row comes first: it is the baseline of all others.
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
