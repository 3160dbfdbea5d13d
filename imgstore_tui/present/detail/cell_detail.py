"""Writes the detail page of a cell: its samples, phases, memory, disk, proof and machine."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from imgstore_tui.analysis.cell_breakdown import CellBreakdown, break_down
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_bytes, format_count, format_rate, format_seconds
from imgstore_tui.present.detail.facts import add_proof, add_resources, server_pairs
from imgstore_tui.present.detail.strips import add_phases, add_rounds
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.matrix import cell_state, is_settled
from imgstore_tui.present.tables.table_model import interval_text, ratio_interval_text, ratio_text
from imgstore_tui.present.text.access import access_sentence
from imgstore_tui.present.text.captions import level_text, setting_text
from imgstore_tui.present.text.text_page import TextPage
from imgstore_tui.stats.intervals import MIN_ROUNDS
from imgstore_tui.stats.ranking import Placement

MOST_SAMPLES = 2000
"""Most samples that are listed; the exports have all."""


def cell_title(cell: Cell) -> str:
    """Return spec, operation, cutoff and level of a cell in one line of harmless text."""
    parts = [cell.spec, str(cell.operation), counted(cell.cutoff, "image"), level_text(cell)]
    return safe_text(", ".join(part for part in parts if part))


def cell_detail(results: RunResults, cell: Cell, width: int, *, ascii_only: bool = False) -> Text:
    """Return everything known about a cell, as text without markup.

    Args:
        results: The run.
        cell: One of its cells, measured or not.
        width: Columns available.
        ascii_only: Whether only ASCII is used.
    """
    summary = next((entry for entry in results.summaries if entry.cell == cell), None)
    breakdown = break_down(results.run, cell)
    page = TextPage(width)
    page.pair("timed", f"{cell.operation.describe}; {setting_text(cell)}")
    page.pair("data", cell.dataset)
    if summary is not None and summary.access is not None:
        page.pair("access", access_sentence(summary.access))
    page.pair("state", _state(summary, results, cell))
    if summary is not None:
        _figures(page, results, summary)
        for reason, trials in summary.reasons:
            page.pair("reason", f"{reason} ({format_count(trials)} of {format_count(summary.trials)})", style="red")
    if breakdown.trials:
        add_rounds(page, breakdown, summary)
        add_phases(page, breakdown)
        add_resources(page, breakdown, summary)
        add_proof(page, breakdown)
    page.heading("Where and with what")
    for label, text in _setting(results, cell, breakdown):
        page.pair(label, text)
    if summary is not None:
        for warning in summary.warnings:
            page.pair("warning", f"{warning.text} {warning.advice}", style="yellow")
        for note in summary.notes:
            page.pair("note", note, style="yellow")
    _every_sample(page, breakdown)
    return page.text(ascii_only=ascii_only)


def _state(summary: CellSummary | None, results: RunResults, cell: Cell) -> str:
    planned = results.run.plan.rounds
    if summary is None:
        state = cell_state(summary, planned)
        return f"{state.glyph} {state}: no trial of it has ended yet"
    settled = is_settled(results, cell) and summary.trials < planned
    rounds = summary.trials if settled else max(planned, summary.trials)
    state = cell_state(summary, rounds)
    more = f", no more of the {format_count(planned)} planned: its ranking is settled" if settled else ""
    return f"{state.glyph} {state}: {format_count(summary.ok)} of {format_count(rounds)} rounds count{more}"


def _figures(page: TextPage, results: RunResults, summary: CellSummary) -> None:
    interval = summary.interval
    if interval is None:
        return
    meaning = (
        f"is the range: an interval needs {MIN_ROUNDS} rounds"
        if interval.coverage is None
        else f"is its {100 * interval.coverage:.1f} % confidence interval"
    )
    spread = "" if summary.spread is None else f"; spread {100 * summary.spread:.1f} %"
    page.pair("median", f"{format_seconds(interval.median)}; {interval_text(interval)} {meaning}{spread}")
    if summary.images > 1:
        page.pair("per image", format_seconds(summary.seconds_per_image))
    rate = f"{format_rate(summary.images_per_s)} images/s"
    if summary.pixel_bytes_per_s is not None:
        rate += f", {format_bytes(summary.pixel_bytes_per_s)}/s of pixels"
    page.pair("rate", rate)
    page.pair("rank", _standing(results, summary))


def _standing(results: RunResults, summary: CellSummary) -> str:
    verdict = results.verdict_of.get(summary.cell.contest)
    standing = None if verdict is None else verdict.standing(summary.cell.spec)
    if verdict is None or standing is None:
        left_out = dict(verdict.left_out).get(summary.cell.spec) if verdict else None
        return f"not ranked: {left_out}" if left_out else "not ranked"
    if standing.placement is Placement.NONE:
        return f"no verdict: {verdict.reason}" if verdict.reason else "no verdict"
    if standing.placement is Placement.BEST and not verdict.is_tie:
        return "the fastest of its contest"
    if standing.placement is Placement.BEST:
        return f"lowest median; tied with, or too close to call: {', '.join(verdict.best[1:])}"
    ratio = "" if standing.ratio is None else f"{ratio_text(standing.ratio)} ({ratio_interval_text(standing.ratio)}) "
    if standing.placement is Placement.TIE:
        return f"{ratio}the lowest median, {verdict.best[0]}: a tie, or too close to call"
    return f"{ratio}as long as the fastest, {verdict.standings[0].name}"


def _setting(results: RunResults, cell: Cell, breakdown: CellBreakdown) -> Iterator[tuple[str, str]]:
    """Yield method, process, time, machine, scratch and software of a cell, as label and text."""
    environment = results.run.environment
    first = breakdown.trials[0] if breakdown.trials else None
    if first is not None:
        options = ", ".join(f"{name}={value}" for name, value in first.options.items())
        method = f"{first.backend}, codec {first.codec}, preset {first.preset}"
        yield "method", f"{method}: {options}" if options else method
        starts = " and ".join(dict.fromkeys(trial.start for trial in breakdown.trials if trial.start)) or "unknown"
        yield "process", f"one a trial, started by {starts}; batches of at most {format_count(first.batch)} images"
        times = [trial.started_at for trial in breakdown.trials if trial.started_at]
        if times:
            yield "when", times[0] if times[0] == times[-1] else f"{times[0]} to {times[-1]}"
        yield from server_pairs(breakdown)
    yield "machine", f"{environment.cpu}, {counted(environment.cores, 'core')}"
    yield "folder", f"{environment.scratch_filesystem} {environment.scratch}"
    libraries = ", ".join(f"{name} {version}" for name, version in environment.libraries.items())
    yield "software", f"Python {environment.python}, {libraries}"
    if cell.operation is Operation.READ_ONE or cell.operation is Operation.GET_ONE:
        yield "samples", "each reads another image, drawn at random by the plan's seed"


def _every_sample(page: TextPage, breakdown: CellBreakdown) -> None:
    """Add every sample, if any trial has several."""
    if all(len(trial.samples) <= 1 for trial in breakdown.trials):
        return
    page.heading("Every sample, in the order taken")
    left = MOST_SAMPLES
    for trial in breakdown.trials:
        samples = trial.samples[:left]
        left -= len(samples)
        if samples:
            page.pair(f"round {trial.round + 1}", "  ".join(format_seconds(sample) for sample in samples))
    if not left:
        page.pair("", "The exports csv and json have the rest.", style="dim")
