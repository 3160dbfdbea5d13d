"""One block in one round: its writes, its reads of what was written, its changes, and the stores between."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from imgstore_tui.bench.plan.grid import Block
from imgstore_tui.bench.protocol.messages import Step, TrialOutcome, TrialRequest
from imgstore_tui.bench.trial.source_row import backend_class
from imgstore_tui.core.model import Cell, DatasetFacts, Measurement, Plan
from imgstore_tui.core.operations import CacheState, Operation, Status, SyncLevel
from imgstore_tui.core.spec import IN_PLACE, Spec
from imgstore_tui.core.units import counted

FEW_FILES = 8
"""A store of more files than this is deleted last: deleting many can slow the creates that follow."""
BUSY_NEIGHBOURS = 0.2
"""Cores kept busy by others from which on a row carries a warning."""
HOT_SHARE = 0.99
SKIPPED_BY_USER = "Skipped by the user."

_WITH_WORKERS = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)
"""Operations in which several workers take part; the others have one whatever the plan says."""


class RunServices(Protocol):
    """What a block needs of the run it is part of."""

    plan: Plan
    facts: dict[str, DatasetFacts]
    workspace: Path
    """Folder for what trials need beside their stores."""
    sources: dict[str, Path]
    """Folder of each dataset's pixel cache."""

    def execute(self, cell: Cell, number: int, request: TrialRequest) -> TrialOutcome:
        """Run one request, telling the listener how far it and the run are."""

    def record(self, measurement: Measurement, seconds: float) -> None:
        """Journal a measurement, then tell the listener."""

    def new_location(self) -> Path:
        """Return a folder for a store that does not exist yet."""

    def may_start(self, cell: Cell, number: int) -> bool:
        """Wait while the run is paused; then tell whether a trial of this cell is still wanted in this round."""

    def destroy(self, cell: Cell, number: int, request: TrialRequest, *, last: bool) -> None:
        """Run a request that removes a store: now, or when all else is done."""

    @property
    def stopped(self) -> bool:
        """Whether the run is to end."""


def _turn(cell: Cell) -> int:
    """When in its block a cell has its turn: writes, then reads of what is still in memory, cold reads, changes."""
    if cell.operation.changes:
        return 3
    if cell.operation.writes:
        return 0
    return 2 if cell.cache is CacheState.COLD else 1


