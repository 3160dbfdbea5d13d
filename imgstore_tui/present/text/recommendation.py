"""Which to take, in a few lines a data set: who is first at the most images, what that weighs, and what to do now."""

from __future__ import annotations

import math
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath

from rich.cells import cell_len

from imgstore_tui.analysis.verdict import Verdict
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import CacheState, Operation, Payload
from imgstore_tui.core.spec import IN_PLACE, parse_dataset_text, parse_spec_text
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_bytes, format_count, format_count_short, format_number
from imgstore_tui.plugins import registry
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.disk_use import weighed_stores
from imgstore_tui.present.text.captions import level_text
from imgstore_tui.stats.intervals import MIN_ROUNDS, Interval
from imgstore_tui.stats.ranking import Placement

TITLE = "Which to take"

_READS = (Operation.READ_RANDOM, Operation.READ_MANY, Operation.GET_ONE, Operation.READ_ONE)
"""Images are written once and read often: the first of these that has a verdict says which to take."""
ALIKE = 1.05
"""What weighs up to so many times as much is as light."""
_ENDED = {
    "budget": "its time budget ended the run",
    "stopped": "the run was stopped",
    "interrupted": "the run broke off",
}


@dataclass(frozen=True, slots=True)
class RecommendationLine:
    """One line of the answer, harmless to a terminal."""

    text: str
    command: bool = False
    """Whether it is a line for a shell, to be copied whole."""


def recommendation_lines(results: RunResults, cutoff: int | None = None) -> tuple[RecommendationLine, ...]:
    """Return the verdicts as an answer: who is first, what that weighs, which to take, and the command that does it.

    What has no verdict is not named. Where nothing has one for want of rounds, it is said how to get there; while a
    run goes on, nothing is said.

    Args:
        results: The run.
        cutoff: Only what was judged at this number of images; None for the most at which each operation was.
    """
    run = results.run
    if run.status == "running":
        return ()
    lines: list[RecommendationLine] = []
    for dataset in run.plan.datasets:
        judged = [verdict for verdict in _judged_at(results, dataset, cutoff) if verdict.reason is None]
        if judged:
            lines += _of_dataset(results, dataset, judged)
    if not lines:
        return tuple(_none_yet(results))
    if run.plan.cache == (CacheState.HOT,) and any(verdict.contest.cache for verdict in results.verdicts):
        cold = "For more images than fit there, read cold, too (--cache hot,cold)."
        lines.append(RecommendationLine(f"All was read from memory. {cold}"))
    if all(_name_of(dataset) == "synthetic" for dataset in run.plan.datasets):
        lines.append(RecommendationLine("These images are made up. To measure your own:"))
        lines.append(RecommendationLine("imgstore-tui run -d folder:PATH -n 10", command=True))
    return tuple(lines)


def fastest_line(results: RunResults, room: int) -> str:
    """Return who is first in one line of at most so many columns, by method; empty where there is none or no room.

    Where there is no room for more, it is of what was measured at the most images alone.
    """
    dataset, *others = results.run.plan.datasets
    judged = [verdict for verdict in _judged_at(results, dataset, None) if verdict.reason is None]
    if others or not judged:
        return ""
    most = max(verdict.contest.cutoff for verdict in judged)
    at_the_most = [verdict for verdict in judged if verdict.contest.cutoff == most]
    for told, where in ((judged, counted(most, "image")), (at_the_most, f"N={format_count_short(most)}")):
        operations: dict[str, list[str]] = {}
        for verdict in told:
            operations.setdefault(_first_words(verdict), []).append(_operation_words(verdict, most, results))
        named = "; ".join(f"{first} {', '.join(words)}" for first, words in operations.items())
        line = safe_text(f"Fastest at {where}: {named}")
        if cell_len(line) <= room:
            return line
    return ""


