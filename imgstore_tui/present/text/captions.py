"""Writes captions and titles of tables, and the facts of a run: what the numbers measure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Cell, DatasetFacts, Plan, Run, ServerFacts
from imgstore_tui.core.operations import CacheState, Payload, SyncLevel
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.units import counted, format_bytes, format_duration, format_seconds
from imgstore_tui.present.text.shared_options import shared_options
from imgstore_tui.stats.intervals import MIN_ROUNDS

STATUS_TEXT = {
    "running": "still running",
    "finished": "finished",
    "budget": "out of time: ended by its time budget",
    "stopped": "stopped by hand",
    "interrupted": "interrupted by a crash or kill: its journal has no end",
}
_OWN_CHOICE = "custom"
"""Name that plans have in records where no plan of a name equals them."""
_LEVEL_WORDS: dict[SyncLevel | CacheState, str] = {
    SyncLevel.BUFFERED: "no fsync", SyncLevel.END: "fsync once, at the end", SyncLevel.BATCH: "fsync after every batch",
    SyncLevel.FORCED: "fsync by the library or server itself", CacheState.HOT: "read from memory",
    CacheState.COLD: "read from the device",
}  # fmt: skip
_NAMED_BY_PATH = ("folder", "store")
"""Kinds of dataset that say nothing of what is in them: their path does."""
_STATUS_WORDS = {"budget": "out of time"}
_SIGN_WORDS = {"spread": "noisy", "short": "too short", "slow-first": "slow first round"}


def status_word(status: str) -> str:
    """Return the status of a run in a word or two: ``finished``, ``out of time``, ``stopped``, ``interrupted``."""
    return _STATUS_WORDS.get(status, status)


def plan_word(plan: Plan) -> str:
    """Return the name of a plan, ``unnamed`` for a choice of one's own."""
    return "unnamed" if plan.name == _OWN_CHOICE else plan.name


def sign_word(kind: str) -> str:
    """Return the kind of a warning in plain words: ``noisy``, ``too short``, ``slow first round``."""
    return _SIGN_WORDS.get(kind, kind)


def dataset_text(facts: DatasetFacts | None, text: str) -> str:
    """Return a dataset in one line: its kind, its content, what is repeated or left out."""
    if facts is None:
        return text
    name = re.split("[:,]", facts.text, maxsplit=1)[0]
    summary = facts.summary if name in facts.summary else f"{name}: {facts.summary}"
    if facts.repeated:
        summary += f"; {counted(facts.used, 'image')} repeated to fill the largest number"
    if facts.excluded_count:
        summary += f"; {counted(facts.excluded_count, 'file')} left out"
    return summary


def dataset_names(run: Run) -> dict[str, str]:
    """Return a short name of each dataset of a run: its folder or kind, with the size of its images where that tells.

    E.g. ``folder:/home/me/thumbs`` is ``thumbs``, and ``synthetic,size=256,upto=1000`` is ``256x256`` beside others.
    """
    kinds = {text: _last_part(text) for text in run.plan.datasets}
    shapes = {facts.text: facts.shape for facts in run.datasets}
    names = {}
    for text, kind in kinds.items():
        shape = shapes.get(text)
        if list(kinds.values()).count(kind) == 1:
            names[text] = kind
        else:
            names[text] = text if shape is None else f"{shape[1]}x{shape[0]}"
    # Two that are still alike are told apart by all that was written.
    return {text: name if list(names.values()).count(name) == 1 else text for text, name in names.items()}


def dataset_clause(dataset: str, run: Run) -> str:
    """Return the short name of a dataset where the run has several; else empty."""
    return dataset_names(run).get(dataset, dataset) if len(run.plan.datasets) > 1 else ""


def _last_part(text: str) -> str:
    """Return the kind of a dataset, or the last part of its path where the kind says nothing."""
    kind, _, path = text.partition(",")[0].partition(":")
    return (path.strip('"').rstrip("/").rpartition("/")[2] if kind in _NAMED_BY_PATH else "") or kind


def level_text(cell: Cell) -> str:
    """Return cache state or sync level: ``cache hot``, ``sync buffered``."""
    if cell.cache is not None:
        return f"cache {cell.cache}"
    return f"sync {cell.sync}" if cell.sync is not None else ""


