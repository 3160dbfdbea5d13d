"""Writes the answer of a run in one line: what to take, what an epoch then takes, and its disk use."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from imgstore_tui.analysis.verdict import Verdict, listed
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.units import counted, format_number, format_seconds
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.text.captions import dataset_clause, level_text
from imgstore_tui.stats.ranking import Placement

_FAR_APART = 1.25
"""Ratio of medians from which on methods do not count as equally good while nothing is decided."""
_SHOWN = 0.005
"""Share of the time from which a difference is worth a number."""


def take_line(results: RunResults, verdict: Verdict, pick: str, disk: Mapping[str, int], word: str = "Take") -> str:
    """Return what to take, and what it takes beside another.

    For example "Take lmdb: an epoch of 2,000 images takes 20 ms instead of 2.2 s with disk; 1.3 times the disk use".
    It is held against the user's own files where they were read, else against the next method that is slower.

    Args:
        results: The run.
        verdict: The verdict of a reading operation.
        pick: The method to take.
        disk: Allocated bytes by method.
        word: What it begins with.
    """
    slower = [entry.name for entry in verdict.standings if entry.placement is Placement.SLOWER and entry.name != pick]
    base = IN_PLACE.label if IN_PLACE.label in slower else next(iter(slower), None)
    text = f"{word} {pick}{_for_data(results, verdict)}: {_work(results, verdict)} takes {_time(verdict, pick)}"
    if base is None:
        return f"{text}."
    where = "from your files" if base == IN_PLACE.label else f"with {base}"
    text += f" instead of {_time(verdict, base)} {where}"
    if pick in disk and disk.get(base):
        ratio = format_number(disk[pick] / disk[base])
        text += "; as much disk use" if ratio == "1" else f"; {ratio} times the disk use"
    return f"{text}."


def either_line(results: RunResults, verdict: Verdict, specs: Sequence[str]) -> str:
    """Return that several methods will do, and the time of each.

    Args:
        results: The run.
        verdict: The verdict of a reading operation.
        specs: The methods, two or more.
    """
    times = list(dict.fromkeys(_time(verdict, spec) for spec in specs))
    so_far = " so far" if set(specs) & set(verdict.unsure) else ""
    return (
        f"{listed(specs, 'or')}{_for_data(results, verdict)}, {which_will_do(verdict, specs)}{so_far}: "
        f"{_work(results, verdict)} takes {listed(times, 'or')}."
    )


def which_will_do(verdict: Verdict, specs: Sequence[str]) -> str:
    """Return that it does not matter which of several methods is taken, or that this is open.

    Medians that lie far apart where nothing is decided are no reason to call methods as good as each other.

    Args:
        verdict: The verdict of a reading operation.
        specs: The methods, two or more.
    """
    medians = [entry.median for entry in verdict.standings if entry.name in specs and entry.median]
    if set(specs) & set(verdict.unsure) and max(medians) > _FAR_APART * min(medians):
        return "not decided"
    return "either will do" if len(specs) == 2 else "any will do"


def own_files_line(results: RunResults, verdict: Verdict) -> str:
    """Return that the user's files can stay, and by how much something else might be faster at most.

    Args:
        results: The run.
        verdict: The verdict of a reading operation in which the files share the first place.
    """
    first = verdict.standings[0].name
    most = 0.0
    for entry in verdict.standings:
        if entry.placement is not Placement.TIE or entry.ratio is None:
            continue
        if first == IN_PLACE.label:
            most = max(most, 1 - entry.ratio.low)
        elif entry.name == IN_PLACE.label and entry.ratio.high > 0:
            most = max(most, 1 - 1 / entry.ratio.high)
    faster = f"in less time by more than {math.ceil(100 * most)} %" if most > _SHOWN else "in less time"
    return (
        f"Stay with your files{_for_data(results, verdict)}: {_work(results, verdict)} takes "
        f"{_time(verdict, IN_PLACE.label)}, and nothing here was shown to do it {faster}."
    )


def _for_data(results: RunResults, verdict: Verdict) -> str:
    name = dataset_clause(verdict.contest.dataset, results.run)
    return f" for {name}" if name else ""


def _work(results: RunResults, verdict: Verdict) -> str:
    """Return what was timed, in words of who trains or browses."""
    contest = verdict.contest
    many = counted(contest.cutoff, "image")
    text = {
        Operation.READ_RANDOM: f"an epoch of {many} in random order",
        Operation.READ_MANY: f"an epoch of {many} in order",
        Operation.GET_ONE: "one image of an open store",
        Operation.READ_ONE: "opening the store and reading one image",
    }.get(contest.operation, str(contest.operation))
    several = len(results.run.plan.cache) > 1
    return f"{text} ({level_text(replace(contest, sync=None))})" if several else text


def _time(verdict: Verdict, spec: str) -> str:
    standing = verdict.standing(spec)
    return format_seconds(None if standing is None else standing.median)
