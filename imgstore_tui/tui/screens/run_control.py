"""A screen that has one run: starts, steers and stops it, takes in what is said of it, opens those that are saved."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.text import Text
from textual import getters, on
from textual.reactive import reactive
from textual.screen import Screen
from textual.timer import Timer

from imgstore_tui.bench.results.lock import running
from imgstore_tui.bench.results.state import Phase, RunState
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.text.log_line import SpecStyle, error_line, warning_line
from imgstore_tui.tui.run.preview_thread import PREVIEW_GROUP
from imgstore_tui.tui.run.run_thread import RunAction, RunThread, resume_measuring, watch_saved
from imgstore_tui.tui.run.shown_run import ShownRun
from imgstore_tui.tui.screens.saved_runs import RunSelection, SavedRunsScreen
from imgstore_tui.tui.widgets.estimate_line import RATES_GROUP
from imgstore_tui.tui.widgets.leftovers_line import LeftoversLine
from imgstore_tui.tui.widgets.panes import Panes
from imgstore_tui.tui.widgets.run_line import RunLine

STOP_WATCHING_S = 2.0
"""How long the thread that looks at a run may take to leave it."""

_SKIPPABLE = ("prepare", "trial", "verify")
"""The steps of a cell that can be ended."""


class RunControl(Screen[None]):
    """Holds the state of the run that is shown; a subclass lays out what is bound to it, and says what to run."""

    run_state: reactive[RunState] = reactive(RunState(), repaint=False)
    found: reactive[RunResults | None] = reactive(None, repaint=False)
    stopping: reactive[bool] = reactive(False, repaint=False)
    opening: reactive[bool] = reactive(False, repaint=False)

    panes = getters.query_one(Panes)
    run_line = getters.query_one(RunLine)

    def __init__(self, run_thread: RunThread, fps: int) -> None:
        """Start with no run.

        Args:
            run_thread: Carries runs out.
            fps: How many times a second news of a run is taken in.
        """
        super().__init__()
        self._run_thread = run_thread
        self._shown_run = ShownRun(run_thread)
        self._fps = fps
        self._ticker: Timer | None = None
        self._offered_last: tuple[object, ...] = ()

    # What a subclass says

    def plan_to_run(self) -> Plan:
        """Return the plan to run.

        Raises:
            ImgstoreError: If what is chosen cannot run.
        """
        raise NotImplementedError

    def spec_style(self) -> SpecStyle:
        """Return what colours storage methods in the log."""
        raise NotImplementedError

    def run_begun(self) -> None:
        """Do what is to be done when there is a run to look at."""

    # Starting

    def on_mount(self) -> None:
        """Start the one timer by which news reaches the screen."""
        self._ticker = self.set_interval(1 / self._fps, self._tick, pause=True)

    def action_run(self) -> None:
        """Start the run, or say what is in the way."""
        other = running() if self._run_thread.watching and self._run_thread.busy else None
        if other is not None:
            self._refuse(f"Another run is going on ({other or 'unknown'}). Wait for it or stop it.")
            return
        try:
            plan = self.plan_to_run()
        except ImgstoreError as error:
            self.run_line.problem = str(error)
            self.log_line(error_line(str(error)))
            return
        self._begin(self._run_thread.run_action(plan))

    def action_saved_runs(self) -> None:
        """Show the saved runs."""
        self.app.push_screen(SavedRunsScreen(may_open=not self._run_thread.measuring), self._wished)

    def _wished(self, wish: RunSelection | None) -> None:
        if wish is not None and wish.resume:
            self.resume(wish.path)
        elif wish is not None:
            self.open(wish.path)

    def open(self, path: Path) -> None:
        """Show a saved run; one that another process measures is watched until it ends."""
        self._begin(partial(watch_saved, path), watching=True)

    def resume(self, path: Path) -> None:
        """Measure what a saved run lacks."""
        self._begin(partial(resume_measuring, path))

    def _begin(self, action: RunAction, *, watching: bool = False) -> None:
        if self._run_thread.measuring:
            self._refuse("A run is going on. Stop it first, or wait for it.")
            return
        if not watching and self._sweeping:
            self._refuse("What killed runs have left is being removed. Try again in a moment.")
            return
        self._run_thread.stop()
        if not self._run_thread.wait(STOP_WATCHING_S):
            # What it still says must not mix with what the next one says.
            self._refuse("The run that was opened last is still being read. Try again in a moment.")
            return
        if not watching:
            # What is being read would be measured too.
            for worker in self.app.workers:
                if worker.group in (PREVIEW_GROUP, RATES_GROUP):
                    worker.cancel()
        job = self._shown_run.begin(watching=watching)
        self.run_worker(partial(job.carry_out, action), thread=True, exit_on_error=False, group="run")
        self._show_session()
        self.run_begun()
        if self._ticker is not None:
            self._ticker.resume()
        self.refresh_bindings()

    @property
    def _sweeping(self) -> bool:
        """Whether what runs that died have left is being removed: that would be measured too."""
        # Asked for keys to show, the line may not be there yet, or not any more.
        return any(line.sweeping for line in self.query(LeftoversLine))

    def _refuse(self, sentence: str) -> None:
        self.log_line(error_line(sentence))
        self.notify(sentence, severity="warning", markup=False)

    # Pause and skip

    def action_stop(self) -> None:
        """Ask the run to stop; of one that is only watched, look away."""
        self._run_thread.stop()
        self.stopping = self._run_thread.stopping and not self._run_thread.watching

    def action_pause(self) -> None:
        """Let no new trial start, or let them start again."""
        controls = self._run_thread.controls
        if controls.paused:
            controls.resume()
        else:
            controls.pause()
        self.run_line.pausing = controls.paused

    def action_skip(self) -> None:
        """End the trial that runs, and measure no more of its cell."""
        current = self.run_state.current
        if current is not None:
            self._run_thread.controls.skip(current.cell)
            self.run_line.skipping = self._run_thread.controls.skipped

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done to the run now."""
        match action:
            case "run":
                return not self._run_thread.measuring and not self._sweeping
            case "stop":
                return self._run_thread.busy
            case "sweep":
                line = next(iter(self.query(LeftoversLine)), None)
                return line is not None and bool(line.found) and not line.sweeping and not self._run_thread.measuring
            case "pause":
                return self._run_thread.measuring and not self._run_thread.stopping
            case "skip":
                current = self.run_state.current if self.run_state.phase is Phase.RUNNING else None
                # In the step "destroy" the trial is over and went well: there is nothing left of it to end.
                may = current is not None and current.step in _SKIPPABLE
                return self._run_thread.measuring and not self._run_thread.stopping and may
        return True

    def _offered(self) -> tuple[object, ...]:
        """Return what decides which keys do something: asking for all keys takes milliseconds, at every tick."""
        names = ("run", "stop", "pause", "skip", "sweep")
        return (*(self.check_action(name, ()) for name in names), self.found is None, self.run_state.run is None)

    def action_sweep(self) -> None:
        """Remove what runs that died have left."""
        self.query_one(LeftoversLine).sweep()

    @on(LeftoversLine.Scanned)
    def _leftovers_scanned(self, event: LeftoversLine.Scanned) -> None:
        for entry in event.found:
            self.log_line(warning_line(f"a killed run has left {entry.leftover.path}; u removes it"))

    @on(LeftoversLine.Swept)
    def _swept(self, event: LeftoversLine.Swept) -> None:
        for sentence, well in event.lines:
            self.log_line(Text(safe_text(sentence)) if well else error_line(sentence))
        self.refresh_bindings()

    # Taking news in

    def _tick(self) -> None:
        """Take in what the thread has said since the last time, in one repaint."""
        with self.app.batch_update():
            self.panes.log_lines.say(self._shown_run.update(self.spec_style()))
            self._show_session()
        if self._shown_run.ended is not None and self._ticker is not None:
            self._ticker.pause()

    def _show_session(self) -> None:
        session, line = self._shown_run, self.run_line
        if session.found is not self.found:
            self.found = session.found
        line.found = session.found
        watching = self._run_thread.watching
        self.run_state, self.stopping = session.state, self._run_thread.stopping and not watching
        self.opening = watching and session.state.phase is Phase.PREPARING
        line.problem, line.began, line.ended = session.problem, session.began, session.ended
        for left in self.query(LeftoversLine):
            left.measuring = self._run_thread.measuring
        line.watching, line.pausing = watching, self._run_thread.controls.paused
        line.skipping = self._run_thread.controls.skipped
        line.redraw()
        if (offered := self._offered()) != self._offered_last:
            self._offered_last = offered
            self.refresh_bindings()

    def log_line(self, line: Text) -> None:
        """Say something in the log."""
        self.panes.log_lines.say([(datetime.now(UTC), line)])

    def last_state(self) -> RunState:
        """Return the state of the run with all news of it, also after the screen is gone."""
        self._shown_run.update(self.spec_style())
        return self._shown_run.state