def _none_yet(results: RunResults) -> Iterator[RecommendationLine]:
    """Say what is missing for an answer, where more rounds would give one."""
    run = results.run
    rivals = {spec.label for spec in run.plan.specs} | {trial.spec for trial in run.measurements}
    if len(rivals) < 2 or not run.measurements or any(verdict.reason is None for verdict in results.verdicts):
        return
    if run.plan.rounds < MIN_ROUNDS:
        yield RecommendationLine(f"No answer: it takes {MIN_ROUNDS} rounds, and the plan has {run.plan.rounds}.")
    elif run.status in _ENDED:
        yield RecommendationLine(
            f"No answer yet: {_ENDED[run.status]} before the {MIN_ROUNDS} rounds that it takes. To go on:"
        )
        yield from _command("imgstore-tui", "resume", run.id)


def _of_dataset(results: RunResults, dataset: str, judged: list[Verdict]) -> Iterator[RecommendationLine]:
    """Yield the lines of one data set, which has verdicts: what to do first, then what that rests on."""
    most = max(verdict.contest.cutoff for verdict in judged)
    where = f"{dataset}, {counted(most, 'image')}" if len(results.run.plan.datasets) > 1 else counted(most, "image")
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
    kind = next((kind for kind in _READS if kind in measured), None)
    reads = [verdict for verdict in judged if verdict.contest.operation is kind]  # one a cache state
    lines = [line for read in reads for line in _advice(results, read, _operation_words(read, most, results), disk)]
    yield from dict.fromkeys(lines)
    yield _said(f"Fastest at {where} - {'; '.join(_words(verdict, most, results) for verdict in judged)}.")
    told = []
    if sizes := sorted((disk[spec], spec) for spec in first & disk.keys()):
        told.append(f"On disk: {', '.join(f'{spec} {format_bytes(size)}' for size, spec in sizes)}")
        least = min(disk, key=lambda spec: (disk[spec], spec))
        told[-1] += "." if disk[least] == sizes[0][0] else f"; least of all {least} {format_bytes(disk[least])}."
    if lossy:
        told.append(f"Lossy: {', '.join(f'{spec} ({psnr:.0f} dB)' for spec, psnr in lossy.items())}.")
    if told:
        yield _said(" ".join(told))


def _advice(
    results: RunResults, verdict: Verdict, operation: str, disk: Mapping[str, int]
) -> Iterator[RecommendationLine]:
    """Say which to take where images are read often, as one reading operation has it."""
    own = verdict.standing(IN_PLACE.label)
    if IN_PLACE.label in verdict.best:
        open_yet = IN_PLACE.label in verdict.unsure and IN_PLACE.label != verdict.best[0]
        yield RecommendationLine(
            f"To be read, your files can stay as they are ({IN_PLACE}): nothing here was shown to be faster in "
            f"{operation}{'; more rounds may' if open_yet else ''}."
        )
        return
    lossy = {spec for spec, _ in verdict.lossy}
    pick = _pick(verdict, lossy, disk)
    others = [spec for spec in verdict.best if spec != pick]
    why = f"it is fastest in {operation}"
    if others:
        why = f"in {operation} it cannot be told apart from {' and '.join(others)}"
        if all(disk.get(spec, 0.0) > ALIKE * disk.get(pick, math.inf) for spec in others):
            why += ", and takes less disk"
        elif verdict.unsure:
            why += " yet (more rounds may), and has the lowest median" if pick == verdict.best[0] else " yet"
    data = f" for {verdict.contest.dataset}" if len(results.run.plan.datasets) > 1 else ""
    told = f"Take {pick}{data} where images are read often: {why}."
    if own is not None and own.placement is Placement.SLOWER and own.ratio is not None:
        told += f" Your files as they are ({IN_PLACE}) take {_times_as_long(own.ratio, verdict)}"
        if pick in disk and IN_PLACE.label in disk:
            told += f"; {pick} takes {format_number(disk[pick] / disk[IN_PLACE.label])} times their disk"
        told += "." if _keeps_files(pick) else ", and keeps their pixels alone."
    if pick in lossy:
        told += "".join(_exact(verdict, lossy))
    yield _said(told)
    if results.run.plan.payload is not Payload.RAW:  # there the codec has taken no part
        yield from _conversion(verdict.contest.dataset, pick)


