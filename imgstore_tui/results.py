"""Runs plans from Python and gives results as rows: for notebooks and scripts. ``imgstore_tui.run`` leads here."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from imgstore_tui.bench.plan.plans import PLAN_NAMES, changed_plan, check_plan, load_plan
from imgstore_tui.bench.results.journal import find_run, read_journal
from imgstore_tui.core.errors import UsageError, unknown_name
from imgstore_tui.core.events import Event
from imgstore_tui.core.json_values import to_json
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.core.operations import CacheState, Operation, Payload, SyncLevel
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.units import parse_cutoffs, parse_duration
from imgstore_tui.jobs.plans import plan_by_name, saved_plans
from imgstore_tui.plugins import registry
from imgstore_tui.present import exports
from imgstore_tui.present.exports.json import load_json, summary_rows
from imgstore_tui.present.exports.write import write_export
from imgstore_tui.present.results import RunResults, build_results
from imgstore_tui.present.text.log_line import log_line
from imgstore_tui.present.text.narrative import verdict_lines
from imgstore_tui.present.text.recommendation import recommendation_lines
from imgstore_tui.present.text.standings import standings_lines

Words = str | Sequence[str]
"""One word, or several."""
_POLL_S = 0.2
_PLAN_BUDGET = "plan"
"""Keeps the budget of the plan, as in ``run(budget="plan")``."""


class Results:
    """The results of a run: rows for tables, its verdicts and its answer in sentences."""

    def __init__(self, run: Run) -> None:
        self.run = run
        """The run itself, with every measurement."""

    @cached_property
    def _results(self) -> RunResults:
        return build_results(self.run)

    @property
    def id(self) -> str:
        """The id of the run, by which commands and ``load`` find it."""
        return self.run.id

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per cell: method, operation, number of images, median, interval, disk use, rank.

        The keys are those of ``summary`` in the JSON export: times in seconds, sizes in bytes, None where a value does
        not apply. ``pandas.DataFrame(results.rows())`` is a table of them.
        """
        return summary_rows(self._results)

    def trials(self) -> list[dict[str, Any]]:
        """Return one row per trial, with the keys of ``measurements`` in the JSON export."""
        rows: list[dict[str, Any]] = [to_json(trial) for trial in self.run.measurements]
        return rows

    @property
    def answer(self) -> str:
        """Which method to take and why, in lines; how to get an answer where there is none."""
        return "\n".join(
            f"    {line.text}" if line.command else line.text for line in recommendation_lines(self._results)
        )

    @property
    def verdicts(self) -> list[str]:
        """The verdicts, a sentence each."""
        return verdict_lines(self._results)

    @property
    def standings(self) -> list[str]:
        """Who leads operations that have no verdict yet, a sentence each: provisional."""
        return standings_lines(self._results)

    def export(self, path: str | Path, form: str | None = None, *, overwrite: bool = False) -> Path:
        """Write the run to a file and return its path.

        Args:
            path: The file.
            form: ``csv``, ``json``, ``html``, ``tex``, ``svg``, ``png`` and others; None for that of the file's suffix.
            overwrite: Whether an existing file is replaced.

        Raises:
            ImgstoreError: If there is no such format, or the file exists or cannot be written.
        """
        path = expand_path(str(path))
        by_suffix = {exporter.suffix: name for name, exporter in exports.all_exporters().items()}
        name = form or by_suffix.get(path.suffix.lower())
        if name is None:
            raise UsageError(f"Name a format: {', '.join(exports.names())}. None follows from {path.name}.")
        return write_export(self.run, name, path, overwrite=overwrite)

    def _repr_markdown_(self) -> str:
        """Return what a notebook shows: the report of the run."""
        return exports.get("md").export(self.run).decode()

    def __repr__(self) -> str:
        return f"<Results of run {self.run.id}: {self.run.status}, {len(self.run.measurements)} trials>"


def load(name: str | Path = "last") -> Results:
    """Return the results of a saved run.

    Args:
        name: Its id or name, the path of a journal or of an exported record, or ``last``.

    Raises:
        ImgstoreError: If there is no such run, or its file cannot be read.
    """
    path = find_run(str(name))
    return Results(load_json(path) if path.suffix == ".json" else read_journal(path))


