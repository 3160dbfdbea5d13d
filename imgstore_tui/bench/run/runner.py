"""Runs a plan: prepares the data, interleaves the rounds, hands requests to an executor, journals what comes back."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from imgstore_tui.bench.plan.grid import images_needed, plan_cells, reads_in_place, with_files
from imgstore_tui.bench.plan.plans import check_plan
from imgstore_tui.bench.plan.remaining_work import RemainingWork
from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Executor
from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.bench.results.journal_reader import JournalReader
from imgstore_tui.bench.results.lock import RunLock
from imgstore_tui.bench.run.controls import RunControls
from imgstore_tui.bench.run.pixel_cache_writer import build_pixel_cache
from imgstore_tui.bench.run.preflight import DataSize, ask_servers, check_content, check_feasible, keeps_original_files
from imgstore_tui.bench.run.run_folder import RunFolder, leftovers, sweep
from imgstore_tui.bench.run.run_loop import RunLoop
from imgstore_tui.bench.run.scratch import choose_scratch
from imgstore_tui.bench.run.server_ledger import ServerLedger, ledger_path, leftovers_in, sweep_server
from imgstore_tui.bench.run.services import Budget, Listener, RunServices
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.bench.system.environment import describe_environment
from imgstore_tui.core.backend import Backend
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError, ImgstoreError, StoreError, UsageError
from imgstore_tui.core.events import Preparing, Warned
from imgstore_tui.core.model import DatasetFacts, Environment, Plan, Run
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.server_process import REMOVE_LIMIT_S

REMOVAL_S = 1.5
"""A run that was stopped removes its scratch for so long; the rest is left for ``sweep``."""


class StoppedError(ImgstoreError):
    """The run was stopped before its first trial."""


def run_plan(
    plan: Plan,
    *,
    executor: Executor | None = None,
    cancel: threading.Event | None = None,
    controls: RunControls | None = None,
    listen: Listener = lambda _: None,
) -> Run:
    """Run a plan to its end, its budget, or until ``cancel`` is set.

    Args:
        plan: What to run.
        executor: Runs the requests; None for real child processes.
        cancel: When set, the running trial is killed and what has been measured is kept.
        controls: Pauses the run and skips cells, from another thread.
        listen: Told of every event, in this thread; what it does delays the run, never a running clock's trial.

    Returns:
        The run with all its measurements, as its journal holds it.

    Raises:
        ImgstoreError: If the run cannot start; nothing is left behind.
    """
    started = datetime.now(UTC)
    with _prepared(plan, None, cancel or threading.Event(), listen) as ready:
        run = Run(
            ready.run_id, plan, ready.environment, tuple(ready.facts.values()), started.isoformat(timespec="seconds")
        )
        return _measure(run, ready, Journal.begin(run), executor, controls, listen)


def resume_run(
    path: Path,
    *,
    budget_s: float | None = None,
    executor: Executor | None = None,
    cancel: threading.Event | None = None,
    controls: RunControls | None = None,
    listen: Listener = lambda _: None,
) -> Run:
    """Complete a run that was stopped, interrupted, or ran out of its budget; only what is missing is measured.

    Args:
        path: The run's journal.
        budget_s: Seconds for what is missing; None for no limit.
        executor: As for ``run_plan``.
        cancel: As for ``run_plan``.
        controls: As for ``run_plan``.
        listen: As for ``run_plan``.

    Raises:
        UsageError: If the run is complete.
        DataError: If the journal cannot be read, or the data is not what it was.
        ImgstoreError: As for ``run_plan``.
    """
    reader = JournalReader(path)
    reader.read()
    run = reader.run
    if run.status == "finished":
        raise UsageError(f"Run {run.id} is complete; there is nothing to resume.")
    # On the same file system: figures of two places do not belong in one run.
    plan = replace(run.plan, budget_s=budget_s)
    for leftover in leftovers():
        if leftover.run_id == run.id:
            listen(Preparing("removing what it has left", 0, None))
            sweep(leftover, lambda count: listen(Preparing("removing what it has left", count, None)))
    for on_server in leftovers_in(ledger_path(run.id)):
        listen(Preparing("removing what it has left on a server", 0, None))
        sweep_server(on_server)
    with _prepared(plan, run.id, cancel or threading.Event(), listen, run.environment.scratch) as ready:
        for before in run.datasets:
            now = ready.facts[before.text]
            if now.fingerprint != before.fingerprint:
                raise DataError(f"{before.text} is not what it was when run {run.id} started. Start a new run.")
        _check_environment(run, ready.environment)
        reader.read()
        if reader.run != run:
            # Between the first look and the lock, another process has gone on with it.
            raise UsageError(f"Run {run.id} was changed by another process meanwhile; look at it, then resume again.")
        journal = Journal.resume(path, datetime.now(UTC).isoformat(timespec="seconds"))
        reader.read()  # what the run was warned of for the time being holds no longer
        again = replace(reader.run, plan=plan, status="running")
        return _measure(again, ready, journal, executor, controls, listen)


_SAME = ("host", "cpu", "kernel", "python", "libraries", "scratch_filesystem", "scratch_device")
"""What must not have changed for figures to stand beside each other."""


def _check_environment(run: Run, now: Environment) -> None:
    known = run.environment.libraries
    for server in run.environment.servers:
        same = next((facts for facts in now.servers if facts.backend == server.backend), None)
        if same is None or replace(same, free_bytes=server.free_bytes) != server:
            raise DataError(
                f"Run {run.id} was measured with {server.label} at {server.address}, which is now another server or "
                "has other settings: its figures and new ones do not belong together. Start a new run."
            )
    now = replace(now, libraries={name: now.libraries.get(name, "absent") for name in known})
    for name in _SAME:
        before, after = getattr(run.environment, name), getattr(now, name)
        if before != after:
            raise DataError(
                f"Run {run.id} was measured with {name.replace('_', ' ')} {before}, which is now {after}: "
                "its figures and new ones do not belong together. Start a new run."
            )


@dataclass(frozen=True, slots=True)
class _Ready:
    """All that stands before the first trial."""

    run_id: str
    folder: RunFolder
    ledger: ServerLedger
    environment: Environment
    facts: dict[str, DatasetFacts]
    warnings: tuple[str, ...]
    cancel: threading.Event


@contextlib.contextmanager
def _prepared(
    plan: Plan, run_id: str | None, cancel: threading.Event, listen: Listener, scratch_before: str | None = None
) -> Iterator[_Ready]:
    """Take the lock, look at the data, make the run's folder and the pixel caches; take all of it back at the end."""
    check_plan(plan)
    servers = ask_servers(plan)
    with RunLock() as lock, contextlib.ExitStack() as stack:
        datasets = {text: _scan(text, plan, listen, cancel) for text in plan.datasets}
        roots = [root for dataset in datasets.values() for root in dataset.roots]
        place = choose_scratch(plan.scratch, roots, scratch_before)
        check_feasible(plan, {text: DataSize.of(dataset) for text, dataset in datasets.items()}, place)
        name = run_id or _new_id(datetime.now(UTC), plan)
        folder, ledger = RunFolder(place, name), ServerLedger(name)
        stack.callback(_remove, folder, listen, cancel)
        stack.callback(_clear, ledger, listen, cancel)
        lock.set_holder(f"run {name}")
        facts = {}
        for number, (text, dataset) in enumerate(datasets.items()):
            source = folder.claim(folder.pixel_cache(number).name)
            facts[text] = _build(dataset, text, plan, source, listen, cancel)
        if cancel.is_set():
            raise StoppedError("Stopped before the first trial; nothing was measured.")
        check_content(plan, facts)
        environment = replace(describe_environment(place, roots, _modules(plan)), servers=servers)
        said = tuple(f"{text}: {warning}" for text, dataset in datasets.items() for warning in dataset.warnings)
        yield _Ready(name, folder, ledger, environment, facts, said, cancel)


