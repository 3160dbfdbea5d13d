"""Writes the recommendation: which method to take per dataset, why, its disk use, and the command to convert."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rich.cells import cell_len

from imgstore_tui.analysis.ceilings import headrooms
from imgstore_tui.analysis.verdict import Verdict, listed
from imgstore_tui.bench.plan.error_parts import DECIDING_READS
from imgstore_tui.bench.plan.grid import run_cells
from imgstore_tui.bench.plan.looks import rounds_for_first_verdicts
from imgstore_tui.core.access import Access
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.model import NOT_RESUMABLE, Cell
from imgstore_tui.core.operations import CacheState, Operation, Payload
from imgstore_tui.core.spec import IN_PLACE, parse_dataset_text
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_bytes, format_count, format_count_short
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.disk_use import weighed_stores
from imgstore_tui.present.text.captions import dataset_clause, level_text
from imgstore_tui.present.text.ceilings import headroom_sentence
from imgstore_tui.present.text.choice_sentences import (
    either_text,
    least_disk,
    lossless_alternative,
    own_files_text,
    rather_text,
    together_text,
)
from imgstore_tui.present.text.closing_line import either_line, own_files_line, take_line
from imgstore_tui.present.text.codecs_sentence import codecs_sentence
from imgstore_tui.present.text.next_commands import conversion_command, same_measurement, shell_line
from imgstore_tui.present.text.shared_options import short_names
from imgstore_tui.present.text.single_reads import single_reads_sentence
from imgstore_tui.stats.intervals import MIN_ROUNDS
from imgstore_tui.stats.ranking import Placement

TITLE = "Which to take"

_ENDED = {
    "budget": "the time budget ran out",
    "stopped": "the run was stopped",
    "interrupted": "the run was interrupted",
}


@dataclass(frozen=True, slots=True)
class RecommendationLine:
    """One line of the recommendation, harmless to a terminal."""

    text: str
    command: bool = False
    """Whether the line is a shell command."""
    headline: bool = False
    """Whether the line is the answer in short: what to take, and what that means in time and disk."""
    fastest: bool = False
    """Whether the line is part of the list of the fastest by operation, which tables of medians mark."""
    remark: bool = False
    """Whether the line is a remark on how was measured, which stands last."""


def recommendation_lines(results: RunResults, cutoff: int | None = None) -> tuple[RecommendationLine, ...]:
    """Return which method to take and why, with names short by what all methods share; commands have whole names.

    Args:
        results: The run.
        cutoff: Number of images whose verdicts are used; None for the most at which each operation has one.
    """
    plan = results.run.plan
    return tuple(
        line if line.command else replace(line, text=short_names(line.text, plan)) for line in _lines(results, cutoff)
    )


def _lines(results: RunResults, cutoff: int | None) -> tuple[RecommendationLine, ...]:
    """Return which method to take, the command that converts to it, the fastest methods, and their disk use.

    Operations without a verdict are left out. If no operation has one because rounds are missing, the lines say how to
    get one. Empty while the run is running.

    Args:
        results: The run.
        cutoff: Number of images whose verdicts are used; None for the most at which each operation has one.
    """
    run = results.run
    if run.status == "running":
        return ()
    lines: list[RecommendationLine] = []
    for dataset in run.plan.datasets:
        judged = [verdict for verdict in _verdicts_at(results, dataset, cutoff) if verdict.reason is None]
        if judged:
            lines += _dataset_lines(results, dataset, judged)
    if not lines:
        return (*_missing_rounds(results), *_disk_lines(results, cutoff))
    largest = max(trial.cutoff for trial in run.measurements)
    if cutoff is None and not any(
        verdict.reason is None and verdict.contest.cutoff == largest for verdict in results.verdicts
    ):
        lines += _missing_rounds(results)
    if run.plan.cache == (CacheState.HOT,) and any(verdict.contest.cache for verdict in results.verdicts):
        cold = "If your set is larger than memory, also measure cold reads (--cache hot,cold)."
        lines.append(RecommendationLine(f"Everything was read from the page cache. {cold}"))
    if all(_name_of(dataset) == "synthetic" for dataset in run.plan.datasets):
        lines.append(RecommendationLine("These are synthetic images. To measure your own:"))
        lines += _command(shell_line(*same_measurement(results.run.plan), "-d", "folder:PATH"))
    return tuple(lines)


def fastest_line(results: RunResults, room: int) -> str:
    """Return the fastest methods in one line; empty where there is no verdict or no room.

    If the line is too long, it covers only the operations measured at the most images.

    Args:
        results: The run.
        room: Columns available.
    """
    dataset, *others = results.run.plan.datasets
    judged = [verdict for verdict in _verdicts_at(results, dataset, None) if verdict.reason is None]
    if others or not judged:
        return ""
    most = max(verdict.contest.cutoff for verdict in judged)
    at_the_most = [verdict for verdict in judged if verdict.contest.cutoff == most]
    for verdicts, count in ((judged, counted(most, "image")), (at_the_most, f"N={format_count_short(most)}")):
        operations: dict[str, list[str]] = {}
        for verdict in verdicts:
            operations.setdefault(_fastest_text(verdict), []).append(_operation_text(verdict, most, results))
        named = " · ".join(f"{', '.join(names)} {fastest}" for fastest, names in operations.items())
        line = short_names(safe_text(f"Fastest at {count}: {named}"), results.run.plan)
        if cell_len(line) <= room:
            return line
    return ""


def _missing_rounds(results: RunResults) -> Iterator[RecommendationLine]:
    """Yield what is missing for a recommendation, where more rounds would give one."""
    run = results.run
    rivals = {spec.label for spec in run.plan.specs} | {trial.spec for trial in run.measurements}
    if len(rivals) < 2 or not run.measurements:
        return
    if run.plan.rounds < MIN_ROUNDS:
        yield RecommendationLine(f"No answer: it takes {MIN_ROUNDS} rounds, and the plan has {run.plan.rounds}.")
    elif run.status in _ENDED:
        most = max(trial.cutoff for trial in run.measurements)
        rounds: dict[Cell, list[int]] = {}
        for summary in results.summaries:
            if summary.cell.cutoff == most:
                rounds.setdefault(summary.cell.contest, []).append(len(summary.rounds))
        needed = rounds_for_first_verdicts(run.plan, run_cells(run))
        done = min(needed - 1, max((min(each) for each in rounds.values() if len(each) > 1), default=0))
        decided = any(verdict.reason is None for verdict in results.verdicts)
        of_most = f" for {counted(most, 'image')}" if decided else ""
        what = f"No answer yet{of_most}: {_ENDED[run.status]} after {done} of the {needed} rounds needed."
        if run.servers_end:
            yield RecommendationLine(f"{what} {NOT_RESUMABLE}")
        else:
            yield RecommendationLine(f"{what} To continue:")
            yield from _command(shell_line("imgstore-tui", "resume", run.id))


def _disk_lines(results: RunResults, cutoff: int | None) -> Iterator[RecommendationLine]:
    """Yield what the stores weigh where there is no verdict: that needs no rounds."""
    for dataset in results.run.plan.datasets:
        weighed = [entry for entry in weighed_stores(results, dataset) if cutoff in (None, entry.cell.cutoff)]
        most = max((entry.cell.cutoff for entry in weighed), default=0)
        sizes = sorted(
            (entry.disk.allocated_bytes, entry.cell.spec)
            for entry in weighed
            if entry.cell.cutoff == most and entry.disk is not None and entry.disk.allocated_bytes is not None
        )
        if len(sizes) > 1:
            name = dataset_clause(dataset, results.run)
            data = f" of {name}" if name else ""
            named = ", ".join(f"{spec} {format_bytes(size)}" for size, spec in sizes)
            yield _line(f"On disk, {counted(most, 'image')}{data}: {named}. One round answers that.")


def _dataset_lines(results: RunResults, dataset: str, judged: list[Verdict]) -> Iterator[RecommendationLine]:
    """Yield the lines of one dataset with verdicts: the recommendation, then the verdicts it is based on."""
    most = max(verdict.contest.cutoff for verdict in judged)
    where = ", ".join(filter(None, (dataset_clause(dataset, results.run), counted(most, "image"))))
    facts = next((facts for facts in results.run.datasets if facts.text == dataset), None)
    if facts is not None and facts.used < most:
        where += f" ({format_count(facts.used)} of them, repeated)"
    first = {spec for verdict in judged for spec in verdict.best}
    disk = {
        summary.cell.spec: summary.disk.allocated_bytes
        for summary in weighed_stores(results, dataset)
        if summary.cell.cutoff == most and summary.disk is not None and summary.disk.allocated_bytes is not None
    }
    lossy = {spec: psnr for verdict in judged for spec, psnr in verdict.lossy if spec in first}
    measured = {verdict.contest.operation for verdict in judged}
    operation = next((operation for operation in DECIDING_READS if operation in measured), None)
    reads = [verdict for verdict in judged if verdict.contest.operation is operation]  # one per cache state
    lines = [line for read in reads for line in _advice(results, read, _operation_text(read, most, results), disk)]
    yield from dict.fromkeys(line for line in lines if not line.remark)
    yield replace(_line(f"Fastest at {where}:"), fastest=True)
    for verdict in judged:
        yield replace(_line(f"- {_operation_text(verdict, most, results)}: {_fastest_text(verdict)}"), fastest=True)
    parts = []
    if sizes := sorted((disk[spec], spec) for spec in first & disk.keys()):
        parts.append(f"On disk: {', '.join(f'{spec} {format_bytes(size)}' for size, spec in sizes)}")
        least = min(disk, key=lambda spec: (disk[spec], spec))
        parts[-1] += "." if disk[least] == sizes[0][0] else f"; least of all {least} {format_bytes(disk[least])}."
    if lossy:
        parts.append(f"Lossy: {', '.join(f'{spec} ({psnr:.0f} dB)' for spec, psnr in lossy.items())}.")
    if parts:
        yield _line(" ".join(parts))
    if text := codecs_sentence(results.run.plan, {entry.name for verdict in judged for entry in verdict.standings}):
        yield replace(_line(text), remark=True)
    yield from dict.fromkeys(line for line in lines if line.remark)


def _advice(
    results: RunResults, verdict: Verdict, operation: str, disk: Mapping[str, int]
) -> Iterator[RecommendationLine]:
    """Yield which method to take where images are read often, from the verdict of one reading operation.

    Args:
        results: The run.
        verdict: The verdict of the operation.
        operation: The operation as text.
        disk: Allocated bytes by method.
    """
    alone, verdict = verdict, verdict.at_headline()
    # By the intervals of all verdicts together they share the first place, by those of their own verdict they do not.
    slower = [entry.name for entry in alone.standings if entry.placement is Placement.SLOWER]
    slower = [spec for spec in slower if spec in verdict.best]
    best = [spec for spec in verdict.best if spec not in slower]
    if IN_PLACE.label in best:
        yield _headline(own_files_line(results, verdict))
        open_yet = IN_PLACE.label in verdict.unsure and IN_PLACE.label != best[0]
        yield RecommendationLine(
            f"To be read, your files can stay as they are ({IN_PLACE}): nothing here was shown to be faster in "
            f"{operation}{'; more rounds may decide' if open_yet else ''}."
        )
        return
    lossy = {spec for spec, _ in verdict.lossy}
    order = [spec.label for spec in results.run.plan.specs]
    candidates = [spec for spec in best if spec not in lossy] or best
    # In the order of the plan: which of them has the lowest median is chance, and another run has another.
    candidates.sort(key=lambda spec: (order.index(spec) if spec in order else len(order), spec))
    pick = least_disk(candidates, disk)
    name = dataset_clause(verdict.contest.dataset, results.run)
    data = f" for {name}" if name else ""
    if verdict.winner is not None or alone.winner is not None or len(candidates) == 1:
        sure = verdict.winner is not None or alone.winner is None
        yield _headline(take_line(results, alone, pick, disk, "Take" if sure else "Rather take"))
    else:
        yield _headline(either_line(results, alone, candidates))
    if verdict.winner is not None:
        text = f"Take {pick}{data} where images are read often: it is fastest in {operation}."
        if verdict.judged_together > 1:
            text += f" That holds with 95 % for all {verdict.judged_together} verdicts of the run together."
    elif alone.winner is not None:
        text = rather_text(alone, slower, data, operation)
    else:
        text = either_text(candidates, best, data, operation, alone, pick, disk)
        if slower:
            text += (
                f" {listed(slower)} {'takes' if len(slower) == 1 else 'take'} longer by this verdict alone, not surely "
                f"when {together_text(verdict)}."
            )
    text += own_files_text(verdict, pick, disk)
    if pick in lossy:
        text += lossless_alternative(alone, lossy)
    chosen = replace(verdict.contest, spec=pick)
    text += _access_of(results, chosen)
    yield _line(text)
    yield from _further(results, chosen)


def _further(results: RunResults, chosen: Cell) -> Iterator[RecommendationLine]:
    """Yield the command that converts to the chosen method, and what more there is to know of it."""
    if results.run.plan.payload is not Payload.RAW:  # in raw runs the codec has no part
        yield from _command(conversion_command(chosen.dataset, chosen.spec))
    for headroom in headrooms(results.run, [entry for entry in results.summaries if entry.cell == chosen]):
        yield replace(_line(headroom_sentence(headroom)), remark=True)
    if text := single_reads_sentence(results, chosen):
        yield replace(_line(text), remark=True)


def _access_of(results: RunResults, cell: Cell) -> str:
    """Return a sentence on who reads, where it is no library that the user's program would call; else empty."""
    summary = next((summary for summary in results.summaries if summary.cell == cell), None)
    if summary is None or summary.access is not Access.OWN:
        return ""
    return f" Here {cell.spec} is read by code of this program (access own), not by a library of its format."


