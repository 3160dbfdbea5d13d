"""Writes why one of several methods is taken: by time, by disk use, and beside the user's own files."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from imgstore_tui.analysis.verdict import Verdict, listed
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.spec import IN_PLACE, parse_spec_text
from imgstore_tui.core.units import format_number
from imgstore_tui.plugins import registry
from imgstore_tui.present.text.closing_line import which_will_do
from imgstore_tui.stats.intervals import Interval
from imgstore_tui.stats.ranking import Placement

ALIKE = 1.05
"""Ratio of disk use up to which two methods count as equal."""


def least_disk(specs: list[str], disk: Mapping[str, int]) -> str:
    """Return the first of several methods, or one whose stores are clearly smaller."""
    smallest = min(specs, key=lambda spec: disk.get(spec, math.inf))
    return smallest if ALIKE * disk.get(smallest, math.inf) < disk.get(specs[0], 0.0) else specs[0]


def either_text(
    candidates: list[str],
    best: list[str],
    data: str,
    operation: str,
    verdict: Verdict,
    pick: str,
    disk: Mapping[str, int],
) -> str:
    """Return that it does not matter which of several methods is taken, and what speaks for one all the same.

    Args:
        candidates: The methods, in the order of the plan.
        best: All that share the first place, those that lose bits included.
        data: For which dataset, where there are several.
        operation: The operation as text.
        verdict: The verdict of the operation by itself.
        pick: The method to convert to.
        disk: Allocated bytes by method.
    """
    where = f"{data} where images are read often"
    if len(candidates) == 1:
        others = [spec for spec in best if spec != pick]
        which = "does" if len(others) == 1 else "do"
        return (
            f"Take {pick}{where}: it keeps every bit, which {listed(others)} {which} not, and in {operation} "
            "it is as fast, as far as the rounds can tell."
        )
    text = f"{listed(candidates, 'or')}: {which_will_do(verdict, candidates)}{where}. In {operation} "
    if verdict.unsure:
        text += "they are too close to call; more rounds may decide."
    else:
        text += "they take as good as the same time."
    if all(disk.get(spec, 0.0) > ALIKE * disk.get(pick, math.inf) for spec in candidates if spec != pick):
        text += f" {pick} takes less disk."
    return text


def rather_text(alone: Verdict, slower: list[str], data: str, operation: str) -> str:
    """Return that one method is fastest by its verdict alone, which is too little for the whole run.

    Args:
        alone: The verdict of the operation by itself, which has a winner.
        slower: The methods that only this verdict calls slower.
        data: For which dataset, where there are several.
        operation: The operation as text.
    """
    return (
        f"Rather {alone.winner} than {listed(slower, 'or')}{data} where images are read often: by this verdict alone "
        f"it is fastest in {operation}, but not surely so when {together_text(alone)}; more rounds may show it."
    )


def together_text(verdict: Verdict) -> str:
    """Return what makes a verdict less sure: ``all 9 verdicts of the run are to hold together``."""
    return f"all {verdict.judged_together} verdicts of the run are to hold together"


def own_files_text(verdict: Verdict, pick: str, disk: Mapping[str, int]) -> str:
    """Return how much longer the user's own files take, and what a method does not keep of them; empty if no longer.

    Args:
        verdict: The verdict of the operation, with all verdicts of the run together.
        pick: The method to convert to.
        disk: Allocated bytes by method.
    """
    own = verdict.standing(IN_PLACE.label)
    if own is None or own.placement is not Placement.SLOWER or own.ratio is None:
        return ""
    text = f" Your files as they are ({IN_PLACE}) take {_times_as_long(own.ratio, verdict)}"
    if pick in disk and IN_PLACE.label in disk:
        text += f"; {pick} takes {format_number(disk[pick] / disk[IN_PLACE.label])} times their disk"
    return text + ("." if _keeps_files(pick) else ", and keeps only the pixels (no EXIF, no file names).")


def _keeps_files(spec: str) -> bool:
    """Return whether a method stores picture files unchanged."""
    try:
        codec = registry.codecs.all().get(parse_spec_text(spec).codec or "")
    except UsageError:
        return False
    return codec is not None and codec.from_file


def lossless_alternative(verdict: Verdict, lossy: Collection[str]) -> str:
    """Return a sentence on the fastest lossless method, for verdicts that a lossy one wins; empty if there is none."""
    lossless = [entry for entry in verdict.standings if entry.name not in lossy and entry.name != IN_PLACE.label]
    if lossless and lossless[0].placement is Placement.SLOWER and lossless[0].ratio is not None:
        duration = _times_as_long(lossless[0].ratio, verdict)
        return f" Of those that keep every bit {lossless[0].name} is first, and takes {duration}."
    return ""


def _times_as_long(ratio: Interval, verdict: Verdict) -> str:
    """Return a ratio to the fastest method and its interval: ``1.59 times as long as lmdb (1.15 to 1.74)``."""
    first, span = verdict.best[0], f"({format_number(ratio.low)} to {format_number(ratio.high)})"
    return f"{format_number(ratio.median)} times as long as {first} {span}"