def levels_text(cells: Iterable[Cell]) -> str:
    """Return what the levels of some cells mean, each once, e.g. "Buffered: no fsync."."""
    levels = dict.fromkeys(level for cell in cells for level in (cell.sync, cell.cache) if level is not None)
    return " ".join(f"{level.capitalize()}: {_LEVEL_WORDS[level]}." for level in levels)


def contest_title(cell: Cell, run: Run) -> str:
    """Return operation, level, and the dataset where the run has several, for a table's title."""
    parts = [str(cell.operation), level_text(cell)]
    parts.append(dataset_clause(cell.dataset, run))
    return ", ".join(part for part in parts if part)


def interval_caption(summaries: Iterable[CellSummary]) -> str:
    """Return the kind of the intervals of a table, their coverage, and their number of rounds."""
    intervals = [summary.interval for summary in summaries if summary.interval is not None]
    sure = [interval for interval in intervals if interval.coverage is not None]
    parts = []
    if sure:
        least = min(interval.coverage or 0.0 for interval in sure)
        parts.append(
            f"median of {_span([interval.n for interval in sure])} rounds and its "
            f"{100 * least:.1f} % confidence interval (exact for independent rounds)"
        )
    ranges = [interval.n for interval in intervals if interval.coverage is None]
    if ranges:
        parts.append(
            f"{'in brackets ' if sure else 'median and, in brackets, '}the range of {_span(ranges)} rounds: "
            f"an interval needs {MIN_ROUNDS}"
        )
    return "; ".join(parts)


def residency_text(summaries: Iterable[CellSummary]) -> str:
    """Return how much of the stores was in memory when the clock started; empty where no read was measured.

    E.g. "In memory at the start (mincore): hot at least 99.8 %, cold at most 0.1 %".
    """
    reads = [entry for entry in summaries if entry.cell.cache is not None and entry.ok]
    if not reads:
        return ""
    clauses = []
    for state in CacheState:
        ranges = [entry.resident_before for entry in reads if entry.cell.cache is state]
        known = [span for span in ranges if span is not None]
        if len(known) < len(ranges):
            clauses.append(f"{state} not known")
        elif known:
            bound = min(low for low, _ in known) if state is CacheState.HOT else max(high for _, high in known)
            clauses.append(f"{state} at {'least' if state is CacheState.HOT else 'most'} {100 * bound:.1f} %")
    return f"In memory at the start (mincore): {', '.join(clauses)}"


def setting_text(cell: Cell) -> str:
    """Return payload and workers of a cell."""
    decoding = {
        Payload.END_TO_END: "encoding and decoding included", Payload.ENCODED: "files as they are, nothing decoded",
        Payload.RAW: "raw pixels for every method",
    }[cell.payload]  # fmt: skip
    return f"{decoding}, {counted(cell.workers, 'thread')}"


def caption(run: Run, summaries: Sequence[CellSummary], *, description: str = "") -> str:
    """Return the caption of a table of cells: data, what the clock covers, levels, rounds, kind of interval.

    Args:
        run: The run.
        summaries: The cells of the table.
        description: A sentence on what the clock covers.
    """
    if not summaries:
        return ""
    cell = summaries[0].cell
    facts = {entry.text: entry for entry in run.datasets}
    parts = [
        f"Data: {dataset_text(facts.get(cell.dataset), cell.dataset)}.",
        description,
        f"{level_text(cell).capitalize()}; {setting_text(cell)}.",
    ]
    intervals = interval_caption(summaries)
    if intervals:
        parts.append(f"{intervals[0].upper()}{intervals[1:]}.")
    return " ".join(part for part in parts if part)


def fact_pairs(run: Run) -> list[tuple[str, str]]:
    """Return the facts a reader must know before any number, as pairs of name and text."""
    plan, environment = run.plan, run.environment
    facts = {entry.text: entry for entry in run.datasets}
    pairs = [
        ("Data", "; ".join(dataset_text(facts.get(text), text) for text in plan.datasets)),
        ("Machine", _machine(run)),
        ("Software", _software(run)),
        *(("Server", _server(facts)) for facts in environment.servers),
        ("Work folder", _scratch(run)),
        ("Levels", _levels(run)),
        (
            "Plan",
            f"{plan_word(plan)}: {_methods_text(plan)}, {rounds_text(plan)}, payload "
            f"{plan.payload}, {counted(plan.workers, 'worker')}, batches of {plan.batch}, seed {plan.seed}"
            + ("" if plan.budget_s is None else f", budget {format_duration(plan.budget_s)}"),
        ),
        *([("Clients", _clients(plan))] if plan.clients else []),
        *(
            [("Source row", f"{IN_PLACE}: the files of the folder, read in place as they are, never written to")]
            if any(trial.spec == IN_PLACE.label for trial in run.measurements)
            else []
        ),
        ("Run", _run_text(run)),
    ]
    return [*pairs, *(("Note", note) for note in environment.notes)]


