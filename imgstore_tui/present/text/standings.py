"""Writes the standings of operations without a verdict: bars that move as rounds end, or one line of text.

No word of a verdict is used: who leads now may not be first at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from imgstore_tui.analysis.standings import ProvisionalStanding, Standings, provisional_standings
from imgstore_tui.bench.plan.grid import run_cells
from imgstore_tui.bench.plan.looks import rounds_for_first_verdicts
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_count_short, format_number, format_seconds
from imgstore_tui.present.charts.figures import SOURCE_INDEX
from imgstore_tui.present.charts.legend import ChartColours, mark_of
from imgstore_tui.present.detail.strips import StripScale, strip_scale
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.text.captions import contest_title
from imgstore_tui.present.text.shared_options import short_names
from imgstore_tui.present.text.text_page import folded_line

TITLE = "Standings"
_LEAST_BAR = 6
"""Columns below which no bar is drawn."""
_MOST_BAR = 40
_MOST_NAME = 24


def standings_text(
    results: RunResults,
    cutoff: int | None = None,
    *,
    width: int | None = None,
    colours: ChartColours | None = None,
    most: int | None = None,
) -> Text:
    """Return the standings of all operations that have no verdict yet; empty where every one has, or none can.

    Args:
        results: The run.
        cutoff: Number of images; None for the most at which each operation has a round of two methods.
        width: Columns available; None for 80.
        colours: Styles of the methods; None for none.
        most: Most operations that are shown; None for all.
    """
    every = standings_of(results, cutoff)
    text = Text()
    if not every:
        return text
    text.append(f"{TITLE}\n", style="bold yellow")
    text.append_text(folded_line("  ", "", _needs_text(results), width, style="dim"))
    for standings in every[:most]:
        text.append(f"{standings_title(standings, results)}\n", style="bold")
        for line in _entry_lines(standings, results, width or 80, colours):
            text.append_text(line).append("\n")
    if most is not None and len(every) > most:
        text.append(f"And {counted(len(every) - most, 'operation')} more: the part verdicts shows all.\n", style="dim")
    return text


def standings_lines(results: RunResults, cutoff: int | None = None) -> list[str]:
    """Return the standings in sentences of harmless text, one for each operation; then what a verdict needs."""
    every = standings_of(results, cutoff)
    lines = [
        safe_text(
            f"{contest_title(standings.contest, results.run)}, {counted(standings.contest.cutoff, 'image')}, "
            f"{counted(standings.rounds, 'round')}: {short_names(_sentence(standings), results.run.plan)}."
        )
        for standings in every
    ]
    return [*lines, _needs_text(results)] if lines else []


def standings_line(results: RunResults) -> str:
    """Return who leads each operation in one line of harmless text; empty where nothing is without a verdict."""
    every = standings_of(results)
    if not every:
        return ""
    named = "; ".join(
        f"{standings.contest.operation} {standings.leader.spec} leads ({', '.join(_behind(standings))})"
        for standings in every
    )
    rounds = counted(min(entry.rounds for entry in every), "round")
    return short_names(safe_text(f"standings after {rounds}: {named}"), results.run.plan)


def _behind(standings: Standings) -> list[str]:
    return [f"{entry.spec} x{_span(entry, '-')}" for entry in standings.entries if entry.ratios is not None]


def standings_of(results: RunResults, cutoff: int | None = None) -> tuple[Standings, ...]:
    """Return the standings of all operations that have no verdict yet.

    Args:
        results: The run.
        cutoff: Number of images; None for the most at which each operation has a round of two methods.
    """
    return provisional_standings(results.summaries, results.verdicts, cutoff)


def standings_title(standings: Standings, results: RunResults) -> str:
    """Return operation, number of images and rounds, in harmless text: ``read-many, N=1k, 3 rounds``."""
    images = f"N={format_count_short(standings.contest.cutoff)}"
    return f"{safe_text(_title(standings, results))}, {images}, {counted(standings.rounds, 'round')}"


def _title(standings: Standings, results: RunResults) -> str:
    """Return operation and dataset, and the level where the run has several: the pane is narrow."""
    contest, plan = standings.contest, results.run.plan
    several = len(plan.sync if contest.operation.writes else plan.cache) > 1
    return contest_title(contest if several else replace(contest, sync=None, cache=None), results.run)


def _needs_text(results: RunResults) -> str:
    needed = rounds_for_first_verdicts(results.run.plan, run_cells(results.run))
    return f"Provisional, may change: a verdict needs {needed} rounds."


def _sentence(standings: Standings) -> str:
    """Return ``hdf5 leads, ahead of lmdb (1.2 to 1.4 times, 3 of 3 rounds) and disk (...)``."""
    others = [
        f"{entry.spec} {_span(entry, ' to ')} times its time, behind in {_of_rounds(entry, standings)}"
        for entry in standings.entries[1:]
        if entry.ratios is not None
    ]
    return "; ".join([f"{standings.leader.spec} leads", *others])


def _of_rounds(entry: ProvisionalStanding, standings: Standings) -> str:
    return f"{entry.behind_in} of {counted(standings.rounds, 'round')}"


def _span(entry: ProvisionalStanding, between: str) -> str:
    """Return the least and greatest ratio of a round: ``1.2-1.4``, or one number where they round to the same."""
    if entry.ratios is None:
        return ""
    low, high = map(format_number, entry.ratios)
    return low if low == high else f"{low}{between}{high}"


def _entry_lines(standings: Standings, results: RunResults, width: int, colours: ChartColours | None) -> Iterator[Text]:
    indices = {spec.label: index for index, spec in enumerate(results.run.plan.specs)} | {IN_PLACE.label: SOURCE_INDEX}
    notes = [entry_note(entry, standings) for entry in standings.entries]
    times = [format_seconds(entry.median) for entry in standings.entries]
    fixed = 4 + max(map(cell_len, times)) + 2 + max(map(cell_len, notes)) + 1
    short = {entry.spec: short_names(safe_text(entry.spec), results.run.plan) for entry in standings.entries}
    names = min(max(map(cell_len, short.values())), _MOST_NAME, max(6, width - fixed))
    room = min(width - fixed - names - 1, _MOST_BAR)
    values = [
        value
        for entry in standings.entries
        for value in ((entry.median,) if entry.interval is None else (entry.interval.low, entry.interval.high))
    ]
    scale = strip_scale(values, room) if room >= _LEAST_BAR else None
    for entry, time, note in zip(standings.entries, times, notes, strict=True):
        index = indices.get(entry.spec)
        style = "" if colours is None or index is None else colours.style(index)
        mark = " " if index is None else mark_of(index)
        line = Text(f"  {mark} {set_cell_size(short[entry.spec], names)} ", style="")
        line.stylize(style, 2)
        if scale is not None:
            line.append(_bar(entry, scale), style=style).append(" ")
        line.append(f"{time:>{max(map(len, times))}} ").append(note, style="bold" if entry.ratios is None else "dim")
        yield line


def entry_note(entry: ProvisionalStanding, standings: Standings) -> str:
    """Return by how much a method is behind, and in how many rounds if not in all: ``x1.2-1.4 2/3``."""
    if entry.ratios is None:
        return "leads"
    unlike = f" {entry.behind_in}/{standings.rounds}" if entry.behind_in < standings.rounds else ""
    return f"x{_span(entry, '-')}{unlike}"


def _bar(entry: ProvisionalStanding, scale: StripScale) -> str:
    """Return a dot at the median, and from the third round on a line over what surrounds it."""
    cells = [" "] * scale.width
    if entry.interval is not None:
        low, high = scale.column(entry.interval.low), scale.column(entry.interval.high)
        cells[low : high + 1] = "─" * (high - low + 1)
    cells[scale.column(entry.median)] = "●"
    return "".join(cells)
