"""Runs a plan: prepares the data, interleaves the rounds, hands jobs to an executor, journals what comes back."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from imgstore_tui import registry
from imgstore_tui.bench.environment import describe_environment
from imgstore_tui.bench.eta import CostModel
from imgstore_tui.bench.executor import ProcessExecutor
from imgstore_tui.bench.job import Executor, Job, Outcome, Step
from imgstore_tui.bench.journal import Journal, runs_folder
from imgstore_tui.bench.lock import RunLock
from imgstore_tui.bench.plan import check_plan
from imgstore_tui.bench.preflight import check_content, check_space
from imgstore_tui.bench.rounds import Block, plan_blocks, plan_cells, shuffled
from imgstore_tui.bench.scratch import choose_scratch, make_run_folder, remove_run_folder
from imgstore_tui.bench.source import build_source
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.events import (
    Event,
    Preparing,
    Progress,
    RunFinished,
    RunStarted,
    TrialFinished,
    TrialStarted,
    Warned,
)
from imgstore_tui.core.model import Cell, DatasetFacts, Measurement, Plan, Run
from imgstore_tui.core.operations import CacheState, Operation, Status, SyncLevel
from imgstore_tui.core.spec import Spec

Listener = Callable[[Event], None]

FEW_FILES = 8
"""A store of more files than this is deleted last: deleting many can slow the creates that follow."""
BUSY_NEIGHBOURS = 0.2
"""Cores kept busy by others from which on a row carries a warning."""
HOT_SHARE = 0.99


class Stopped(ImgstoreError):
    """The run was stopped before its first trial."""


def run_plan(
    plan: Plan,
    *,
    executor: Executor | None = None,
    cancel: threading.Event | None = None,
    listen: Listener = lambda _: None,
) -> Run:
    """Run a plan to its end, its budget, or until ``cancel`` is set.

    Args:
        plan: What to run.
        executor: Runs the jobs; None for real child processes.
        cancel: When set, the running trial is killed and what has been measured is kept.
        listen: Told of every event, in this thread; what it does delays the run, never a running clock's trial.

    Returns:
        The run with all its measurements, as its journal holds it.

    Raises:
        ImgstoreError: If the run cannot start; nothing is left behind.
    """
    check_plan(plan)
    cancelled = cancel or threading.Event()
    with RunLock() as lock, contextlib.ExitStack() as stack:
        datasets = {text: _scan(text, listen) for text in plan.datasets}
        roots = [root for dataset in datasets.values() for root in dataset.roots]
        place = choose_scratch(plan.scratch, roots)
        check_space(plan, datasets, place)
        started = datetime.now(UTC)
        run_id = _new_id(started, plan)
        folder = make_run_folder(place, run_id)
        stack.callback(remove_run_folder, folder)
        facts = {}
        for number, (text, dataset) in enumerate(datasets.items()):
            facts[text] = _build(dataset, text, plan, folder / f"source-{number}", listen, cancelled)
        if cancelled.is_set():
            raise Stopped("Stopped before the first trial; nothing was measured.")
        check_content(plan, facts)
        modules = {name for spec in plan.specs for name in registry.backends.get(spec.backend).requires}
        environment = describe_environment(place, roots, modules)
        run = Run(run_id, plan, environment, tuple(facts.values()), started.isoformat(timespec="seconds"))
        journal = Journal.begin(run)
        stack.callback(journal.close)
        lock.name(f"run {run_id}")
        jobs = executor or ProcessExecutor(plan.specs)
        stack.callback(jobs.close)
        said = tuple(f"{text}: {warning}" for text, dataset in datasets.items() for warning in dataset.warnings)
        return _Session(run, facts, folder, journal, jobs, cancelled, listen, said).go()


def _scan(text: str, listen: Listener) -> Dataset:
    dataset = registry.make_dataset(text)
    dataset.scan(lambda what, done, total: listen(Preparing(what, done, total)))
    return dataset


def _build(
    dataset: Dataset, text: str, plan: Plan, folder: Path, listen: Listener, cancel: threading.Event
) -> DatasetFacts:
    folder.mkdir()
    originals = any(registry.codecs.get(spec.codec).from_file for spec in plan.specs)

    def progress(done: int, total: int) -> None:
        listen(Preparing(f"decoding {dataset.summary}", done, total))

    return build_source(dataset, text, max(plan.cutoffs), folder, originals=originals, progress=progress, cancel=cancel)


def _new_id(started: datetime, plan: Plan) -> str:
    word = "".join(letter for letter in plan.name if letter.isalnum() or letter in "-_")[:20]
    base = f"{started:%Y%m%d-%H%M%S}-{word or 'run'}"
    number = 1
    run_id = base
    while (runs_folder() / f"{run_id}.jsonl").exists():
        number += 1
        run_id = f"{base}-{number}"
    return run_id


@dataclass
class _Session:
    """One run that is going on."""

    run: Run
    facts: dict[str, DatasetFacts]
    folder: Path
    journal: Journal
    executor: Executor
    cancel: threading.Event
    listen: Listener
    data_warnings: tuple[str, ...] = ()
    measurements: list[Measurement] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan = self.run.plan
        self.costs = CostModel(self.facts)
        self.blocks = plan_blocks(self.plan)
        self.sources = {text: self.folder / f"source-{number}" for number, text in enumerate(self.facts)}
        self.left: dict[Cell, int] = dict.fromkeys(plan_cells(self.plan), self.plan.rounds)
        self.spent_s = 0.0
        self.stores = 0

    def go(self) -> Run:
        """Run all rounds and return the run."""
        expected = self._remaining_s()
        self.listen(RunStarted(self.run, tuple(self.left), expected, str(self.journal.path)))
        for text in self.data_warnings:
            self._warn(text)
        self._warn_of_data()
        status = self._rounds()
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        self.journal.end(status, finished)
        run = replace(
            self.run,
            measurements=tuple(self.measurements),
            warnings=tuple(self.warnings),
            status=status,
            finished_at=finished,
        )
        self.listen(RunFinished(run))
        return run

    def _rounds(self) -> str:
        began = time.monotonic()
        budget = self.plan.budget_s
        for number in range(self.plan.rounds):
            self.executor.begin_round()
            for block in shuffled(self.blocks, self.plan.seed, number):
                if self.cancel.is_set():
                    return "stopped"
                if budget is not None and time.monotonic() - began > budget:
                    self._warn(
                        f"The time budget of {budget:.0f} s was spent in round {number + 1} of {self.plan.rounds}; "
                        "the rest was not run. Give more with --budget, or ask for fewer cutoffs."
                    )
                    return "budget"
                _BlockRound(self, block, number).go()
        return "stopped" if self.cancel.is_set() else "finished"

    def _warn_of_data(self) -> None:
        for text, facts in self.facts.items():
            if facts.repeated:
                self._warn(
                    f"{text} has {facts.used:,} images: cutoffs beyond that repeat them, "
                    "which a store or file system that deduplicates would notice."
                )
            if facts.excluded_count:
                self._warn(f"{text}: {facts.excluded_count:,} files cannot take part; `show` lists them.")
        if self.run.environment.same_device_as_data is False:
            self._warn(f"The stores are made on another device than the data: {self.run.environment.scratch}.")

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self.journal.warn(text)
        self.listen(Warned(text))

    def _remaining_s(self) -> float:
        return sum(self.costs.expect(cell) * count for cell, count in self.left.items())

    def execute(self, cell: Cell, number: int, job: Job) -> Outcome:
        """Run one job, telling the listener how far it and the run are."""
        self.listen(TrialStarted(cell, number, job.step.value))
        remaining = self._remaining_s()

        def progress(images: int) -> None:
            expected = self.costs.expect(cell)
            share = min(1.0, images / max(1, cell.cutoff)) if job.step is Step.TRIAL else 0.0
            left = max(0.0, remaining - share * expected)
            total = self.spent_s + remaining
            known = left if self.measurements else None
            self.listen(Progress(images, 1 - left / total if total else 1.0, known))

        # Generous: a limit is for what hangs, not for what is slow.
        limit_s = 120 + 0.02 * cell.cutoff
        outcome = self.executor.run(job, limit_s, progress, self.cancel)
        progress(cell.cutoff if outcome.ok else 0)
        return outcome

    def record(self, measurement: Measurement, seconds: float) -> None:
        """Journal a measurement, then tell the listener."""
        self.spent_s += seconds
        self.left[measurement.cell] -= 1
        self.costs.learn(measurement.cell, seconds)
        self.journal.add(measurement)
        self.measurements.append(measurement)
        self.listen(TrialFinished(measurement))


def _turn(cell: Cell) -> int:
    """When in its block a cell has its turn: writes, then reads of what is still in memory, cold reads, changes."""
    if cell.operation.changes:
        return 3
    if cell.operation.writes:
        return 0
    return 2 if cell.cache is CacheState.COLD else 1


@dataclass
class _BlockRound:
    """One block in one round: its writes, its reads of what was written, and the stores between."""

    session: _Session
    block: Block
    number: int
    store: Path | None = None
    """A verified store that reads can use."""
    store_failure: str | None = None
    light: list[Path] = field(default_factory=list)
    """Stores of few files, removed when the block is done."""

    def go(self) -> None:
        for cell in sorted(self.block.cells, key=_turn):
            if self.session.cancel.is_set():
                break
            began = time.monotonic()
            if cell.operation.changes:
                measurement = self._change(cell)
            else:
                measurement = self._write(cell) if cell.operation.writes else self._read(cell)
            if measurement is not None:
                self.session.record(measurement, time.monotonic() - began)
        for store in self.light:
            shutil.rmtree(store, ignore_errors=True)

    def _job(self, step: Step, cell: Cell, location: Path) -> Job:
        plan = self.session.plan
        return Job(
            step=step,
            spec=self.block.spec,
            operation=cell.operation,
            cutoff=cell.cutoff,
            location=str(location),
            source=str(self.session.sources[cell.dataset]),
            workspace=str(self.session.folder),
            payload=cell.payload,
            cache=cell.cache,
            drop_caches=plan.drop_caches,
            sync=cell.sync or SyncLevel.BUFFERED,
            workers=cell.workers,
            batch=plan.batch,
            seed=f"{plan.seed}/{self.number}/{cell.dataset}/{cell.cutoff}",
        )

    def _new_location(self) -> Path:
        self.session.stores += 1
        return self.session.folder / f"store-{self.session.stores:06}"

    def _write(self, cell: Cell) -> Measurement | None:
        location = self._new_location()
        self.light.append(location)
        outcome = self.session.execute(cell, self.number, self._job(Step.TRIAL, cell, location))
        if outcome.cancelled:
            return None
        if cell.operation is Operation.WRITE_ONE:
            return self._measurement(cell, outcome)
        if (outcome.fields.get("files") or 0) > FEW_FILES:
            self.light.remove(location)
        if outcome.ok:
            verified = self.session.execute(cell, self.number, self._job(Step.VERIFY, cell, location))
            if verified.cancelled:
                return None
            if verified.ok:
                self.store = location
                outcome = replace(outcome, fields=outcome.fields | verified.fields)
            else:
                reason = f"Read back and found wrong: {verified.reason}"
                outcome = replace(outcome, ok=False, reason=reason, fields=outcome.fields | {"verified": False})
        if not outcome.ok and self.store is None:
            self.store_failure = f"write-many failed: {outcome.reason}"
        return self._measurement(cell, outcome)

    def _read(self, cell: Cell) -> Measurement | None:
        if self.store is None and self.store_failure is None and not self._prepare(cell):
            return None
        if self.store is None:
            return self._measurement(cell, Outcome(False, f"Not run, because {self.store_failure}"))
        outcome = self.session.execute(cell, self.number, self._job(Step.TRIAL, cell, self.store))
        return None if outcome.cancelled else self._measurement(cell, outcome)

    def _prepare(self, cell: Cell) -> bool:
        """Build and verify a store for the reads, off the clock; False if the run was stopped meanwhile."""
        location, outcome = self._build(cell)
        if outcome.ok:
            self.store = location
        else:
            self.store_failure = f"the store to read could not be built: {outcome.reason}"
        return not outcome.cancelled

    def _build(self, cell: Cell) -> tuple[Path, Outcome]:
        location = self._new_location()
        self.light.append(location)
        outcome = self.session.execute(cell, self.number, self._job(Step.PREPARE, cell, location))
        if outcome.ok:
            outcome = self.session.execute(cell, self.number, self._job(Step.VERIFY, cell, location))
        return location, outcome

    def _change(self, cell: Cell) -> Measurement | None:
        """Append, overwrite or delete in a store of its own, built for it: no change meets another."""
        claimed = getattr(registry.backends.get(self.block.spec.backend).capabilities, cell.operation.value)
        if not claimed:
            reason = f"Backend {self.block.spec.backend} does not claim {cell.operation}."
            return self._measurement(cell, Outcome(False, reason, unsupported=True))
        location, outcome = self._build(cell)
        if outcome.ok:
            outcome = self.session.execute(cell, self.number, self._job(Step.TRIAL, cell, location))
        elif not outcome.cancelled:
            outcome = Outcome(False, f"Not run, because the store to change could not be built: {outcome.reason}")
        return None if outcome.cancelled else self._measurement(cell, outcome)

    def _measurement(self, cell: Cell, outcome: Outcome) -> Measurement:
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
            "status": Status.OK if outcome.ok else Status.SKIPPED if outcome.unsupported else Status.FAILED,
            "reason": outcome.reason,
            "scratch": cell.scratch,
            "batch": self.session.plan.batch,
            "start": outcome.start,
            **fields,
        }
        measurement = Measurement.from_json(values)
        return replace(measurement, warnings=self._row_warnings(measurement))

    def _row_warnings(self, measurement: Measurement) -> tuple[str, ...]:
        warnings = []
        if measurement.workers > 1:
            warnings.append("phases are the workers' seconds added up: they overlap")
        facts = self.session.facts[measurement.dataset]
        if measurement.cutoff > facts.used:
            warnings.append(f"{facts.used:,} images repeated to {measurement.cutoff:,}")
        if measurement.foreign_cpu is not None and measurement.foreign_cpu > BUSY_NEIGHBOURS:
            warnings.append(f"others kept {measurement.foreign_cpu:.1f} cores busy")
        if measurement.resident_before is not None and measurement.resident_before < HOT_SHARE:
            warnings.append(f"hot, yet only {measurement.resident_before:.0%} of the store was in memory")
        return tuple(warnings)