@dataclass
class BlockRound:
    """One block in one round: its writes, its reads of what was written, and the stores between."""

    bench: RunServices
    block: Block
    number: int
    store: Path | None = None
    """A verified store that reads can use."""
    store_failure: TrialOutcome | None = None
    """Why there is none; its reads fail with it, or are skipped with it."""
    made: list[tuple[Cell, Path]] = field(default_factory=list)
    """Stores that were made, and for which cell."""

    def go(self) -> None:
        """Run the block's trials in this round, until the run is to end."""
        for cell in sorted(self.block.cells, key=_turn):
            if not self.bench.may_start(cell, self.number):
                continue
            began = time.monotonic()
            measurement: Measurement | None
            if not backend_class(self.block.spec).capabilities.claims(cell.operation):
                measurement = self._unclaimed(cell)
            elif cell.operation.changes:
                measurement = self._change(cell)
            else:
                measurement = self._write(cell) if cell.operation.writes else self._read(cell)
            if measurement is not None:
                self.bench.record(measurement, time.monotonic() - began)
        for cell, store in self.made:
            # What is not there was never made; and of a run that was told to stop all goes with its folder.
            if store.exists() and not self.bench.stopped:
                # Deleting many files can slow the creates that follow: such stores wait for the end of the run.
                request = self._request(Step.DESTROY, cell, store)
                self.bench.destroy(cell, self.number, request, last=_holds_many(store))

    def _new_location(self, cell: Cell) -> Path:
        location = self.bench.new_location()
        self.made.append((cell, location))
        return location

    def skipped(self, cell: Cell) -> Measurement:
        """Return what stands for a trial that the user does not want."""
        return self._measurement(cell, TrialOutcome(False, SKIPPED_BY_USER, skipped=True))

    def _unclaimed(self, cell: Cell) -> Measurement:
        reason = f"Backend {self.block.spec.backend} does not claim {cell.operation}."
        return self._measurement(cell, TrialOutcome(False, reason, skipped=True))

    def _request(self, step: Step, cell: Cell, location: Path) -> TrialRequest:
        plan = self.bench.plan
        return TrialRequest(
            step=step,
            spec=self.block.spec,
            operation=cell.operation,
            cutoff=cell.cutoff,
            location=str(location),
            pixel_cache=str(self.bench.sources[cell.dataset]),
            workspace=str(self.bench.workspace),
            payload=cell.payload,
            cache=cell.cache,
            drop_caches=plan.drop_caches,
            sync=cell.sync or SyncLevel.BUFFERED,
            workers=cell.workers,
            batch=plan.batch,
            seed=f"{plan.seed}/{self.number}/{cell.dataset}/{cell.cutoff}",
        )

    def _write(self, cell: Cell) -> Measurement | None:
        location = self._new_location(cell)
        outcome = self.bench.execute(cell, self.number, self._request(Step.TRIAL, cell, location))
        if outcome.cancelled:
            return None
        if cell.operation is Operation.WRITE_ONE:
            return self._measurement(cell, outcome)
        if outcome.ok:
            verified = self.bench.execute(cell, self.number, self._request(Step.VERIFY, cell, location))
            if verified.cancelled:
                return None
            if verified.ok:
                self.store = location
                outcome = replace(outcome, fields=outcome.fields | verified.fields)
            else:
                reason = f"Read back and found wrong: {verified.reason}"
                outcome = replace(outcome, ok=False, reason=reason, fields=outcome.fields | {"verified": False})
        if not outcome.ok and self.store is None:
            became = "was skipped" if outcome.skipped else "failed"
            self.store_failure = _not_run(f"write-many {became}: {outcome.reason}", outcome)
        return self._measurement(cell, outcome)

    def _read(self, cell: Cell) -> Measurement | None:
        if self.store is None and self.store_failure is None and not self._prepare(cell):
            return None
        if self.store is None:
            return None if self.store_failure is None else self._measurement(cell, self.store_failure)
        outcome = self.bench.execute(cell, self.number, self._request(Step.TRIAL, cell, self.store))
        return None if outcome.cancelled else self._measurement(cell, outcome)

    def _prepare(self, cell: Cell) -> bool:
        """Build and verify a store for the reads, off the clock; False if the run was stopped meanwhile."""
        if self.block.spec == IN_PLACE:
            # There is a store already, of a kind, and it is not ours: it never joins those that are removed.
            location = self.bench.sources[cell.dataset]
            outcome = self.bench.execute(cell, self.number, self._request(Step.VERIFY, cell, location))
            problem = "the files in place are not what was scanned"
        else:
            location, outcome = self._build(cell)
            problem = "the store to read could not be built"
        if outcome.ok:
            self.store = location
        elif not outcome.cancelled:
            self.store_failure = _not_run(f"{problem}: {outcome.reason}", outcome)
        return not outcome.cancelled

    def _build(self, cell: Cell) -> tuple[Path, TrialOutcome]:
        location = self._new_location(cell)
        outcome = self.bench.execute(cell, self.number, self._request(Step.PREPARE, cell, location))
        if outcome.ok:
            outcome = self.bench.execute(cell, self.number, self._request(Step.VERIFY, cell, location))
        return location, outcome

    def _change(self, cell: Cell) -> Measurement | None:
        """Append, overwrite or delete in a store of its own, built for it: no change meets another."""
        location, outcome = self._build(cell)
        if outcome.ok:
            outcome = self.bench.execute(cell, self.number, self._request(Step.TRIAL, cell, location))
        elif not outcome.cancelled:
            outcome = _not_run(f"the store to change could not be built: {outcome.reason}", outcome)
        return None if outcome.cancelled else self._measurement(cell, outcome)

    def _measurement(self, cell: Cell, outcome: TrialOutcome) -> Measurement:
        spec: Spec = self.block.spec
        fields = dict(outcome.fields)
        if not outcome.ok:
            # No verification, no score: a failed row keeps what is known of it, but no time.
            fields |= {"seconds": None, "samples": []}
        values = {
            "spec": spec.label,
            "backend": spec.backend,
            "codec": spec.codec,
            "preset": spec.preset,
            "options": dict(spec.options) | {f"codec.{name}": value for name, value in spec.codec_options},
            "dataset": cell.dataset,
            "operation": cell.operation,
            "cutoff": cell.cutoff,
            "round": self.number,
            "payload": cell.payload,
            "workers": cell.workers,
            "cache": cell.cache,
            "sync": cell.sync,
            "status": Status.OK if outcome.ok else Status.SKIPPED if outcome.skipped else Status.FAILED,
            "reason": outcome.reason,
            "scratch": cell.scratch,
            "batch": self.bench.plan.batch,
            "start": outcome.start,
            **fields,
        }
        measurement = Measurement.from_json(values)
        return replace(measurement, warnings=self._row_warnings(measurement))

    def _row_warnings(self, measurement: Measurement) -> tuple[str, ...]:
        warnings = []
        if measurement.workers > 1 and measurement.operation in _WITH_WORKERS:
            warnings.append("phases are the workers' seconds added up: they overlap")
        facts = self.bench.facts[measurement.dataset]
        if measurement.cutoff > facts.used:
            warnings.append(f"{counted(facts.used, 'image')} repeated to {measurement.cutoff:,}")
        if measurement.foreign_cpu is not None and measurement.foreign_cpu > BUSY_NEIGHBOURS:
            warnings.append(f"others kept {measurement.foreign_cpu:.1f} cores busy")
        resident = measurement.resident_before if measurement.cache is CacheState.HOT else None
        if resident is not None and resident < HOT_SHARE:
            warnings.append(f"hot, yet only {resident:.0%} of the store was in memory")
        if measurement.cache is CacheState.COLD and measurement.seconds is not None and measurement.io_read_bytes == 0:
            # The second witness: mincore has seen the files' pages only.
            warnings.append("cold, yet the kernel fetched nothing: it lay with the metadata, or in a cache below")
        return tuple(warnings)


def _holds_many(folder: Path) -> bool:
    files = (name for _, _, names in os.walk(folder) for name in names)
    return sum(1 for _ in itertools.islice(files, FEW_FILES + 1)) > FEW_FILES


def _not_run(why: str, cause: TrialOutcome) -> TrialOutcome:
    """Return what becomes of a trial without its store: skipped where that is not claimed, failed where it failed."""
    return TrialOutcome(False, f"Not run, because {why}", skipped=cause.skipped)
