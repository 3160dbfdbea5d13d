"""The run on the screen: its state, folded from the run_thread's news, and what is made of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from rich.text import Text

from imgstore_tui.bench.results.state import Phase, RunState
from imgstore_tui.core.events import Event, RunFinished, TrialFinished
from imgstore_tui.present.results import ResultsBuilder, RunResults
from imgstore_tui.present.text.log_line import MOST_LINES, SpecStyle, error_line, log_line
from imgstore_tui.tui.run.run_thread import RunFailed, RunTask, RunThread, apply_updates

DIGEST_EVERY_S = 1.0
"""While a run goes on, charts, tables and verdicts are made anew no more often: they cost most of a repaint."""


class ShownRun:
    """Knows the run that is shown and nothing of widgets; the screen copies what it shows from here."""

    def __init__(self, run_thread: RunThread) -> None:
        self.run_thread = run_thread
        self.state = RunState()
        self.found: RunResults | None = None
        """What is made of the run so far; None before the first news of it."""
        self.problem = ""
        """What ended a run before its time."""
        self.began: float | None = None
        """When it was started, by the monotonic clock; None before any run, and for one that was opened."""
        self.ended: float | None = None
        self._digester = ResultsBuilder()
        self._live = False
        """Whether the end of the run is still to be taken in."""
        self._digested = (0, 0.0)
        """Revision of the state that was digested, and when."""

    def begin(self, *, watching: bool = False) -> RunTask:
        """Forget the last run and make ready for another; for one that is only looked at, no time is counted.

        Returns:
            What the thread is to carry out.
        """
        job = self.run_thread.prepare(watching=watching)
        self.state, self.found, self.problem = RunState(phase=Phase.PREPARING), None, ""
        self.began, self.ended, self._digested = None if watching else time.monotonic(), None, (0, 0.0)
        self._live = True
        return job

    def update(self, style: SpecStyle) -> list[tuple[datetime, Text]]:
        """Fold in all news since the last time and return it as lines of a log, with the time of each."""
        over = not self.run_thread.busy  # asked before the queue is emptied: nothing comes after it
        now, lines, news = datetime.now(UTC), [], self.run_thread.drain()
        self.state = apply_updates(self.state, news)
        for entry in news[-MOST_LINES:]:
            if isinstance(entry, RunFailed):
                self.problem = entry.text
                lines.append((now, error_line(entry.text)))
            elif (line := log_line(entry, style)) is not None:
                lines.append((_when(entry) or now, line))
        self._digest(at_once=over)
        if over and self._live:
            self.ended, self._live = time.monotonic(), False
        return lines

    def _digest(self, *, at_once: bool) -> None:
        revision, when = self._digested
        now = time.monotonic()
        if self.state.run is None or self.state.revision == revision:
            return
        if at_once or now - when >= DIGEST_EVERY_S:
            self.found = self._digester.build(self.state.run)
            self._digested = (self.state.revision, now)


def _when(event: Event) -> datetime | None:
    """Return when a trial was measured or a run ended: the news comes later, of a run that is opened, much later."""
    match event:
        case TrialFinished(measurement):
            text = measurement.started_at
        case RunFinished(run):
            # One that broke off never wrote down its end: it lived no shorter than to its last trial.
            text = run.finished_at or max((trial.started_at or "" for trial in run.measurements), default="")
        case _:
            return None
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
