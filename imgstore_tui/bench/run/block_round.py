"""Runs one block in one round: its writes, the reads of what was written, its changes, and the stores in between."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from imgstore_tui.bench.plan.grid import Block
from imgstore_tui.bench.protocol.messages import Step, TrialOutcome, TrialRequest
from imgstore_tui.bench.run.services import RunServices
from imgstore_tui.bench.trial.source_row import backend_class
from imgstore_tui.core.backend import Backend
from imgstore_tui.core.location import Location, public_text
from imgstore_tui.core.model import Cell, Measurement
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.plugins import registry

FEW_FILES = 8
"""A store of more files than this is deleted last: deleting many can slow the creates that follow."""


def _rank(cell: Cell) -> int:
    """Return the position of a cell in its block: writes, reads of what is still in memory, cold reads, changes."""
    if cell.operation.changes:
        return 3
    if cell.operation.writes:
        return 0
    return 2 if cell.cache is CacheState.COLD else 1


@dataclass
class BlockRound:
    """One block in one round."""

    services: RunServices
    block: Block
    number: int
    store: Location | None = None
    """A verified store that reads can use."""
    store_failure: TrialOutcome | None = None
    """Why there is no such store; its reads fail, or are skipped, with the same reason."""
    made: list[tuple[Cell, Location]] = field(default_factory=list)
    """Locations that were handed out, and for which cell."""

    @property
    def cells(self) -> list[Cell]:
        """The block's cells in the order in which they are measured."""
        return sorted(self.block.cells, key=_rank)

    def measure(self, cell: Cell) -> Measurement | None:
        """Run the trial of a cell; None if it was cancelled."""
        if not backend_class(self.block.spec).capabilities.claims(cell.operation):
            reason = f"Backend {self.block.spec.backend} does not claim {cell.operation}."
            outcome = TrialOutcome(False, reason, skipped=True)
        elif cell.operation is Operation.READ_LABELS and not self.services.facts[cell.dataset].has_labels:
            outcome = TrialOutcome(False, "Not applicable: the images have no labels.", skipped=True)
        elif cell.operation.changes:
            outcome = self._edit(cell)
        elif cell.operation.writes:
            outcome = self._write(cell)
        else:
            outcome = self._read(cell)
        if outcome.cancelled:
            return None
        return self.services.measurement_of(cell, self.block.spec, self.number, outcome)

    def remove_stores(self) -> None:
        """Remove the block's stores; what is left, as of a stopped run, is removed with the run's folder."""
        for cell, store in self.made:
            # What does not exist was never made; whether a server has something only the server knows.
            if self.services.stopped or (isinstance(store, Path) and not self._backend.exists(store)):
                continue
            # Deleting many files can slow the creates that follow: such stores wait for the end of the run.
            if isinstance(store, Path) and _has_many_files(store):
                continue
            self._execute(Step.DESTROY, cell, store)

    @property
    def _backend(self) -> Backend:
        return registry.make_backend(self.block.spec)

    def _new_location(self, cell: Cell) -> Location:
        location = self.services.new_location(self.block.spec)
        self.made.append((cell, location))
        return location

    def _request(self, step: Step, cell: Cell, location: Location) -> TrialRequest:
        plan = self.services.plan
        return TrialRequest(
            step=step,
            spec=self.block.spec,
            operation=cell.operation,
            cutoff=cell.cutoff,
            location=public_text(location),
            pixel_cache=str(self.services.pixel_cache(cell.dataset)),
            workspace=str(self.services.folder.workspace),
            payload=cell.payload,
            cache=cell.cache,
            drop_caches=plan.drop_caches,
            sync=SyncLevel.BUFFERED if cell.sync in (None, SyncLevel.FORCED) else cell.sync,
            workers=cell.workers,
            batch=plan.batch,
            seed=f"{plan.seed}/{self.number}/{cell.dataset}/{cell.cutoff}",
        )

    def _execute(self, step: Step, cell: Cell, location: Location) -> TrialOutcome:
        return self.services.execute(cell, self.number, self._request(step, cell, location))

    def _write(self, cell: Cell) -> TrialOutcome:
        location = self._new_location(cell)
        outcome = self._execute(Step.TRIAL, cell, location)
        if outcome.cancelled or cell.operation is Operation.WRITE_ONE:
            return outcome
        if outcome.ok:
            verification = self._execute(Step.VERIFY, cell, location)
            if verification.cancelled:
                return verification
            if verification.ok:
                self.store = location
                result = replace(outcome.result, verified=True, psnr_db=verification.result.psnr_db)
                outcome = replace(outcome, result=result)
            else:
                reason = f"Read back and found wrong: {verification.reason}"
                outcome = replace(outcome, ok=False, reason=reason, result=replace(outcome.result, verified=False))
        if not outcome.ok and self.store is None:
            became = "was skipped" if outcome.skipped else "failed"
            self.store_failure = _not_run(f"write-many {became}: {outcome.reason}", outcome)
        return outcome

    def _read(self, cell: Cell) -> TrialOutcome:
        if self.store is None and self.store_failure is None:
            preparation = self._prepare(cell)
            if preparation.cancelled:
                return preparation
        if self.store is not None:
            return self._execute(Step.TRIAL, cell, self.store)
        if self.store_failure is None:
            raise ValueError("a block has neither a store nor a reason why not")
        return self.store_failure

    def _prepare(self, cell: Cell) -> TrialOutcome:
        """Build and verify a store for the reads, off the clock."""
        if self.block.spec == IN_PLACE:
            # The user's own files: they never join the stores that are removed.
            location: Location = self.services.pixel_cache(cell.dataset)
            outcome = self._execute(Step.VERIFY, cell, location)
            problem = "the files in place are not what was scanned"
        else:
            location, outcome = self._build(cell)
            problem = "the store to read could not be built"
        if outcome.ok:
            self.store = location
        elif not outcome.cancelled:
            self.store_failure = _not_run(f"{problem}: {outcome.reason}", outcome)
        return outcome

    def _build(self, cell: Cell) -> tuple[Location, TrialOutcome]:
        location = self._new_location(cell)
        outcome = self._execute(Step.PREPARE, cell, location)
        if outcome.ok:
            outcome = self._execute(Step.VERIFY, cell, location)
        return location, outcome

    def _edit(self, cell: Cell) -> TrialOutcome:
        """Append, overwrite or delete in a store that is built for this trial: no change meets another."""
        location, outcome = self._build(cell)
        if outcome.ok:
            return self._execute(Step.TRIAL, cell, location)
        if outcome.cancelled:
            return outcome
        return _not_run(f"the store to change could not be built: {outcome.reason}", outcome)


def _has_many_files(folder: Path) -> bool:
    files = (name for _, _, names in os.walk(folder) for name in names)
    return sum(1 for _ in itertools.islice(files, FEW_FILES + 1)) > FEW_FILES


def _not_run(why: str, cause: TrialOutcome) -> TrialOutcome:
    """Return the outcome of a trial without its store: skipped if the store's request was skipped, else failed."""
    return TrialOutcome(False, f"Not run, because {why}", skipped=cause.skipped)
