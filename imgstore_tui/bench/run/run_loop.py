"""A run that is going on: rounds, budget, progress, and what has been measured so far."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from imgstore_tui.bench.plan.cost_model import CostModel
from imgstore_tui.bench.plan.grid import plan_blocks, plan_cells, shuffled, with_files
from imgstore_tui.bench.protocol.messages import Executor, Step, TrialOutcome, TrialRequest
from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.bench.results.past_costs import load_past_costs
from imgstore_tui.bench.run.block_round import BlockRound
from imgstore_tui.bench.run.controls import CancelSignal, RunControls
from imgstore_tui.bench.run.data_warnings import warnings_of
from imgstore_tui.bench.run.failure_cause import oom_kills, with_cause
from imgstore_tui.bench.run.feasible import short_budget
from imgstore_tui.bench.run.probes import run_probes
from imgstore_tui.bench.run.scratch import RunFolder
from imgstore_tui.bench.system.ext4_placement import unique_name, warm_directory
from imgstore_tui.core.events import (
    CellSkipped,
    Continued,
    Event,
    Paused,
    Progress,
    RunFinished,
    RunStarted,
    TrialFinished,
    TrialStarted,
    Warned,
)
from imgstore_tui.core.model import Cell, DatasetFacts, Measurement, Probe, Run, with_stops

Listener = Callable[[Event], None]
PAUSE_POLL_S = 0.05
LEAST_LIMIT_S = 120.0
"""A trial is given this, and more the larger it is, before it is taken to hang."""


def pixel_cache_folder(folder: RunFolder, number: int) -> Path:
    """Return where the pixel cache of a run's dataset lies."""
    return folder.path / f"source-{number}"