def _modules(plan: Plan) -> set[str]:
    """Return the import names of the libraries that a plan's backends and codecs are made of."""
    kinds: list[type[Backend] | type[Codec]] = [registry.backends.get(spec.backend) for spec in plan.specs]
    kinds += [registry.codecs.get(spec.codec) for spec in plan.specs]
    return {name for kind in kinds for name in kind.requires}


def _remove(folder: RunFolder, listen: Listener, cancel: threading.Event) -> None:
    """Remove the run's folder; what cannot be removed is said, and stays for the next sweep. The results are safe.

    Who stops a run does not wait for thousands of files to go: the rest is left then, and said to be.
    """
    began = time.monotonic()

    def heard(_: int) -> None:
        if cancel.is_set() and time.monotonic() - began > REMOVAL_S:
            raise StoreError(f"The run was stopped before all of {folder.path} was gone.")

    try:
        folder.remove(heard)
    except (ImgstoreError, OSError) as error:
        why = str(error) if isinstance(error, ImgstoreError) else f"{error.strerror} ({error.filename})."
        listen(Warned(f"Scratch was not removed. {why} Remove it with: imgstore-tui sweep"))


def _clear(ledger: ServerLedger, listen: Listener, cancel: threading.Event) -> None:
    """Remove what is left of the run on servers; what cannot be removed is said, and stays for the next sweep."""
    try:
        ledger.clear(REMOVAL_S if cancel.is_set() else REMOVE_LIMIT_S)
    except ImgstoreError as error:
        listen(Warned(str(error)))


