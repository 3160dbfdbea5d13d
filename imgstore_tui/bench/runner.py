"""Runs a plan: prepares the data, interleaves the rounds, hands jobs to an executor, journals what comes back."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime
from pathlib import Path

from imgstore_tui import registry
from imgstore_tui.bench.environment import describe_environment
from imgstore_tui.bench.executor import ProcessExecutor
from imgstore_tui.bench.job import Executor
from imgstore_tui.bench.journal import Journal, runs_folder
from imgstore_tui.bench.lock import RunLock
from imgstore_tui.bench.plan import check_plan
from imgstore_tui.bench.preflight import check_content, check_space
from imgstore_tui.bench.scratch import choose_scratch, make_run_folder, remove_run_folder
from imgstore_tui.bench.session import Listener, Session
from imgstore_tui.bench.source import build_source
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.events import (
    Preparing,
)
from imgstore_tui.core.model import DatasetFacts, Plan, Run


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
        return Session(run, facts, folder, journal, jobs, cancelled, listen, said).go()


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
