"""The trials of a cell, drawn with characters: a strip a round, a bar a phase."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from imgstore_tui.analysis.cell_breakdown import CellBreakdown, is_valid
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Measurement
from imgstore_tui.core.operations import Status
from imgstore_tui.core.units import format_seconds
from imgstore_tui.present.detail.sample_strip import StripScale, interval_strip, sample_strip, strip_scale
from imgstore_tui.present.text.text_page import LABEL_COLUMNS, TextPage


def add_rounds(page: TextPage, inside: CellBreakdown, summary: CellSummary | None) -> None:
    """Draw a line a round, its samples where they lie between the quickest and the slowest of all."""
    page.heading("Rounds")
    values = [sample for trial in inside.valid_trials for sample in trial.samples or (trial.seconds or 0.0,)]
    room = page.width - LABEL_COLUMNS - 20
    scale = strip_scale(values, max(8, room)) if values else None
    for trial in inside.trials:
        page.add(_round_line(trial, scale))
    if scale is None:
        return
    interval = None if summary is None else summary.interval
    if interval is not None:
        _strip_line(page, "median", format_seconds(interval.median), interval_strip(interval, scale), "bold green")
    left, right = format_seconds(scale.low), format_seconds(scale.high)
    middle = "log scale" if scale.log else ""
    if scale.width > cell_len(left) + cell_len(right) + cell_len(middle) + 4:
        ruler = left + middle.center(scale.width - cell_len(left) - cell_len(right)) + right
        _strip_line(page, "", "", ruler, "dim")
    if len(values) > len(inside.valid_trials):
        page.pair("", "● the median sample of a round; the fuller its block, the more samples lie there", style="dim")


def _round_line(trial: Measurement, scale: StripScale | None) -> Text:
    label = f"round {trial.round + 1}"
    if scale is None or not is_valid(trial):
        what = trial.status if trial.status is not Status.OK else "not verified: does not count"
        return Text.assemble((f"{label:<{LABEL_COLUMNS}}", "dim"), (str(what), "red"))
    samples = trial.samples or (trial.seconds or 0.0,)
    number = f"{len(samples)} samples" if len(samples) > 1 else ""
    line = Text.assemble((f"{label:<{LABEL_COLUMNS}}", "dim"), f"{format_seconds(trial.seconds):>8} ")
    line.append(sample_strip(samples, scale))
    return line.append(f" {number}", style="dim") if number else line


def _strip_line(page: TextPage, label: str, value: str, strip: str, style: str) -> None:
    page.add(Text.assemble((f"{label:<{LABEL_COLUMNS}}", "dim"), f"{value:>8} ", (strip, style)))


def add_phases(page: TextPage, inside: CellBreakdown) -> None:
    """Draw a bar a phase, each beginning where the one before it ended."""
    if not inside.phases or inside.median_trial is None:
        return
    page.heading(f"Where the time went, in round {inside.median_trial.round + 1}, the one in the middle")
    room = max(8, page.width - LABEL_COLUMNS - 4 - 9 - 7)
    for phase in inside.phases:
        if phase.seconds is None:
            page.pair(phase.name, "   not separable, or none", style="dim")
            continue
        start = min(room - 1, round(phase.start * room))
        length = max(1 if phase.seconds else 0, round((phase.start + phase.share) * room) - start)
        bar = " " * start + "█" * length
        label = f"{phase.name:<{LABEL_COLUMNS + 4}}"
        page.add(
            Text.assemble(
                (label, "dim"), f"{format_seconds(phase.seconds):>8} {phase.share:>5.0%}  ", (bar[:room], "cyan")
            )
        )
    if inside.overlapping:
        page.pair("", "Phases are the workers' seconds added up: they overlap.", style="dim")