def _command(line: str) -> Iterator[RecommendationLine]:
    if line:
        yield RecommendationLine(line, command=True)


def _headline(text: str) -> RecommendationLine:
    return RecommendationLine(safe_text(text), headline=True)


def _line(text: str) -> RecommendationLine:
    return RecommendationLine(safe_text(text))


def _name_of(dataset: str) -> str:
    try:
        return parse_dataset_text(dataset).name
    except UsageError:
        return ""


def _verdicts_at(results: RunResults, dataset: str, cutoff: int | None) -> list[Verdict]:
    """Return one verdict per operation and level: the decided one of the most images, or that of ``cutoff``."""
    last: dict[Cell, Verdict] = {}
    for verdict in results.verdicts:
        if verdict.contest.dataset == dataset and cutoff in (None, verdict.contest.cutoff):
            key = replace(verdict.contest, cutoff=0)
            if key not in last or _precedence(last[key]) < _precedence(verdict):
                last[key] = verdict
    return list(last.values())


def _precedence(verdict: Verdict) -> tuple[bool, int]:
    return verdict.reason is None, verdict.contest.cutoff


def _operation_text(verdict: Verdict, most: int, results: RunResults) -> str:
    contest = verdict.contest
    several = len(results.run.plan.sync if contest.operation.writes else results.run.plan.cache) > 1
    head = str(contest.operation)
    if contest.cutoff != most and contest.operation is not Operation.WRITE_ONE:  # which is always of one image
        head += f" of {counted(contest.cutoff, 'image')}"
    return f"{head}, {level_text(contest)}" if several else head


def _fastest_text(verdict: Verdict) -> str:
    """Return the fastest method, or those that share the first place, and how sure that is."""
    if verdict.winner:
        return verdict.winner
    tied = "/".join(verdict.alike)
    unsure = "/".join(verdict.unsure if tied else verdict.best)
    parts = [f"{tied} (tie)"] * bool(tied) + [f"perhaps {unsure}" if tied else f"{unsure} (tie?)"] * bool(unsure)
    return ", ".join(parts)
