"""Gathers what each method costs by each criterion, at one number of images and one level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from imgstore_tui.analysis.advice.weights import Criterion, Weights
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.analysis.verdict import exclusion_reason
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.core.spec import IN_PLACE

_READS = (Criterion.RANDOM, Criterion.READ, Criterion.SINGLE)
"""Criteria whose rows tell the memory of a method while it reads, the first choice first."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a method costs by one criterion."""

    criterion: Criterion
    value: float
    """Median seconds, bytes, or number of files."""
    row: Cell
    """The cell that it was measured in."""
    rounds: Mapping[int, float] = field(default_factory=dict)
    """Seconds by round; empty for what is not a time."""

    @property
    def weighed(self) -> float:
        """The value that is compared: below the floor of its criterion less is no better."""
        return max(self.value, self.criterion.floor)


@dataclass(frozen=True, slots=True)
class Levels:
    """Which cache state and sync level are compared."""

    cache: CacheState | None
    sync: SyncLevel | None

    @classmethod
    def of(cls, run: Run, *, cold: bool = False) -> Levels:
        """Return forced writes where they were measured, and hot reads unless cold ones are wished for and there.

        Args:
            run: The run.
            cold: Whether the images do not fit in memory.
        """
        states, levels = run.plan.cache, run.plan.sync
        wished = CacheState.COLD if cold else CacheState.HOT
        cache = wished if wished in states else next(iter(states), None)
        return cls(cache, SyncLevel.END if SyncLevel.END in levels else next(iter(levels), None))

    def include(self, cell: Cell) -> bool:
        """Return whether a cell is at these levels."""
        return cell.sync == self.sync if cell.operation.writes else cell.cache == self.cache


@dataclass(frozen=True, slots=True)
class CostTables:
    """What every method costs for one dataset, at one number of images and one level."""

    cutoff: int
    """Number of images; 0 where nothing was measured."""
    levels: Levels
    operations: Mapping[Criterion, Operation | None]
    """The operation that measures each criterion; None where none does."""
    figures: Mapping[str, Mapping[Criterion, Figure]]
    """Figures by method; the user's own files have those of reading alone."""
    psnr_db: Mapping[str, float]
    """PSNR of the lossy methods, decibels."""
    exclusions: Mapping[tuple[str, Operation], str]
    """Why a method is not ranked in an operation."""

    @property
    def measured(self) -> frozenset[Criterion]:
        """The criteria by which a method of the plan was measured."""
        return frozenset(
            criterion for spec, figures in self.figures.items() if spec != IN_PLACE.label for criterion in figures
        )

    def missing_reason(self, spec: str, criterion: Criterion) -> str:
        """Return why a method has no figure by a criterion, in a clause."""
        operation = self.operations[criterion]
        if operation is not None and (reason := self.exclusions.get((spec, operation))):
            return f"{operation}: {reason}"
        level = f" at {self.levels.sync or 'this level'}" if criterion is Criterion.WRITE else ""
        return f"{operation or criterion.describe} was not measured for it{level}"


def cost_tables(
    run: Run, summaries: Iterable[CellSummary], dataset: str, weights: Weights, *, cold: bool = False
) -> CostTables:
    """Gather the costs of all methods at the largest number of images that serves the weights.

    Args:
        run: The run.
        summaries: The summaries of its cells.
        dataset: The dataset as the plan has it.
        weights: Shares of the criteria.
        cold: Whether cold reads count where they were measured.
    """
    levels = Levels.of(run, cold=cold)
    of_data = [entry for entry in summaries if entry.cell.dataset == dataset]
    entries = [entry for entry in of_data if levels.include(entry.cell)]
    cutoff = _largest_shared(entries, weights)
    entries = [entry for entry in entries if entry.cell.cutoff == cutoff]
    operations = {criterion: _operation(entries, criterion) for criterion in Criterion}
    figures = {}
    for spec in dict.fromkeys(entry.cell.spec for entry in entries):
        own = [entry for entry in entries if entry.cell.spec == spec]
        figures[spec] = {
            criterion: figure for criterion in Criterion if (figure := _figure(own, criterion, operations)) is not None
        }
    exclusions = {
        (entry.cell.spec, entry.cell.operation): reason for entry in entries if (reason := exclusion_reason(entry))
    }
    psnr = {entry.cell.spec: entry.psnr_db for entry in of_data if entry.psnr_db is not None}
    return CostTables(cutoff, levels, operations, figures, psnr, exclusions)


def _largest_shared(entries: Sequence[CellSummary], weights: Weights) -> int:
    """Return the largest number of images at which most of the timed criteria with a weight have two methods."""
    timed = [criterion for criterion in weights if criterion.operations]
    counts: dict[int, int] = {}
    for cutoff in {entry.cell.cutoff for entry in entries}:
        ranked = [entry for entry in entries if entry.cell.cutoff == cutoff and exclusion_reason(entry) is None]
        counts[cutoff] = sum(
            len({entry.cell.spec for entry in ranked if entry.cell.operation in criterion.operations}) > 1
            for criterion in timed
        )
    return max(counts, key=lambda cutoff: (counts[cutoff], cutoff), default=0)


def _operation(entries: Iterable[CellSummary], criterion: Criterion) -> Operation | None:
    there = {entry.cell.operation for entry in entries if exclusion_reason(entry) is None and entry.rounds}
    return next((operation for operation in criterion.operations if operation in there), None)


def _figure(
    own: Sequence[CellSummary], criterion: Criterion, operations: Mapping[Criterion, Operation | None]
) -> Figure | None:
    """Return the figure of a method; None where it was not measured, or does not count."""
    if criterion.operations:
        entry = _entry(own, operations[criterion])
        if entry is None or entry.seconds is None or exclusion_reason(entry) is not None:
            return None
        return Figure(criterion, entry.seconds, entry.cell, dict(entry.rounds))
    if criterion is Criterion.MEMORY:
        entry = _entry(own, next((operations[read] for read in _READS if operations[read] is not None), None))
        if entry is None or entry.peak_private_bytes is None:
            return None
        return Figure(criterion, float(entry.peak_private_bytes), entry.cell)
    for entry in sorted(own, key=lambda entry: entry.cell.operation is not Operation.WRITE_MANY):
        if entry.disk is not None:
            size = entry.disk.files if criterion is Criterion.FILES else entry.disk.allocated_bytes
            if size is not None:
                return Figure(criterion, float(size), entry.cell)
    return None


def _entry(own: Iterable[CellSummary], operation: Operation | None) -> CellSummary | None:
    return next((entry for entry in own if entry.cell.operation is operation), None)
