"""Writes an event as one line of a log, for the screen and the command line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from rich.style import Style
from rich.text import Text

from imgstore_tui.core.events import (
    CellSkipped,
    Continued,
    Event,
    Paused,
    Preparing,
    RunFinished,
    RunStarted,
    TrialFinished,
    Warned,
)
from imgstore_tui.core.model import Measurement, Run
from imgstore_tui.core.operations import Status
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import (
    counted,
    format_bytes,
    format_count,
    format_count_short,
    format_duration,
    format_seconds,
)
from imgstore_tui.present.text.captions import rounds_text, status_word

MOST_LINES = 5_000
"""Most lines that the log on the screen keeps; the journal has everything."""

OPTIONAL = Style(meta={"optional": True})
"""Style of the part of a line that is left out where the line has no room."""

SpecStyle = Callable[[str], str]
"""Returns the Rich style of a spec by its label."""


def log_line(event: Event, spec_style: SpecStyle | None = None) -> Text | None:
    """Return an event as a line, or None for events that are not logged.

    Text from the user's data is made harmless and never read as markup.

    Args:
        event: The event.
        spec_style: Returns the style of a spec; None for no style.
    """
    match event:
        case Preparing(what, 0, total) if total != 0:
            count = "" if total is None else f", {format_count(total)} to do"
            return Text(f"preparing: {safe_text(what)}{count}", style="dim")
        case RunStarted(run, cells, _, journal):
            return _started(run, len(cells), journal)
        case TrialFinished(measurement):
            return _trial(measurement, spec_style)
        case Warned(text):
            return warning_line(text)
        case Paused():
            return Text("paused: no new trial starts", style="bold")
        case Continued(paused_s):
            return Text.assemble(("going on ", "bold"), f"after a pause of {_pause_text(paused_s)}")
        case CellSkipped(cell):
            text = f"{safe_text(cell.spec)} {cell.operation} {format_count_short(cell.cutoff)}: no more of it"
            return Text.assemble(("skip ", "bold yellow"), text)
        case RunFinished(run):
            return _finished(run)
    return None


def without_optional(line: Text) -> Text:
    """Return a line without what is left out where there is no room for it."""
    for span in line.spans:
        if span.style is OPTIONAL:
            return Text().append_text(line[: span.start]).append_text(line[span.end :])
    return line


def _pause_text(seconds: float) -> str:
    return format_seconds(seconds) if seconds < 10 else format_duration(seconds)


def warning_line(text: str) -> Text:
    """Return a warning as a line."""
    return Text.assemble(("warning ", "bold yellow"), safe_text(text))


def error_line(text: str) -> Text:
    """Return an error that ended a run as a line."""
    return Text.assemble(("error ", "bold red"), safe_text(text))


def _started(run: Run, cells: int, journal: str) -> Text:
    plan = run.plan
    trials = f"{'up to ' if plan.looks else ''}{counted(cells * plan.rounds, 'trial')}"
    size = f"{trials} ({counted(cells, 'cell')}, {rounds_text(plan)})"
    done = len(run.measurements)
    if done:
        left = f"{counted(max(0, cells * plan.rounds - done), 'trial')} left of {size}"
        line = Text.assemble(("resume ", "bold"), f"run {safe_text(run.id)}: {left}")
    else:
        line = Text.assemble(("start ", "bold"), f"run {safe_text(run.id)}: {size}")
    for facts in run.datasets:
        line.append(f"; {safe_text(facts.summary)}")
        if facts.repeated:
            line.append(" (fewer than the largest number: images repeat)")
        if facts.excluded_count:
            line.append(f" ({counted(facts.excluded_count, 'file')} left out)")
    return line.append(f"; journal {safe_text(journal)}", style="dim")


def _trial(measurement: Measurement, spec_style: SpecStyle | None) -> Text:
    ok = measurement.status is Status.OK
    heads = {Status.OK: ("ok  ", "green"), Status.FAILED: ("FAIL", "bold red"), Status.SKIPPED: ("skip", "yellow")}
    label = safe_text(measurement.spec)
    line = Text.assemble(heads[measurement.status], f"{measurement.round + 1:>2} ")
    line.append(f"{label:<8}", style=spec_style(measurement.spec) if spec_style else "")
    line.append(f" {measurement.operation:<11} {_count_text(measurement):>5} ")
    if not ok:
        return line.append(safe_text(measurement.reason or "no reason was given"))
    line.append(f"{format_seconds(measurement.seconds):>7}", style="bold")
    if measurement.allocated_bytes is not None:
        line.append(f" {format_bytes(measurement.allocated_bytes):>8}", style=OPTIONAL)
    if measurement.retries:
        line.append(f"  {counted(measurement.retries, 'request')} sent again", style="yellow")
    if measurement.verified is False:
        line.append("  not verified: does not count", style="bold red")
    for warning in measurement.warnings:
        line.append(f"  {safe_text(warning)}", style="yellow")
    return line


def _count_text(measurement: Measurement) -> str:
    """Return the number of images that a sample handles, and the size of the store where it differs."""
    if measurement.images == measurement.cutoff:
        return format_count_short(measurement.cutoff)
    return f"{measurement.images}/{format_count_short(measurement.cutoff)}"


def _finished(run: Run) -> Text:
    counts = Counter(measurement.status for measurement in run.measurements)
    line = Text.assemble(
        (f"{status_word(safe_text(run.status))}: ", "bold"),
        f"{counted(len(run.measurements), 'trial')}, all kept",
    )
    for status, style in ((Status.FAILED, "bold red"), (Status.SKIPPED, "yellow")):
        if counts[status]:
            line.append(f", {format_count(counts[status])} {status}", style=style)
    return line
