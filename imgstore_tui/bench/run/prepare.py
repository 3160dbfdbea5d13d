"""Prepares a run before its first trial, and removes what it made: lock, data, scratch folder, pixel caches."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from imgstore_tui.bench.plan.grid import images_needed, reads_in_place
from imgstore_tui.bench.plan.plans import check_plan
from imgstore_tui.bench.results.lock import RunLock
from imgstore_tui.bench.run.preflight import (
    DataSize,
    ask_servers,
    check_content,
    check_feasible,
    check_server_space,
    distance_notes,
    keeps_original_files,
)
from imgstore_tui.bench.run.run_folder import RunFolder
from imgstore_tui.bench.run.scratch import choose_scratch, named_folder
from imgstore_tui.bench.run.server_ledger import ServerLedger
from imgstore_tui.bench.run.services import Listener
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.bench.system.environment import describe_environment
from imgstore_tui.bench.trial.pixel_cache_writer import build_pixel_cache
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError, ImgstoreError, StoreError
from imgstore_tui.core.events import Preparing, Warned
from imgstore_tui.core.model import DatasetFacts, Environment, Plan
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.server_process import REMOVE_LIMIT_S

REMOVAL_S = 1.5
"""Seconds for which a stopped run removes its scratch; the rest is left for ``sweep``."""


class StoppedError(ImgstoreError):
    """The run was stopped before its first trial."""


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """What a run has before its first trial."""

    run_id: str
    folder: RunFolder
    ledger: ServerLedger
    environment: Environment
    facts: dict[str, DatasetFacts]
    warnings: tuple[str, ...]
    """Warnings of the datasets."""
    cancel: threading.Event


@contextlib.contextmanager
def prepared_run(
    plan: Plan, run_id: str | None, cancel: threading.Event, listen: Listener, scratch_before: str | None = None
) -> Iterator[PreparedRun]:
    """Take the lock, scan the data, make the run's folder and the pixel caches; release and remove them at the end.

    Args:
        plan: What to run.
        run_id: The id of a run that is resumed; None for a new run.
        cancel: When set, the preparation stops.
        listen: Called with every event.
        scratch_before: The scratch folder of a run that is resumed.

    Raises:
        StoppedError: If it is cancelled.
        ImgstoreError: If the plan cannot be run.
    """
    check_plan(plan)
    # What cannot run is refused first: waiting for another run would be in vain.
    if plan.scratch is not None:
        named_folder(plan.scratch)
    _check_named_data(plan)
    servers = ask_servers(plan)
    with RunLock() as lock, contextlib.ExitStack() as stack:
        datasets = {text: _scan(text, plan, listen, cancel) for text in plan.datasets}
        roots = [root for dataset in datasets.values() for root in dataset.roots]
        scratch = choose_scratch(plan.scratch, roots, scratch_before)
        sizes = {text: DataSize.of(dataset) for text, dataset in datasets.items()}
        check_feasible(plan, sizes, scratch)
        check_server_space(plan, sizes, servers)
        name = run_id or _new_id(datetime.now(UTC), plan)
        folder, ledger = RunFolder(scratch, name), ServerLedger(name)
        stack.callback(_remove, folder, listen, cancel)
        stack.callback(_clear, ledger, listen, cancel)
        lock.set_holder(f"run {name}")
        facts = {}
        for number, (text, dataset) in enumerate(datasets.items()):
            pixel_cache = folder.claim(folder.pixel_cache(number).name)
            try:
                facts[text] = _build(dataset, text, plan, pixel_cache, listen, cancel)
            except DataError:
                if not cancel.is_set():
                    raise
                # No image was read because none was waited for.
        if cancel.is_set():
            raise StoppedError("Stopped before the first trial; nothing was measured.")
        check_content(plan, facts)
        machine = describe_environment(scratch, roots, library_names(plan))
        environment = replace(machine, servers=servers, notes=(*machine.notes, *distance_notes(servers)))
        warnings = tuple(f"{text}: {warning}" for text, dataset in datasets.items() for warning in dataset.warnings)
        warnings = (*warnings, *([folder.warning] if folder.warning else []), *environment.notes)
        yield PreparedRun(name, folder, ledger, environment, facts, warnings, cancel)


def library_names(plan: Plan) -> set[str]:
    """Return the import names of the libraries of a plan's backends and codecs."""
    names = {name for spec in plan.specs for name in registry.codecs.get(spec.codec).requires}
    for spec in plan.specs:
        names.update(registry.backends.get(spec.backend).imports_for(dict(spec.options)))
    return names


def _remove(folder: RunFolder, listen: Listener, cancel: threading.Event) -> None:
    """Remove the run's folder; what cannot be removed is reported, and stays for the next sweep.

    A user who stops a run does not wait until thousands of files are removed: the rest is left and reported.
    """
    began = time.monotonic()

    def on_removed(_: int) -> None:
        if cancel.is_set() and time.monotonic() - began > REMOVAL_S:
            raise StoreError(f"The run was stopped before all of {folder.path} was gone.")

    try:
        folder.remove(on_removed)
    except (ImgstoreError, OSError) as error:
        why = str(error) if isinstance(error, ImgstoreError) else f"{error.strerror} ({error.filename})."
        listen(Warned(f"Scratch was not removed. {why} Remove it with: imgstore-tui sweep"))


def _clear(ledger: ServerLedger, listen: Listener, cancel: threading.Event) -> None:
    """Remove what is left of the run on servers; what cannot be removed is reported, and stays for the next sweep."""
    try:
        ledger.clear(REMOVAL_S if cancel.is_set() else REMOVE_LIMIT_S)
    except ImgstoreError as error:
        listen(Warned(str(error)))


def _scan(text: str, plan: Plan, listen: Listener, cancel: threading.Event) -> Dataset:
    def progress(step: str, done: int, total: int | None) -> None:
        if cancel.is_set():
            raise StoppedError("Stopped before the first trial; nothing was measured.")
        listen(Preparing(step, done, total))

    dataset = registry.make_dataset(text)
    dataset.image_limit = images_needed(plan, text)
    dataset.scan(progress)
    return dataset


def _check_named_data(plan: Plan) -> None:
    """Check without looking through the data that its options are valid and that it is there.

    Raises:
        ImgstoreError: If it is not; a dataset that is not there says so itself.
    """
    for dataset in map(registry.make_dataset, plan.datasets):
        # A path that is too long is no error here: the dataset says what is wrong with it.
        if not all(map(os.path.exists, dataset.roots)):
            dataset.scan()


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
        in_place=dataset.has_files and reads_in_place(plan),
        progress=progress,
        cancel=cancel,
    )


def _new_id(started: datetime, plan: Plan) -> str:
    # A choice without a name is known again by its methods.
    named = "-".join(dict.fromkeys(spec.backend for spec in plan.specs)) if plan.name == "custom" else plan.name
    name = "".join(letter for letter in named if letter.isalnum() or letter in "-_")[:20].rstrip("-")
    base = f"{started:%Y%m%d-%H%M%S}-{name or 'run'}"
    number = 1
    run_id = base
    while (runs_folder() / f"{run_id}.jsonl").exists():
        number += 1
        run_id = f"{base}-{number}"
    return run_id
