"""A screen that has one run: starts it, takes in what is said of it, stops it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from rich.text import Text
from textual import getters
from textual.reactive import reactive
from textual.screen import Screen
from textual.timer import Timer

from imgstore_tui.bench.state import RunState
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Plan
from imgstore_tui.present.log import SpecStyle, error_line
from imgstore_tui.present.sections import Digest
from imgstore_tui.tui.bridge import Bridge
from imgstore_tui.tui.session import Session
from imgstore_tui.tui.widgets.panes import Panes
from imgstore_tui.tui.widgets.run_line import RunLine


class RunControl(Screen[None]):
    """Holds the state of the run that is shown; a subclass lays out what is bound to it, and says what to run."""

    run_state: reactive[RunState] = reactive(RunState(), repaint=False)
    found: reactive[Digest | None] = reactive(None, repaint=False)
    stopping: reactive[bool] = reactive(False, repaint=False)

    panes = getters.query_one(Panes)
    run_line = getters.query_one(RunLine)

    def __init__(self, bridge: Bridge, fps: int) -> None:
        """Start with no run.

        Args:
            bridge: Carries runs out.
            fps: How many times a second news of a run is taken in.
        """
        super().__init__()
        self._bridge = bridge
        self._session = Session(bridge)
        self._fps = fps
        self._ticker: Timer | None = None

    def wanted_plan(self) -> Plan:
        """Return the plan to run.

        Raises:
            ImgstoreError: If what is chosen cannot run.
        """
        raise NotImplementedError

    def spec_style(self) -> SpecStyle:
        """Return what colours storage methods in the log."""
        raise NotImplementedError

    def run_begun(self) -> None:
        """Do what is to be done when a run has begun."""

    def on_mount(self) -> None:
        """Start the one timer by which news reaches the screen."""
        self._ticker = self.set_interval(1 / self._fps, self._tick, pause=True)

    def action_run(self) -> None:
        """Start the run, or say what is in the way."""
        try:
            plan = self.wanted_plan()
        except ImgstoreError as error:
            self.run_line.problem = str(error)
            self.log_line(error_line(str(error)))
            return
        self._session.begin()
        self.run_worker(partial(self._bridge.supervise, plan), thread=True, exit_on_error=False, group="run")
        self._show_session()
        self.run_begun()
        if self._ticker is not None:
            self._ticker.resume()
        self.refresh_bindings()

    def action_stop(self) -> None:
        """Ask the run to stop."""
        self._bridge.stop()
        self.stopping = self._bridge.stopping

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done to the run now."""
        match action:
            case "run":
                return not self._bridge.busy
            case "stop":
                return self._bridge.busy
        return True

    def _tick(self) -> None:
        """Take in what the thread has said since the last time, in one repaint."""
        with self.app.batch_update():
            self.panes.log_lines.say(self._session.take_in(self.spec_style()))
            self._show_session()
        if self._session.ended is not None and self._ticker is not None:
            self._ticker.pause()

    def _show_session(self) -> None:
        session = self._session
        if session.found is not self.found:
            self.found = session.found
        self.run_state, self.stopping = session.state, self._bridge.stopping
        self.run_line.problem, self.run_line.began, self.run_line.ended = session.problem, session.began, session.ended
        self.run_line.refresh()
        self.refresh_bindings()

    def log_line(self, line: Text) -> None:
        """Say something in the log."""
        self.panes.log_lines.say([(datetime.now(UTC), line)])

    def last_state(self) -> RunState:
        """Return the state of the run with all news of it, also after the screen is gone."""
        self._session.take_in(self.spec_style())
        return self._session.state
