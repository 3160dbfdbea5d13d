"""Looks up the evidence for claims in a run: cells by method, ratios between methods, disk use, probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import DatasetFacts, Probe, Run
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.units import counted, format_number
from imgstore_tui.stats.intervals import Interval
from imgstore_tui.stats.ratios import paired_ratio

METHODS = {"disk": "PNG files", "lmdb": "LMDB", "hdf5": "HDF5"}
"""The article's three methods by backend."""


class ClaimResult(StrEnum):
    """The result of judging a claim."""

    HOLDS = "holds"
    PARTLY = "holds in part"
    FAILS = "does not hold"
    OPEN = "cannot be told"
    UNMEASURED = "not measured"

    @property
    def words(self) -> str:
        """The result for a reader; the values are those of the JSON export."""
        return "too close to call" if self is ClaimResult.OPEN else self.value


@dataclass(frozen=True, slots=True)
class ClaimCase:
    """One case of a claim, its result, and the numbers behind it."""

    result: ClaimResult
    text: str


def combine_results(cases: Sequence[ClaimCase]) -> ClaimResult:
    """Return the result of several cases together; unmeasured cases are ignored if others are measured."""
    results = {case.result for case in cases} - {ClaimResult.UNMEASURED}
    if len(results) <= 1:
        return next(iter(results), ClaimResult.UNMEASURED)
    if results & {ClaimResult.HOLDS, ClaimResult.PARTLY}:
        return ClaimResult.PARTLY
    return ClaimResult.FAILS


def judge_ratio(ratio: Interval | None, low: float, high: float) -> ClaimResult:
    """Return whether the whole interval of a ratio lies between two bounds; open if it has too few rounds."""
    if ratio is None:
        return ClaimResult.UNMEASURED
    if ratio.is_range:
        return ClaimResult.OPEN
    if low < ratio.low and ratio.high < high:
        return ClaimResult.HOLDS
    return ClaimResult.FAILS if ratio.high <= low or ratio.low >= high else ClaimResult.OPEN


def ratio_range_text(ratio: Interval) -> str:
    """Return a ratio and its interval, or its range if it has too few rounds: ``14.3 (13.9 to 15.1)``."""
    return f"{format_number(ratio.median)} ({format_number(ratio.low)} to {format_number(ratio.high)})"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Looks up the cells and probes of a run that the article's claims are about."""

    run: Run
    summaries: tuple[CellSummary, ...]

    @property
    def dataset(self) -> str:
        """The dataset that stands for the article's: the first of the plan."""
        return next(iter(self.run.plan.datasets), "")

    @property
    def facts(self) -> dict[str, DatasetFacts]:
        """The facts of each dataset by its text."""
        return {entry.text: entry for entry in self.run.datasets}

    @property
    def by_size(self) -> list[tuple[str, str]]:
        """Datasets of uniform shape by ascending size of their images, with that size as text."""
        shaped = [(entry.shape, entry.text) for entry in self.run.datasets if entry.shape is not None]
        shaped.sort(key=lambda entry: entry[0][0] * entry[0][1])
        return [(text, f"{shape[0]}x{shape[1]}") for shape, text in shaped]

    def spec(self, backend: str) -> str:
        """Return the label of the first spec of a backend; empty if the plan has none."""
        return next((spec.label for spec in self.run.plan.specs if spec.backend == backend), "")

    def levels(self, operation: Operation) -> tuple[SyncLevel | None, ...]:
        """Return the sync levels at which an operation was measured; reads have none."""
        return self.run.plan.sync if operation.writes else (None,)

    def cell(
        self, backend: str, operation: Operation, cutoff: int, level: SyncLevel | None, dataset: str | None = None
    ) -> CellSummary | None:
        """Return the summary of a cell, of the first cache state for reads; None unless all its trials are valid.

        Args:
            backend: Backend of the method.
            operation: The operation.
            cutoff: Number of images.
            level: Sync level of writes; ignored for reads.
            dataset: Dataset; None for the first of the plan.
        """
        label, text = self.spec(backend), dataset or self.dataset
        for entry in self.summaries:
            cell = entry.cell
            if (cell.spec, cell.operation, cell.cutoff, cell.dataset) == (label, operation, cutoff, text) and (
                not operation.writes or cell.sync is level
            ):
                fit = entry.interval is not None and not (entry.failed or entry.skipped or entry.unverified)
                return entry if fit else None
        return None

    def cutoffs(self, operation: Operation, dataset: str | None = None) -> list[int]:
        """Return the numbers of images above one at which all three methods were measured, at every level."""
        return [
            cutoff
            for cutoff in self.run.plan.cutoffs
            if cutoff > 1
            and all(
                self.cell(backend, operation, cutoff, level, dataset) is not None
                for backend in METHODS
                for level in self.levels(operation)
            )
        ]

    def ratio(
        self,
        over: str,
        under: str,
        operation: Operation,
        cutoff: int,
        level: SyncLevel | None,
        dataset: str | None = None,
    ) -> Interval | None:
        """Return the ratio of the times of two methods, paired by round; None if one was not measured.

        Args:
            over: Backend of the numerator.
            under: Backend of the denominator.
            operation: The operation.
            cutoff: Number of images.
            level: Sync level of writes; ignored for reads.
            dataset: Dataset; None for the first of the plan.
        """
        first = self.cell(over, operation, cutoff, level, dataset)
        second = self.cell(under, operation, cutoff, level, dataset)
        if first is None or second is None:
            return None
        return paired_ratio(dict(first.rounds), dict(second.rounds))

    def allocated(self, backend: str, cutoff: int, dataset: str | None = None) -> int | None:
        """Return the allocated bytes of a method's store of ``cutoff`` images; None if they were not measured."""
        for level in self.levels(Operation.WRITE_MANY):
            entry = self.cell(backend, Operation.WRITE_MANY, cutoff, level, dataset)
            if entry is not None and entry.disk is not None:
                return entry.disk.allocated_bytes
        return None

    def probe(self, backend: str) -> Probe | None:
        """Return the probe of a backend; None if the run has none with values."""
        return next((probe for probe in self.run.probes if probe.backend == backend and probe.values), None)


def case_label(level: SyncLevel | None, cutoff: int) -> str:
    """Return level and number of images of a case: ``sync end, 1,000 images``."""
    count = counted(cutoff, "image")
    return count if level is None else f"sync {level}, {count}"
