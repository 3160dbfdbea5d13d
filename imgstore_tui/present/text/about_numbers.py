"""Writes what a reviewer asks about the numbers of a run: how they came about, what proves them, what they hold for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from imgstore_tui.core.model import DatasetFacts, Measurement, Run
from imgstore_tui.core.operations import CacheState, Payload, Status
from imgstore_tui.core.units import MAX_CUTOFF, counted, format_count, format_percent
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.text.captions import interval_caption, levels_text, residency_text, rounds_text, sign_word
from imgstore_tui.stats.ranking import MARGIN

TITLE = "About these numbers"
_SHOWN_DIGITS = 16
"""Digits of a fingerprint that are shown; the record has all."""
_CLOCK = {
    Payload.END_TO_END: "a write starts from pixels in memory, and a read ends with decoded pixels in memory of the "
    "caller: encoding and decoding are inside the clock",
    Payload.ENCODED: "a write starts from ready bytes in memory, and a read ends with bytes: nothing is encoded or "
    "decoded",
    Payload.RAW: "a write starts from pixels in memory, and a read ends with pixels, which every method stores as they "
    "are",
}


def about_pairs(results: RunResults) -> list[tuple[str, str]]:
    """Return how the numbers of a run came about, as pairs of a heading and text; empty before the first trial."""
    run = results.run
    trials = run.measurements
    if not trials:
        return []
    pairs = [
        ("Trials", _trials(run)),
        ("Clock", _clock(run)),
        ("Cache", _cache(results)),
        ("Sync", _sync(results)),
        ("Verified", _verified(trials)),
        ("Statistics", _statistics(results)),
        ("Disturbance", _disturbance(results)),
        ("Data", "; ".join(_data(run.datasets))),
        ("Holds for", _scope(run)),
        ("To repeat", _repeat(run)),
    ]
    return [(name, text) for name, text in pairs if text]


def _trials(run: Run) -> str:
    plan = run.plan
    starts = {trial.start for trial in run.measurements if trial.start is not None}
    own = " a fresh interpreter" if starts == {"fresh"} else " a process of its own"
    return (
        f"{counted(len(run.measurements), 'trial')}, each one operation in{own}, with libraries warmed up before the "
        f"clock; {rounds_text(plan)}, in each of which all methods and numbers of images stand in an order drawn anew "
        f"from seed {plan.seed}."
    )


def _clock(run: Run) -> str:
    threads = f", {counted(run.plan.workers, 'thread')}"
    return (
        f"Wall time{threads}; {_CLOCK[run.plan.payload]}. Outside it: preparing a store, flushing what a buffered "
        "write left behind, verifying, weighing, removing."
    )


def _cache(results: RunResults) -> str:
    reads = [entry for entry in results.summaries if entry.cell.cache is not None and entry.ok]
    if not reads:
        return ""
    proof = residency_text(reads)
    if any(entry.cell.cache is CacheState.COLD for entry in reads):
        entries = "emptied, too" if results.run.plan.drop_caches else "stayed warm"
        proof += f"; caches of directory entries {entries}"
    return f"{proof}. What the device or a host keeps in caches of its own is not known."


def _sync(results: RunResults) -> str:
    writes = [entry.cell for entry in results.summaries if entry.cell.sync is not None and entry.ok]
    if not writes:
        return ""
    return f"{levels_text(writes)} Levels are never ranked against each other."


def _verified(trials: Sequence[Measurement]) -> str:
    done = [trial for trial in trials if trial.status is Status.OK]
    verified = sum(bool(trial.verified) for trial in done)
    text = (
        f"In {format_count(verified)} of {counted(len(done), 'trial')} that ended, every image and label was read back "
        "outside the clock and compared with the source; a time without that does not count."
    )
    states = Counter(trial.status for trial in trials if trial.status is not Status.OK)
    if states:
        named = " and ".join(f"{format_count(count)} {state}" for state, count in states.items())
        text += f" {named}: see Failures; such a cell is never ranked."
    return text


def _statistics(results: RunResults) -> str:
    intervals = interval_caption(results.summaries)
    text = f"A figure is the {intervals}. " if intervals else ""
    if results.verdicts:
        text += (
            "Methods are compared by their ratios within each round; the 95 % of a verdict hold for all its methods "
            f"together, however often it was looked at; slower means by over {100 * (MARGIN - 1):.0f} %, for certain."
        )
    return text.strip()


def _disturbance(results: RunResults) -> str:
    environment = results.run.environment
    cells = [entry for entry in results.summaries if entry.ok]
    kinds = [kind for entry in cells for kind in {warning.kind for warning in entry.warnings}]
    noisy = sum(bool(entry.warnings) for entry in cells)
    signs = ", ".join(f"{sign_word(kind.value)} {count}" for kind, count in Counter(kinds).most_common())
    text = f"Signs of noise in {format_count(noisy)} of {counted(len(cells), 'cell')}{f' ({signs})' if signs else ''}."
    if environment.load is not None:
        text += f" Load {environment.load:.2f} at the start."
    busy = sorted(trial.foreign_cpu for trial in results.run.measurements if trial.foreign_cpu is not None)
    if busy:
        share = sum(value > 0.5 for value in busy) / len(busy)
        text += (
            f" Other programs kept {busy[len(busy) // 2]:.2f} cores busy in the median trial, and more than half a "
            f"core in {format_percent(share)} of them."
        )
    return text


def _data(datasets: Sequence[DatasetFacts]) -> Iterator[str]:
    for facts in datasets:
        repeated = ", repeated beyond that" if facts.repeated else ""
        is_endless = facts.images >= MAX_CUTOFF  # generated
        of_all = "" if is_endless else f"{format_count(facts.used)} of "
        many = f"{of_all}{counted(facts.used if is_endless else facts.images, 'image')}"
        yield (
            f"{facts.text}: {many}{repeated}; SHA-256 over "
            f"shape, type, pixels and labels {facts.fingerprint[:_SHOWN_DIGITS]}..."
        )


def _scope(run: Run) -> str:
    return (
        "This machine, file system, data and these versions and options; another setting may rank the methods "
        "otherwise. Sizes that were not measured are predictions, and are called so."
        if run.plan.specs
        else ""
    )


def _repeat(run: Run) -> str:
    return (
        f"imgstore-tui export {run.id} -f bundle packs every sample, the plan with its seed and the machine; "
        "imgstore-tui run --from BUNDLE measures it again, there or elsewhere, and compares."
    )