def _measure(
    run: Run, ready: _Ready, journal: Journal, executor: Executor | None, controls: RunControls | None, listen: Listener
) -> Run:
    with contextlib.closing(journal), contextlib.closing(executor or _processes(run.plan, ready)) as ready_executor:
        cells = plan_cells(run.plan, with_files(ready.facts.values()))
        image_bytes = {text: facts.image_bytes for text, facts in ready.facts.items()}
        services = RunServices(
            plan=run.plan,
            facts=ready.facts,
            folder=ready.folder,
            ledger=ready.ledger,
            journal=journal,
            executor=ready_executor,
            cancel=ready.cancel,
            listen=listen,
            controls=controls or RunControls(),
            work=RemainingWork(cells, run.plan.rounds, image_bytes),
            budget=Budget(run.plan.budget_s),
            measurements=list(run.measurements),
            warnings=list(run.warnings),
        )
        return RunLoop(run, services, ready.warnings).run()


def _processes(plan: Plan, ready: _Ready) -> ProcessExecutor:
    return ProcessExecutor((IN_PLACE, *plan.specs) if with_files(ready.facts.values()) else plan.specs)


def _scan(text: str, plan: Plan, listen: Listener, cancel: threading.Event) -> Dataset:
    def progress(what: str, done: int, total: int | None) -> None:
        if cancel.is_set():
            raise StoppedError("Stopped before the first trial; nothing was measured.")
        listen(Preparing(what, done, total))

    dataset = registry.make_dataset(text)
    dataset.wanted = images_needed(plan, text)
    dataset.scan(progress)
    return dataset


def _build(
    dataset: Dataset, text: str, plan: Plan, folder: Path, listen: Listener, cancel: threading.Event
) -> DatasetFacts:
    folder.mkdir()

    def progress(done: int, total: int) -> None:
        listen(Preparing(f"decoding {dataset.summary}", done, total))

    return build_pixel_cache(
        dataset,
        text,
        images_needed(plan, text),
        folder,
        originals=keeps_original_files(plan, dataset),
        in_place=dataset.has_originals and reads_in_place(plan),
        progress=progress,
        cancel=cancel,
    )


def _new_id(started: datetime, plan: Plan) -> str:
    word = "".join(letter for letter in plan.name if letter.isalnum() or letter in "-_")[:20]
    base = f"{started:%Y%m%d-%H%M%S}-{word or 'run'}"
    number = 1
    run_id = base
    while (runs_folder() / f"{run_id}.jsonl").exists():
        number += 1
        run_id = f"{base}-{number}"
    return run_id
