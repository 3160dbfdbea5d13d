"""The part of the workbench that starts, controls and stops a run, reads its updates and opens saved runs."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.text import Text
from textual import getters, on
from textual.reactive import reactive
from textual.screen import Screen
from textual.timer import Timer

from imgstore_tui.bench.results.lock import other_run_text
from imgstore_tui.bench.results.state import RunPhase, RunState
from imgstore_tui.bench.run.replay import Replay, ReplayControls
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.text.log_line import SpecStyle, error_line, warning_line
from imgstore_tui.tui.run.preview_thread import PREVIEW_GROUP
from imgstore_tui.tui.run.run_thread import RunAction, RunThread, play_saved, resume_measuring, watch_saved
from imgstore_tui.tui.run.shown_run import ShownRun
from imgstore_tui.tui.screens.saved_runs import RunSelection, SavedRunsScreen
from imgstore_tui.tui.widgets.estimate_line import COSTS_GROUP
from imgstore_tui.tui.widgets.leftovers_line import LeftoversLine
from imgstore_tui.tui.widgets.panes import Panes
from imgstore_tui.tui.widgets.run_line import RunLine

STOP_WATCHING_S = 2.0
"""Seconds that the thread that follows a run may take to end."""

_SKIPPABLE = ("prepare", "trial", "verify")
"""The steps of a cell that can be skipped."""


class RunControl(Screen[None]):
    """Holds the state of the shown run; a subclass lays out what is bound to it and provides the plan."""

    run_state: reactive[RunState] = reactive(RunState(), repaint=False)
    results: reactive[RunResults | None] = reactive(None, repaint=False)
    stopping: reactive[bool] = reactive(False, repaint=False)
    opening: reactive[bool] = reactive(False, repaint=False)
    replay_text: reactive[str] = reactive("", repaint=False)
    """``replay 10x`` while a saved run is played; empty for others."""

    panes = getters.query_one(Panes)
    run_line = getters.query_one(RunLine)

    def __init__(self, run_thread: RunThread, fps: int) -> None:
        """Start with no run.

        Args:
            run_thread: Runs plans.
            fps: How many times per second updates of a run are read.
        """
        super().__init__()
        self._run_thread = run_thread
        self._shown_run = ShownRun(run_thread)
        self._fps = fps
        self._ticker: Timer | None = None
        self._last_key_state: tuple[object, ...] = ()

    # What a subclass provides

    def plan_to_run(self) -> Plan:
        """Return the plan to run.

        Raises:
            ImgstoreError: If what is chosen cannot run.
        """
        raise NotImplementedError

    def spec_style(self) -> SpecStyle:
        """Return the function that colours storage methods in the log."""
        raise NotImplementedError

    def run_begun(self) -> None:
        """React to the start of a run."""

    # Starting

    def on_mount(self) -> None:
        """Start the timer that reads updates of the run."""
        self._ticker = self.set_interval(1 / self._fps, self._tick, pause=True)

    def action_run(self) -> None:
        """Start the run, or show the problem."""
        other = other_run_text() if self._run_thread.watching and self._run_thread.busy else ""
        if other:
            self._refuse(other)
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
        self.app.push_screen(SavedRunsScreen(may_open=not self._run_thread.measuring), self._open_selected)

    def _open_selected(self, selection: RunSelection | None) -> None:
        if selection is not None and selection.resume:
            self.resume(selection.path)
        elif selection is not None and selection.replay is not None:
            self.play(Replay(selection.replay, str(selection.path), ReplayControls()))
        elif selection is not None:
            self.open(selection.path)

    def open(self, path: Path) -> None:
        """Show a saved run; one that another process measures is followed until it ends."""
        self._begin(partial(watch_saved, path), watching=True)

    def resume(self, path: Path) -> None:
        """Measure the missing trials of a saved run."""
        self._begin(partial(resume_measuring, path))

    def play(self, replay: Replay) -> None:
        """Play a saved run as it went."""
        self._begin(play_saved(replay), watching=True, replay=replay)

    def _begin(self, action: RunAction, *, watching: bool = False, replay: Replay | None = None) -> None:
        if self._run_thread.measuring:
            self._refuse("A run is going on. Stop it first, or wait for it.")
            return
        if not watching and self._sweeping:
            self._refuse("What killed runs have left is being removed. Try again in a moment.")
            return
        self._run_thread.stop()
        if not self._run_thread.wait(STOP_WATCHING_S):
            # Its updates must not mix with those of the next run.
            self._refuse("The run that was opened last is still being read. Try again in a moment.")
            return
        if not watching:
            # Other reads would disturb the run.
            for worker in self.app.workers:
                if worker.group in (PREVIEW_GROUP, COSTS_GROUP):
                    worker.cancel()
        task = self._shown_run.begin(watching=watching, replay=replay)
        self.run_worker(partial(task.carry_out, action), thread=True, exit_on_error=False, group="run")
        self._show_run()
        self.run_begun()
        if self._ticker is not None:
            self._ticker.resume()
        self.refresh_bindings()

    @property
    def _sweeping(self) -> bool:
        """Whether leftovers of killed runs are being removed, which would disturb a run."""
        # The key bar asks before the line is mounted and after it is removed.
        return any(line.sweeping for line in self.query(LeftoversLine))

    def _refuse(self, sentence: str) -> None:
        self.log_line(error_line(sentence))
        self.notify(sentence, severity="warning", markup=False)

    # Pause and skip

    def action_stop(self) -> None:
        """Stop the run, or stop following it."""
        self._run_thread.stop()
        self.stopping = self._run_thread.stopping and not self._run_thread.watching

    def action_pause(self) -> None:
        """Pause or continue: no new trial starts while paused."""
        controls = self._run_thread.controls
        if controls.paused:
            controls.resume()
        else:
            controls.pause()
        self.run_line.pausing = controls.paused

    def action_step(self) -> None:
        """Play one trial more, and pause the replay."""
        if (replay := self._run_thread.replay) is not None:
            replay.controls.step()

    def action_speed(self, step: int) -> None:
        """Play faster (1) or slower (-1)."""
        if (replay := self._run_thread.replay) is not None:
            replay.controls.change_speed(step)
            self._show_run()

    @property
    def _replay_text(self) -> str:
        """What is said of a replay wherever the run is shown; empty for a run that is none."""
        replay = self._run_thread.replay
        if replay is None:
            return ""
        if not self._run_thread.busy:
            return "replay ended"
        return "replay paused" if replay.controls.paused else f"replay {replay.controls.speed:g}x"

    @property
    def _resumable(self) -> Path | None:
        """The journal of the shown run if the run ended before its last trial and nothing is measured now."""
        run, journal = self.run_state.run, self.run_state.journal
        if self._run_thread.replay is not None:
            return None
        over = self.run_state.phase is RunPhase.FINISHED and not self._run_thread.measuring
        if not over or run is None or journal is None or run.status == "finished":
            return None
        return Path(journal)

    def action_go_on(self) -> None:
        """Measure the missing trials of the run that is shown."""
        if (journal := self._resumable) is not None:
            self.resume(journal)

    def action_skip(self) -> None:
        """End the running trial and skip the rest of its cell."""
        current = self.run_state.current
        if current is not None:
            self._run_thread.controls.skip(current.cell)
            self.run_line.skipping = self._run_thread.controls.skipped

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow only what can be done to the run now."""
        match action:
            case "run":
                return not self._run_thread.measuring and not self._sweeping
            case "stop":
                return self._run_thread.busy
            case "step" | "speed":
                return self._run_thread.busy and self._run_thread.replay is not None
            case "go_on":
                return self._resumable is not None and not self._sweeping
            case "sweep":
                line = next(iter(self.query(LeftoversLine)), None)
                return (
                    line is not None and bool(line.leftovers) and not line.sweeping and not self._run_thread.measuring
                )
            case "pause":
                replaying = self._run_thread.busy and self._run_thread.replay is not None
                return (self._run_thread.measuring or replaying) and not self._run_thread.stopping
            case "skip":
                current = self.run_state.current if self.run_state.phase is RunPhase.RUNNING else None
                # In the step "destroy" the trial has succeeded already.
                skippable = current is not None and current.step in _SKIPPABLE
                return self._run_thread.measuring and not self._run_thread.stopping and skippable
        return True

    def _key_state(self) -> tuple[object, ...]:
        """Return what decides which keys are active: refreshing all keys at every tick takes milliseconds."""
        names = ("run", "stop", "pause", "go_on", "skip", "step", "speed", "sweep")
        return (*(self.check_action(name, ()) for name in names), self.results is None, self.run_state.run is None)

    def action_sweep(self) -> None:
        """Remove what killed runs have left."""
        self.query_one(LeftoversLine).sweep()

    @on(LeftoversLine.Scanned)
    def _leftovers_scanned(self, event: LeftoversLine.Scanned) -> None:
        for entry in event.leftovers:
            self.log_line(warning_line(f"a killed run has left {entry.leftover.path}; u removes it"))

    @on(LeftoversLine.Swept)
    def _swept(self, event: LeftoversLine.Swept) -> None:
        for sentence, success in event.lines:
            self.log_line(Text(safe_text(sentence)) if success else error_line(sentence))
        self.refresh_bindings()

    # Updates

    def _tick(self) -> None:
        """Show all updates since the last tick, in one repaint."""
        before = self._shown_run.finished
        with self.app.batch_update():
            self.panes.log_lines.add_lines(self._shown_run.update(self.spec_style()))
            self._show_run()
        if before is None and self._shown_run.finished is not None and not self._run_thread.watching:
            self.after_last_trial()
        if self._shown_run.ended is not None and self._ticker is not None:
            self._ticker.pause()

    def after_last_trial(self) -> None:
        """Called once when a run that was begun here has ended, with its results."""

    def _show_run(self) -> None:
        run, line = self._shown_run, self.run_line
        if run.results is not self.results:
            self.results = run.results
        line.results = run.results
        watching = self._run_thread.watching
        self.run_state, self.stopping = run.state, self._run_thread.stopping and not watching
        self.opening = watching and run.state.phase is RunPhase.PREPARING
        line.problem, line.began, line.ended = run.problem, run.began, run.finished or run.ended
        line.removing = self._run_thread.measuring and run.finished is not None and self._run_thread.replay is None
        for leftovers in self.query(LeftoversLine):
            leftovers.measuring = self._run_thread.measuring
        self.replay_text = line.replay = self._replay_text
        line.resumable = self._resumable is not None
        line.watching, line.pausing = watching, self._run_thread.controls.paused
        line.skipping = self._run_thread.controls.skipped
        line.redraw()
        if (key_state := self._key_state()) != self._last_key_state:
            self._last_key_state = key_state
            self.refresh_bindings()

    def log_line(self, line: Text) -> None:
        """Add a line to the log."""
        self.panes.log_lines.add_lines([(datetime.now(UTC), line)])

    def last_state(self) -> RunState:
        """Return the state of the run with all its updates, also after the screen has closed."""
        self._shown_run.update(self.spec_style())
        return self._shown_run.state
