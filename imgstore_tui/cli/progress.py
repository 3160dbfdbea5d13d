"""Shows a run on standard error: a live line on a terminal, one line per measurement elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from imgstore_tui.core import events
from imgstore_tui.core.model import Measurement, Run
from imgstore_tui.core.operations import Status
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count, format_duration
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.results import ResultsBuilder, RunResults
from imgstore_tui.present.text.estimates import AFTER_BUDGET
from imgstore_tui.present.text.log_line import log_line
from imgstore_tui.present.text.narrative import operation_verdicts_text
from imgstore_tui.present.text.standings import standings_line, standings_text

REPAINT_EVERY_S = 0.5
"""At most two repaints per second, so that measuring is not disturbed."""

_FREE_ROWS = 4
"""Rows of the terminal that the text below the bar leaves free."""
_MOST_COLUMNS = 110


class _BarAbove(Progress):
    """A progress bar with a text below it."""

    below: Text | None = None

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield the bar, then the text as far as it fits."""
        yield from super().get_renderables()
        if self.below is not None:
            lines = list(self.below.split("\n"))
            room = max(0, self.console.height - _FREE_ROWS)
            if len(lines) > room:
                lines = [*lines[: max(0, room - 1)], Text(f"  ... and {len(lines) - room + 1} lines more")]
            yield Text("\n").join(lines)


class LiveBar:
    """Lines on a terminal that are repainted in place; nothing if standard error is not a terminal."""

    def __init__(self, console: Console) -> None:
        self.live = console.is_terminal and not console.quiet
        self._progress = _BarAbove(
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.description}", markup=False),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._task = self._progress.add_task("", total=1.0)
        self._painted = 0.0

    def __enter__(self) -> Self:
        if self.live:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self._progress.stop()

    def show_below(self, text: Text | None) -> None:
        """Show a text of several lines below the bar from the next repaint on; None for none."""
        self._progress.below = text or None

    def show(self, share: float, text: str, *, at_once: bool = False) -> None:
        """Show the share that is done, 0 to 1, and a text; ``at_once`` where nothing may follow for a while."""
        if not self.live:
            return
        self._progress.update(self._task, completed=share, description=text)
        now = time.monotonic()
        if at_once or now - self._painted >= REPAINT_EVERY_S:
            self._painted = now
            self._progress.refresh()


def timed(event: events.Event, line: Text) -> Text:
    """Return the line of an event; that of a warning with the time of day at which it came."""
    match event:
        case events.Warned(_, at) if at is not None:
            return Text.assemble(f"{datetime.fromisoformat(at).astimezone():%H:%M:%S} ", line)
    return line


class ProgressLine:
    """Shows the events of a run, and after each round the standings."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = LiveBar(console)
        self._doing = ""
        self._run: Run | None = None
        self._trials: list[Measurement] = []
        self._round = 0
        self._results = ResultsBuilder()

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.__exit__()

    def on_event(self, event: events.Event) -> None:
        """Show an event."""
        self._show_standings(event)
        line = log_line(event)
        if line is not None and (not self._bar.live or self._worth_keeping(event)):
            self._console.print(timed(event, line), soft_wrap=True)
        if self._bar.live:
            self._advance(event)

    def _show_standings(self, event: events.Event) -> None:
        """Print who leads when a round has ended and another begins."""
        match event:
            case events.RunStarted(run):
                self._run, self._trials = run, list(run.measurements)
            case events.TrialFinished(measurement):
                self._trials.append(measurement)
            case events.TrialStarted(_, number, _) if number > self._round:
                self._round = number
                if self._run is not None and not self._console.quiet:
                    results = self._results.build(replace(self._run, measurements=tuple(self._trials)))
                    if self._bar.live:
                        self._bar.show_below(self._race(results))
                    elif line := standings_line(results):
                        self._console.print(line, soft_wrap=True, markup=False)

    def _race(self, results: RunResults) -> Text:
        """Return the standings as bars, then the verdicts that there are already."""
        width = min(self._console.width, _MOST_COLUMNS)
        text = standings_text(results, width=width, colours=ChartColours())
        text.append_text(operation_verdicts_text(results, width=width))
        text.rstrip()
        return text

    @staticmethod
    def _worth_keeping(event: events.Event) -> bool:
        """Return whether a line stays on a terminal: what needs attention, not every measurement."""
        match event:
            case events.TrialFinished(measurement):
                return measurement.status is not Status.OK
            case events.Warned() | events.RunFinished() | events.RunStarted() | events.CellSkipped():
                return True
        return False

    def _advance(self, event: events.Event) -> None:
        match event:
            case events.Preparing(what, done, total):
                share = done / total if total else 0.0
                self._bar.show(share, f"{safe_text(what)} {format_count(done)}")
            case events.TrialStarted(cell, number, step):
                note = "" if step == "trial" else f" ({step})"
                self._doing = f"{cell.spec}  {cell.operation}{note}  N={format_count(cell.cutoff)}  round {number + 1}"
            case events.Progress(_, fraction, remaining_s, past_budget):
                left = "" if remaining_s is None else f"  about {format_duration(remaining_s)} left"
                left = f"  {AFTER_BUDGET}" if past_budget else left
                self._bar.show(fraction, self._doing + left)
            case events.RunFinished():
                self._bar.show(1.0, "removing the stores", at_once=True)