def _server(facts: ServerFacts) -> str:
    """Return what a server said of itself, and where it runs."""
    shared = ", on the cores of the machine that measures" if facts.same_host else ""
    settings = ", ".join(f"{name}={value}" for name, value in facts.settings.items())
    if facts.round_trip_s is not None:
        shared += f", round trip {format_seconds(facts.round_trip_s)}"
    return f"{facts.backend}: {facts.label}{shared}{f'; {settings}' if settings else ''}"


def _clients(plan: Plan) -> str:
    """Return how many clients drive a store at once, for how long, and where they run."""
    numbers = ", ".join(map(str, plan.clients))
    window = f"for {plan.client_window_s:g} s" if plan.client_window_s else "one pass"
    where = "processes of this machine" if plan.cluster is None else f"workers of {plan.cluster}"
    return f"{numbers} at once, {window} each, {where}"


def rounds_text(plan: Plan) -> str:
    """Return the number of rounds of a plan: ``6 rounds``, or ``up to 12 rounds`` where they stop by themselves."""
    return f"{'up to ' if plan.looks else ''}{counted(plan.rounds, 'round')}"


def _run_text(run: Run) -> str:
    parts = [run.title] if run.title else []
    parts += [run.id, STATUS_TEXT.get(run.status, run.status), f"started {run.started_at}"]
    if run.paused_s:
        parts.append(f"paused for {format_duration(run.paused_s)} in all")
    return ", ".join(parts)


def _methods_text(plan: Plan) -> str:
    shared = shared_options(plan)
    return counted(len(plan.specs), "method") + (f", all with {shared}" if shared else "")


def _machine(run: Run) -> str:
    environment = run.environment
    parts = [environment.cpu, counted(environment.cores, "core")]
    if environment.memory_bytes is not None:
        parts.append(f"{format_bytes(environment.memory_bytes)} memory")
    if environment.load is not None:
        parts.append(f"load {environment.load:.2f} at the start")
    return ", ".join(part for part in parts if part)


def _software(run: Run) -> str:
    environment = run.environment
    libraries = [f"{name} {version}" for name, version in environment.libraries.items()]
    return ", ".join([f"imgstore-tui {environment.imgstore_tui}", f"Python {environment.python}", *libraries])


_TELLING_OPTIONS = (
    "sync", "dirsync", "noatime", "strictatime", "discard", "barrier", "nobarrier", "data=", "commit=", "compress",
    "nodatacow", "nodatasum", "soft", "async", "vers=", "nfsvers=", "rsize=", "wsize=", "cache=",
)  # fmt: skip
"""How the options of a mount begin that change what a write or a read costs; a run's record has all of them."""


def _scratch(run: Run) -> str:
    environment = run.environment
    telling = [option for option in environment.scratch_mount_options.split(",") if option.startswith(_TELLING_OPTIONS)]
    mounted = f" ({', '.join(telling)})" if telling else ""
    parts = [f"{environment.scratch} on {environment.scratch_filesystem}{mounted}", environment.scratch_device]
    if environment.scratch_free_bytes is not None:
        parts.append(f"{format_bytes(environment.scratch_free_bytes)} free")
    if environment.same_device_as_data is False:
        parts.append("not the device of the data")
    return ", ".join(part for part in parts if part)


def _levels(run: Run) -> str:
    parts = []
    if any(operation.writes for operation in run.plan.operations):
        parts.append(f"writes {' and '.join(run.plan.sync)}")
    if any(not operation.writes for operation in run.plan.operations):
        parts.append(f"reads {' and '.join(run.plan.cache)}")
    return ", ".join(parts)


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"