@dataclass
class RunLoop:
    """One run that is going on."""

    run: Run
    facts: dict[str, DatasetFacts]
    folder: RunFolder
    journal: Journal
    executor: Executor
    cancel: threading.Event
    listen: Listener
    data_warnings: tuple[str, ...] = ()
    controls: RunControls = field(default_factory=RunControls)
    measurements: list[Measurement] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan = self.run.plan
        self.image_bytes = {text: fact.pixel_bytes / max(1, fact.used) for text, fact in self.facts.items()}
        self.costs = CostModel(self.image_bytes)
        filed = with_files(self.facts.values())
        self.blocks = plan_blocks(self.plan, filed)
        self.workspace = self.folder.workspace
        self.sources = {text: pixel_cache_folder(self.folder, number) for number, text in enumerate(self.facts)}
        self.left: dict[Cell, int] = dict.fromkeys(plan_cells(self.plan, filed), self.plan.rounds)
        self.spent_s = 0.0
        self.began = time.monotonic()
        self.paused_s = 0.0
        self.skipped: set[Cell] = set()
        self.stores = 0
        self.heavy: list[tuple[Cell, int, TrialRequest]] = []
        """Removals of stores that wait for the end."""
        self.done: set[tuple[Cell, int]] = set()
        for measurement in self.run.measurements:
            # A run that is resumed repeats only what is missing.
            self.done.add((measurement.cell, measurement.round))
            self.left[measurement.cell] = self.left.get(measurement.cell, 1) - 1
            self.measurements.append(measurement)
        self.warnings += self.run.warnings

    def go(self) -> Run:
        """Run all rounds and return the run."""
        expected = self._remaining_s()
        self.listen(RunStarted(self.run, tuple(self.left), expected, str(self.journal.path)))
        if not self.run.measurements:
            for text in (*self.data_warnings, *warnings_of(self.run, self.facts, self.sources)):
                self._warn(text)
            if text := short_budget(self.plan, tuple(self.left), self.image_bytes, load_past_costs()):
                self._warn(text, passing=True)
        status = self._rounds()
        self._skip_unwanted()
        probes = self._probe() if self.plan.probes and status == "finished" else self.run.probes
        if self.cancel.is_set():
            status = "stopped"
        finished = _now()
        self.journal.end(status, finished)
        for cell, number, request in self.heavy:
            if not self.cancel.is_set():
                self.execute(cell, number, request)
        run = replace(
            self.run,
            measurements=tuple(self.measurements),
            warnings=tuple(self.warnings),
            probes=probes,
            paused_s=self.run.paused_s + self.paused_s,
            status=status,
            finished_at=finished,
        )
        run = with_stops(run)
        self.listen(RunFinished(run))
        return run

    def _rounds(self) -> str:
        self.began = time.monotonic()
        for number in range(self.plan.rounds):
            self.executor.begin_round()
            for block in shuffled(self.blocks, self.plan.seed, number):
                if self.cancel.is_set():
                    return "stopped"
                if self._budget_left_s() < 0:
                    self._warn(
                        f"The time budget of {self.plan.budget_s:.0f} s was spent in round {number + 1} "
                        f"of {self.plan.rounds}; the rest was not run. "
                        f"Measure it with: imgstore-tui resume {self.run.id}",
                        passing=True,
                    )
                    return "budget"
                cells = tuple(cell for cell in block.cells if (cell, number) not in self.done)
                BlockRound(self, replace(block, cells=cells), number).go()
        return "stopped" if self.cancel.is_set() else "finished"

    def _probe(self) -> tuple[Probe, ...]:
        """Ask every storage method, on the first dataset, for what it finds out about itself."""
        text = self.plan.datasets[0]
        asked = {probe.spec for probe in self.run.probes}
        specs = [spec for spec in self.plan.specs if spec.label not in asked]
        found = run_probes(specs, self.facts[text], self.sources[text], self.folder, self.executor, self.cancel)
        for probe in found:
            self.journal.add_probe(probe)
        return (*self.run.probes, *found)

    def _warn(self, text: str, *, passing: bool = False) -> None:
        self.warnings.append(text)
        self.journal.warn(text, passing=passing)
        self.listen(Warned(text))

    def _budget_left_s(self) -> float:
        """Return for how long trials may still begin; infinite without a budget."""
        if self.plan.budget_s is None:
            return math.inf
        return self.plan.budget_s - (time.monotonic() - self.began - self.paused_s)

    def _remaining_s(self) -> float:
        return sum(self.costs.expect(cell) * count for cell, count in self.left.items())

    def may_start(self, cell: Cell, number: int) -> bool:
        """Wait while the run is paused; then tell whether a trial of this cell is still wanted in this round."""
        self._skip_unwanted()
        if self.controls.paused and not self.cancel.is_set():
            self._pause()
        return not self.cancel.is_set() and (cell, number) not in self.done

    def _pause(self) -> None:
        """Wait until the user lets trials start again; what that takes counts nowhere."""
        began = time.monotonic()
        self.journal.pause(_now())
        self.listen(Paused())
        while self.controls.paused and not self.cancel.wait(PAUSE_POLL_S):
            self._skip_unwanted()
        paused_s = time.monotonic() - began
        self.paused_s += paused_s
        self.journal.unpause(paused_s)
        self.listen(Continued(paused_s))

    def _skip_unwanted(self) -> None:
        """Write down what the user wants no more of: a trial a round, so that a resumed run leaves it alone, too."""
        for cell in self.controls.skipped - self.skipped:
            self.skipped.add(cell)
            block = next((block for block in self.blocks if cell in block.cells), None)
            if block is None:
                continue
            self.journal.skip(cell, _now())
            self.listen(CellSkipped(cell))
            for number in range(self.plan.rounds):
                if (cell, number) not in self.done:
                    self._keep(BlockRound(self, block, number).skipped(cell))

    def new_location(self) -> Path:
        """Return a folder for a store that does not exist yet."""
        self.stores += 1
        place = self.folder.claim(unique_name(f"store-{self.stores:06}"))
        return place / "store" if warm_directory(place) else place

    def destroy(self, cell: Cell, number: int, request: TrialRequest, *, last: bool) -> None:
        """Run a request that removes a store: now, or when all else is done.

        Where it fails, what is left is removed, or named, with the run's folder.
        """
        if last:
            self.heavy.append((cell, number, request))
        else:
            self.execute(cell, number, request)

    @property
    def stopped(self) -> bool:
        """Whether the run is to end."""
        return self.cancel.is_set()

    def execute(self, cell: Cell, number: int, request: TrialRequest) -> TrialOutcome:
        """Run one request, telling the listener how far it and the run are."""
        self.listen(TrialStarted(cell, number, request.step.value))
        remaining = self._remaining_s()

        def progress(images: int) -> None:
            expected = self.costs.expect(cell)
            share = min(1.0, images / cell.operation.images(cell.cutoff)) if request.step is Step.TRIAL else 0.0
            left = max(0.0, remaining - share * expected)
            total = self.spent_s + remaining
            # The budget lets no more begin, but what has begun comes to its end.
            within = min(left, max(self._budget_left_s(), (1 - share) * expected))
            known = within if self.measurements else None
            self.listen(Progress(images, 1 - left / total if total else 1.0, known))

        # Generous: a limit is for what hangs, not for what is slow, such as to encode large pictures.
        limit_s = LEAST_LIMIT_S + (0.02 + 2e-6 * self.image_bytes[cell.dataset]) * cell.cutoff
        kills = oom_kills()
        # Who skips a cell wants its store gone no less.
        ending = self.cancel if request.step is Step.DESTROY else CancelSignal(self.cancel, self.controls, cell)
        place = Path(request.location).parent if request.location else self.folder.path
        outcome = with_cause(self.executor.run(request, limit_s, progress, ending), place, kills)
        if outcome.cancelled and outcome.hung and outcome.reason is not None:
            # There is no row to say it in, and it is no matter of the figures.
            self.listen(Warned(outcome.reason))
        progress(cell.cutoff if outcome.ok else 0)
        return outcome

    def record(self, measurement: Measurement, seconds: float) -> None:
        """Journal a measurement, then tell the listener."""
        self.spent_s += seconds
        self.costs.learn(measurement.cell, seconds)
        self._keep(measurement)

    def _keep(self, measurement: Measurement) -> None:
        self.done.add((measurement.cell, measurement.round))
        self.left[measurement.cell] -= 1
        self.journal.add(measurement)
        self.measurements.append(measurement)
        self.listen(TrialFinished(measurement))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