def run(
    methods: Words | None = None,
    *,
    data: Words | None = None,
    images: str | int | Iterable[int] | None = None,
    operations: Words | None = None,
    cache: Words | None = None,
    sync: Words | None = None,
    payload: str | None = None,
    rounds: int | None = None,
    budget: str | float | None = _PLAN_BUDGET,
    plan: str | Path | Plan = "quick",
    scratch: str | Path | None = None,
    workers: int | None = None,
    seed: int | None = None,
    verbose: bool = False,
) -> Results:
    """Measure storage methods and return the results; they are saved as those of the command ``run`` are.

    What is left out is as in the plan. An interrupt (Ctrl-C, or the stop button of a notebook) ends the run and returns
    what was measured.

    Args:
        methods: Storage methods, such as ``["disk", "lmdb", "hdf5:chunks=64"]``.
        data: Datasets, such as ``"folder:photos"``.
        images: Numbers of images, such as ``[10, 100]``, or text as on the command line: ``"10,100,1k"``.
        operations: Operations, such as ``["write-many", "read-random"]``.
        cache: Cache states: ``"hot"``, ``"cold"``.
        sync: Sync levels: ``"buffered"``, ``"end"``, ``"batch"``.
        payload: ``"end-to-end"``, ``"encoded"`` or ``"raw"``.
        rounds: How often everything is repeated, at most.
        budget: Time after which no trial starts: text such as ``"5m"``, seconds, or None for no limit; ``"plan"``
            keeps that of the plan, which in ``quick`` is 60 s.
        plan: What the rest is taken from: a named plan, a plan file, or a plan.
        scratch: Folder in which stores are made.
        workers: Codec threads and reading processes.
        seed: Random seed of everything that is shuffled.
        verbose: Whether a line per trial is printed on standard error.

    Raises:
        ImgstoreError: If a word is unknown, or the run cannot start; the message is a sentence.
    """
    numbers = {"rounds": rounds, "workers": workers, "seed": seed, "scratch": scratch and str(scratch)}
    changes = _changes(methods, data, images, payload, operations=operations, cache=cache, sync=sync)
    changes |= {name: value for name, value in numbers.items() if value is not None}
    if budget != _PLAN_BUDGET:
        changes["budget_s"] = parse_duration(budget) if isinstance(budget, str) else budget
    changed = changed_plan(_plan(plan), **changes)
    for text in changed.datasets:
        registry.make_dataset(text)
    check_plan(changed)
    return Results(_measure(changed, _print_event if verbose else lambda _: None))


_ENUMS = {"operations": Operation, "cache": CacheState, "sync": SyncLevel}


def _changes(
    methods: Words | None, data: Words | None, images: str | int | Iterable[int] | None, payload: str | None,
    **members: Words | None,
) -> dict[str, Any]:  # fmt: skip
    """Return the fields of a plan that the arguments of ``run`` change, as the plan takes them.

    Args:
        methods: Storage methods.
        data: Datasets.
        images: Numbers of images.
        payload: The payload.
        members: Operations, cache states and sync levels, by the name of the field.

    Raises:
        ImgstoreError: If a word is unknown.
    """
    changes: dict[str, Any] = {}
    if methods is not None:
        changes["specs"] = tuple(map(registry.resolve_spec, _words(methods)))
    if data is not None:
        changes["datasets"] = _words(data)
    if images is not None:
        texts = [str(images)] if isinstance(images, str | int) else list(map(str, images))
        changes["cutoffs"] = parse_cutoffs(",".join(texts))
    for name, words in members.items():
        if words is not None:
            changes[name] = tuple(_member(name, _ENUMS[name], word) for word in _words(words))
    if payload is not None:
        changes["payload"] = _member("payload", Payload, payload)
    return changes


def _words(words: Words) -> tuple[str, ...]:
    return (words,) if isinstance(words, str) else tuple(words)


def _member(kind: str, enum: Any, word: str) -> Any:
    values = [member.value for member in enum]
    if word not in values:
        raise unknown_name(kind, word, values)
    return enum(word)


def _plan(plan: str | Path | Plan) -> Plan:
    if isinstance(plan, Plan):
        return plan
    has_name = isinstance(plan, str) and plan in (*PLAN_NAMES, *saved_plans())
    return plan_by_name(str(plan)) if has_name or not Path(plan).suffix else load_plan(Path(plan))


def _measure(plan: Plan, listen: Callable[[Event], None]) -> Run:
    """Run a plan in a thread, so that an interrupt ends the run and not only the wait for it."""
    from imgstore_tui.bench.run.runner import run_plan

    cancel, outcome, errors = threading.Event(), list[Run](), list[BaseException]()

    def work() -> None:
        try:
            outcome.append(run_plan(plan, cancel=cancel, listen=listen))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="imgstore-tui run")
    thread.start()
    while thread.is_alive():
        try:
            thread.join(_POLL_S)
        except KeyboardInterrupt:
            cancel.set()
    if errors:
        raise errors[0]
    return outcome[0]


def _print_event(event: Event) -> None:
    line = log_line(event)
    if line is not None:
        sys.stderr.write(f"{line.plain}\n")
