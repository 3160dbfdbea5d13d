"""Serves the trials of a run: executes requests, records measurements, hands out locations, removes stores."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from imgstore_tui.bench.plan.remaining_work import RemainingWork
from imgstore_tui.bench.plan.stop_rule import StopRule
from imgstore_tui.bench.protocol.client_messages import ClientRunner
from imgstore_tui.bench.protocol.messages import Executor, Step, TrialOutcome, TrialRequest
from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.bench.run.budget import Budget
from imgstore_tui.bench.run.controls import CancelSignal, RunControls
from imgstore_tui.bench.run.failure_cause import with_cause
from imgstore_tui.bench.run.measurement import measurement_of
from imgstore_tui.bench.run.run_folder import RunFolder
from imgstore_tui.bench.run.server_ledger import ServerLedger
from imgstore_tui.bench.system.ext4_placement import unique_name, warm_directory
from imgstore_tui.bench.system.memory import oom_kills
from imgstore_tui.bench.trial.source_row import backend_class
from imgstore_tui.core.ceiling import Ceiling
from imgstore_tui.core.client_round import ClientRound
from imgstore_tui.core.events import Event, TrialFinished, TrialStarted, Warned
from imgstore_tui.core.location import Location, is_address
from imgstore_tui.core.model import Cell, DatasetFacts, Measurement, Plan, ServerFacts
from imgstore_tui.core.spec import Spec
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.server import ServerBackend

Listener = Callable[[Event], None]
LEAST_LIMIT_S = 120.0
"""Seconds without progress after which a trial counts as hung; larger trials get more."""


@dataclass
class RunServices:
    """Everything that the rounds of a run use: its folder, journal, executor and listener. It knows no rounds."""

    plan: Plan
    facts: dict[str, DatasetFacts]
    """Facts of each dataset, by its text."""
    folder: RunFolder
    ledger: ServerLedger
    journal: Journal
    executor: Executor
    cancel: threading.Event
    listen: Listener
    controls: RunControls
    work: RemainingWork
    stop_rule: StopRule
    budget: Budget
    measurements: list[Measurement] = field(default_factory=list)
    ceilings: list[Ceiling] = field(default_factory=list)
    client_rounds: list[ClientRound] = field(default_factory=list)
    servers: tuple[ServerFacts, ...] = ()
    client_runner: ClientRunner | None = None
    """Gives clients their processes, where the plan has any."""
    warnings: list[str] = field(default_factory=list)
    passing_warnings: set[str] = field(default_factory=set)
    """Those that hold no longer when the run has finished."""
    _done: set[tuple[Cell, int]] = field(default_factory=set)
    _stores: int = 0

    def __post_init__(self) -> None:
        # A run that is resumed repeats only what is missing.
        for measurement in self.measurements:
            self._finish(measurement)

    @property
    def stopped(self) -> bool:
        """Whether the run is to end."""
        return self.cancel.is_set()

    def pixel_cache(self, dataset: str) -> Path:
        """Return the folder of a dataset's pixel cache."""
        return self.folder.pixel_cache(list(self.facts).index(dataset))

    def is_done(self, cell: Cell, number: int) -> bool:
        """Return whether the trial of a cell in a round has been measured or skipped."""
        return (cell, number) in self._done

    def measurement_of(self, cell: Cell, spec: Spec, number: int, outcome: TrialOutcome) -> Measurement:
        """Return the measurement of a trial in a round, see ``run.measurement``."""
        return measurement_of(cell, spec, number, outcome, facts=self.facts[cell.dataset], batch=self.plan.batch)

    def execute(self, cell: Cell, number: int, request: TrialRequest) -> TrialOutcome:
        """Run one request; the listener gets the progress of the trial and of the run.

        Args:
            cell: The cell for which it is done.
            number: The round.
            request: What to do.
        """
        self.listen(TrialStarted(cell, number, request.step.value))
        remaining_s, expected_s = self.work.seconds, self.work.expect(cell)

        def report(images: int) -> None:
            share = min(1.0, images / cell.operation.images(cell.cutoff)) if request.step is Step.TRIAL else 0.0
            self.listen(
                self.work.progress(
                    images, remaining_s, self.budget.left_s,
                    expected_s=expected_s, share=share, known=bool(self.measurements),
                )
            )  # fmt: skip

        # Generous: a limit is for what hangs, not for what is slow, such as encoding large pictures.
        limit_s = LEAST_LIMIT_S + (0.02 + 2e-6 * self.facts[cell.dataset].image_bytes) * cell.cutoff
        kills = oom_kills()
        # A skipped cell's stores are removed nevertheless.
        cancel = self.cancel if request.step is Step.DESTROY else CancelSignal(self.cancel, self.controls, cell)
        folder: Path | None = Path(request.location).parent if request.location else self.folder.path
        if is_address(request.location):
            folder = None  # the state of a local file system explains nothing on a server
        outcome = with_cause(self.executor.run(request, limit_s, report, cancel), folder, kills)
        if outcome.cancelled and outcome.hung and outcome.reason is not None:
            # There is no row to say it in, and it does not concern the figures.
            self.listen(Warned(outcome.reason))
        report(cell.cutoff if outcome.ok else 0)
        return outcome

    def record(self, measurement: Measurement, seconds: float | None = None) -> None:
        """Journal a measurement, then tell the listener.

        Args:
            measurement: The trial.
            seconds: Wall time of the trial, everything around its clock included; None if it was not run.
        """
        if seconds is not None:
            self.work.learn(measurement.cell, seconds)
        self._finish(measurement)
        self.journal.add(measurement)
        self.measurements.append(measurement)
        self.listen(TrialFinished(measurement))

    def record_ceiling(self, ceiling: Ceiling) -> None:
        """Journal the trial of a ceiling. No listener gets it: it is no part of what is compared."""
        self.journal.add_ceiling(ceiling)
        self.ceilings.append(ceiling)

    def record_client_round(self, client_round: ClientRound) -> None:
        """Journal a round of several clients."""
        self.journal.add_client_round(client_round)
        self.client_rounds.append(client_round)
        self.work.finish_further()

    def _finish(self, measurement: Measurement) -> None:
        self._done.add((measurement.cell, measurement.round))
        self.work.finish(measurement.cell)
        for cell in self.stop_rule.add(measurement):
            self.work.stop(cell)

    def warn(self, text: str, *, passing: bool = False) -> None:
        """Journal a warning, then tell the listener; a passing one holds until the run is resumed or has finished."""
        self.warnings.append(text)
        if passing:
            self.passing_warnings.add(text)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.journal.warn(text, passing=passing, at=at)
        self.listen(Warned(text, at))

    def new_location(self, spec: Spec) -> Location:
        """Return a path or a name on a server for a store that does not exist yet; it is listed before it is made."""
        backend = backend_class(spec)
        if issubclass(backend, ServerBackend):
            return self.ledger.claim(backend)
        self._stores += 1
        folder = self.folder.claim(unique_name(f"store-{self._stores:06}"))
        suffix = backend.file_suffix if issubclass(backend, LocalBackend) else ""
        return folder / f"store{suffix}" if warm_directory(folder) else folder