def _exact(verdict: Verdict, lossy: Collection[str]) -> Iterator[str]:
    """Yield what must be known where a method that loses is first: who is of those that keep every bit."""
    kept = [entry for entry in verdict.standings if entry.name not in lossy and entry.name != IN_PLACE.label]
    if kept and kept[0].placement is Placement.SLOWER and kept[0].ratio is not None:
        long = _times_as_long(kept[0].ratio, verdict)
        yield f" Of those that keep every bit {kept[0].name} is first, and takes {long}."


def _times_as_long(ratio: Interval, verdict: Verdict) -> str:
    first, span = verdict.best[0], f"({format_number(ratio.low)} to {format_number(ratio.high)})"
    return f"{format_number(ratio.median)} times as long as {first} {span}"


def _pick(verdict: Verdict, lossy: Collection[str], disk: Mapping[str, int]) -> str:
    """Return which of the first to name: what keeps every bit; of those as quick for sure what is clearly lighter."""
    kept = [spec for spec in verdict.best if spec not in lossy] or list(verdict.best)
    quickest = kept[0]
    alike = [spec for spec in kept if spec in verdict.alike and quickest in verdict.alike]
    lightest = min(alike, key=lambda spec: disk.get(spec, math.inf), default=quickest)
    lighter = ALIKE * disk.get(lightest, math.inf) < disk.get(quickest, 0.0)
    return lightest if lighter else quickest


def _keeps_files(spec: str) -> bool:
    """Whether a method keeps picture files as they are."""
    try:
        codec = registry.codecs.all().get(parse_spec_text(spec).codec or "")
    except UsageError:
        return False
    return codec is not None and codec.from_file


def _conversion(dataset: str, spec: str) -> Iterator[RecommendationLine]:
    """Yield the command that stores the images of a data set so, where they are somebody's own."""
    try:
        data, backend = parse_dataset_text(dataset), parse_spec_text(spec).backend
    except UsageError:
        return
    if data.path is not None:
        name = PurePath(data.path).name if data.name == "folder" else data.name
        # Of the folder that one stands in, the store cannot be a part.
        place = f"{name}.{backend}" if name else f"../{data.name}.{backend}"
        yield from _command("imgstore-tui", "convert", dataset, spec, place)


def _command(*words: str) -> Iterator[RecommendationLine]:
    """Yield a line for a shell; nothing where it could not be shown as it is."""
    line = shlex.join(words)
    if line == safe_text(line):
        yield RecommendationLine(line, command=True)


def _said(words: str) -> RecommendationLine:
    return RecommendationLine(safe_text(words))


def _name_of(dataset: str) -> str:
    try:
        return parse_dataset_text(dataset).name
    except UsageError:
        return ""


def _judged_at(results: RunResults, dataset: str, cutoff: int | None) -> list[Verdict]:
    """Return one verdict an operation and level: that of the most images at which it was measured, or of ``cutoff``."""
    last: dict[Cell, Verdict] = {}
    for verdict in results.verdicts:
        if verdict.contest.dataset == dataset and cutoff in (None, verdict.contest.cutoff):
            key = replace(verdict.contest, cutoff=0)
            if key not in last or last[key].contest.cutoff < verdict.contest.cutoff:
                last[key] = verdict
    return list(last.values())


def _operation_words(verdict: Verdict, most: int, results: RunResults) -> str:
    contest = verdict.contest
    several = len(results.run.plan.sync if contest.operation.writes else results.run.plan.cache) > 1
    head = str(contest.operation)
    if contest.cutoff != most and contest.operation is not Operation.WRITE_ONE:  # which is of one image always
        head += f" of {counted(contest.cutoff, 'image')}"
    return f"{head}, {level_text(contest)}" if several else head


def _words(verdict: Verdict, most: int, results: RunResults) -> str:
    return f"{_operation_words(verdict, most, results)}: {_first_words(verdict)}"


def _first_words(verdict: Verdict) -> str:
    """Return who is first, or who shares the first place, and how sure that is."""
    if verdict.winner:
        return verdict.winner
    tied = " or ".join(verdict.alike)
    unsure = " or ".join(verdict.unsure if tied else verdict.best)
    told = [f"{tied} (tie)"] * bool(tied) + [f"{'perhaps ' if tied else ''}{unsure} (unsure)"] * bool(unsure)
    return ", ".join(told)
