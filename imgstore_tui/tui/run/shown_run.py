"""The run on the screen: its state, folded from the updates of its thread, and its results."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from rich.text import Text

from imgstore_tui.bench.results.state import RunPhase, RunState
from imgstore_tui.bench.run.replay import Replay
from imgstore_tui.core.events import Event, RunFinished, TrialFinished, Warned
from imgstore_tui.present.results import ResultsBuilder, RunResults
from imgstore_tui.present.text.log_line import MOST_LINES, SpecStyle, error_line, log_line
from imgstore_tui.tui.run.run_thread import RunFailed, RunTask, RunThread, apply_updates

BUILD_EVERY_S = 1.0
"""Seconds between two builds of the results during a run: they are most of the cost of a repaint."""


class ShownRun:
    """The run that is shown, without widgets; the screen copies from here."""

    def __init__(self, run_thread: RunThread) -> None:
        self.run_thread = run_thread
        self.state = RunState()
        self.results: RunResults | None = None
        """The results so far; None before the first update."""
        self.problem = ""
        """Why the run failed; empty if it did not."""
        self.began: float | None = None
        """Start of the run by the monotonic clock; None before any run, and for a saved one."""
        self.finished: float | None = None
        """End of the measuring; after it the thread may still remove stores."""
        self.ended: float | None = None
        """End of the thread."""
        self._builder = ResultsBuilder()
        self._live = False
        """Whether the end of the run was not read yet."""
        self._built = (0, 0.0)
        """Revision of the state that the results were built of, and when."""

    def begin(self, *, watching: bool = False, replay: Replay | None = None) -> RunTask:
        """Forget the last run and prepare the next.

        Args:
            watching: Whether it is only followed; then no time is counted.
            replay: The saved run that is played; None if none is.

        Returns:
            The task for the thread.
        """
        task = self.run_thread.prepare(watching=watching, replay=replay)
        self.state, self.results, self.problem = RunState(phase=RunPhase.PREPARING), None, ""
        self.began, self._built = None if watching else time.monotonic(), (0, 0.0)
        self.finished = self.ended = None
        self._live = True
        return task

    def update(self, style: SpecStyle) -> list[tuple[datetime, Text]]:
        """Fold in all updates since the last call and return them as lines of the log, each with its time."""
        over = not self.run_thread.busy  # read before the queue is emptied: nothing comes after it
        now, lines, updates = datetime.now(UTC), [], self.run_thread.drain()
        self.state = apply_updates(self.state, updates)
        for entry in updates[-MOST_LINES:]:
            if isinstance(entry, RunFailed):
                self.problem = entry.text
                lines.append((now, error_line(entry.text)))
            elif (line := log_line(entry, style)) is not None:
                lines.append((_when(entry) or now, line))
        finished = self._live and self.finished is None and self.state.phase is RunPhase.FINISHED
        if finished:
            self.finished = time.monotonic()
        self._build_results(at_once=over or finished)
        if over and self._live:
            self.ended, self._live = time.monotonic(), False
        return lines

    def _build_results(self, *, at_once: bool) -> None:
        revision, when = self._built
        now = time.monotonic()
        if self.state.run is None or self.state.revision == revision:
            return
        if at_once or now - when >= BUILD_EVERY_S:
            self.results = self._builder.build(self.state.run)
            self._built = (self.state.revision, now)


def _when(event: Event) -> datetime | None:
    """Return when a trial was measured or a run ended; for a saved run that is long before the update."""
    match event:
        case TrialFinished(measurement):
            text = measurement.started_at
        case Warned(_, at):
            text = at
        case RunFinished(run):
            # An interrupted run has no end in its journal: it lasted at least to its last trial.
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
