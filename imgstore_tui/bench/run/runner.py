"""Runs a plan, or resumes a run, from preparation to journal."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from imgstore_tui.bench.plan.grid import datasets_with_files, run_cells
from imgstore_tui.bench.plan.remaining_work import RemainingWork
from imgstore_tui.bench.plan.stop_rule import StopRule
from imgstore_tui.bench.processes.client_executor import ClientExecutor
from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Executor
from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.bench.results.journal_reader import JournalReader
from imgstore_tui.bench.run.budget import Budget
from imgstore_tui.bench.run.controls import RunControls
from imgstore_tui.bench.run.prepare import PreparedRun, StoppedError, library_names, prepared_run
from imgstore_tui.bench.run.run_folder import leftovers, sweep
from imgstore_tui.bench.run.run_loop import RunLoop
from imgstore_tui.bench.run.server_ledger import ledger_path, leftovers_in, sweep_server
from imgstore_tui.bench.run.services import Listener, RunServices
from imgstore_tui.core.errors import DataError, UnavailableError, UsageError
from imgstore_tui.core.events import Preparing
from imgstore_tui.core.model import Environment, Plan, Run
from imgstore_tui.core.spec import IN_PLACE


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
        listen: Called with every event, in this thread; it delays the run, but never a running clock.

    Returns:
        The run with all its measurements, as in its journal.

    Raises:
        ImgstoreError: If the run cannot start; it leaves nothing behind.
    """
    started = datetime.now(UTC)
    with prepared_run(plan, None, cancel or threading.Event(), listen) as ready:
        _check_cluster(plan, ready)
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
        DataError: If the journal cannot be read, or the data or machine has changed.
        ImgstoreError: As for ``run_plan``.
    """
    reader = JournalReader(path)
    reader.read()
    run = reader.run
    if run.status == "finished":
        raise UsageError(f"Run {run.id} is complete; there is nothing to resume.")
    # On the same file system: figures of two file systems do not belong in one run.
    plan = replace(run.plan, budget_s=budget_s)
    for leftover in leftovers():
        if leftover.run_id == run.id:
            listen(Preparing("removing what it has left", 0, None))
            sweep(leftover, lambda count: listen(Preparing("removing what it has left", count, None)))
    for on_server in leftovers_in(ledger_path(run.id)):
        listen(Preparing("removing what it has left on a server", 0, None))
        sweep_server(on_server)
    with prepared_run(plan, run.id, cancel or threading.Event(), listen, run.environment.scratch) as ready:
        for before in run.datasets:
            now = ready.facts[before.text]
            if now.fingerprint != before.fingerprint:
                raise DataError(f"{before.text} is not what it was when run {run.id} started. Start a new run.")
        _check_environment(run, ready.environment)
        reader.read()
        if reader.run != run:
            # Between the first read and the lock, another process has resumed it.
            raise UsageError(f"Run {run.id} was changed by another process meanwhile; look at it, then resume again.")
        _check_cluster(plan, ready)
        journal = Journal.resume(path, datetime.now(UTC).isoformat(timespec="seconds"))
        reader.read()  # passing warnings no longer hold
        resumed = replace(reader.run, plan=plan, status="running")
        return _measure(resumed, ready, journal, executor, controls, listen)


_SAME = ("host", "cpu", "kernel", "python", "libraries", "scratch_filesystem", "scratch_device")
"""Fields of the environment that must not change within a run."""


def _check_environment(run: Run, now: Environment) -> None:
    for server in run.environment.servers:
        same = next((facts for facts in now.servers if facts.backend == server.backend), None)
        if same is None or not same.is_same(server):
            raise DataError(
                f"Run {run.id} was measured with {server.label} at {server.address}, which is now another server or "
                "has other settings: its figures and new ones do not belong together. Start a new run."
            )
    now = replace(now, libraries={name: now.libraries.get(name, "absent") for name in run.environment.libraries})
    for name in _SAME:
        before, after = getattr(run.environment, name), getattr(now, name)
        if before != after:
            raise DataError(
                f"Run {run.id} was measured with {name.replace('_', ' ')} {before}, which is now {after}: "
                "its figures and new ones do not belong together. Start a new run."
            )


def _measure(
    run: Run,
    ready: PreparedRun,
    journal: Journal,
    executor: Executor | None,
    controls: RunControls | None,
    listen: Listener,
) -> Run:
    with contextlib.closing(journal), contextlib.closing(executor or _processes(run.plan, ready)) as ready_executor:
        cells = run_cells(run)
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
            stop_rule=StopRule(run.plan, cells),
            budget=Budget(run.plan.budget_s),
            measurements=list(run.measurements),
            ceilings=list(run.ceilings),
            client_rounds=list(run.client_rounds),
            servers=run.environment.servers,
            client_runner=_clients(run.plan, ready),
            warnings=list(run.warnings),
        )
        return RunLoop(run, services, ready.warnings).run()


def _processes(plan: Plan, ready: PreparedRun) -> ProcessExecutor:
    return ProcessExecutor((IN_PLACE, *plan.specs) if datasets_with_files(ready.facts.values()) else plan.specs)


def _check_cluster(plan: Plan, ready: PreparedRun) -> None:
    """Refuse a plan whose cluster is not there, has too few workers, or other versions, before anything is measured."""
    if plan.cluster is not None and (clients := _clients(plan, ready)) is not None:
        with contextlib.closing(clients):
            try:
                clients.start(max(plan.clients), ready.cancel)
            except UnavailableError:
                if ready.cancel.is_set():
                    raise StoppedError("Stopped before the first trial; nothing was measured.") from None
                raise


def _clients(plan: Plan, ready: PreparedRun) -> ClientExecutor | None:
    if not plan.clients:
        return None
    return ClientExecutor(plan.cluster, max(plan.clients), ready.folder.claim("cluster"), sorted(library_names(plan)))
