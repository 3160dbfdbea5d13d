"""Asks before the program quits while a run goes on."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from imgstore_tui.tui.run.run_thread import RunThread
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar

_ASK = "A run is going on. Stop it and quit?\nWhat has been measured so far is kept in its journal."
_REMOVING = "The run has ended, and its stores are still being removed. Wait for that and quit?\nAll results are kept."
_STOPPING = "Stopping: the running trial is ended, its store removed.\nPress q once more to leave without waiting."


class LeaveScreen(Dialog[bool]):
    """Asks once, then stops the run and waits for it; another press quits without waiting."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,y,enter", "leave", "Stop and quit", key_display="q", tooltip="Stop the run and quit"),
        Binding("escape,n", "stay", "Stay", key_display="esc", tooltip="Let the run go on"),
    ]

    message = getters.query_one(".message", Static)

    def __init__(self, run_thread: RunThread, *, finished: bool = False) -> None:
        """Ask about a run.

        Args:
            run_thread: The run in its thread.
            finished: Whether its last trial has ended, so that only its stores are still there.
        """
        super().__init__()
        self._finished = finished
        self._run_thread = run_thread
        self._stopping = False

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Quit"
            yield Static(Text(_REMOVING if self._finished else _ASK), classes="message")
            yield KeyBar()

    def action_leave(self) -> None:
        """Stop the run; the second time, do not wait for it."""
        if self._stopping or not self._run_thread.busy:
            self.dismiss(True)
            return
        self._stopping = True
        self._run_thread.stop()
        self.message.update(Text(_STOPPING))
        self.refresh_bindings()
        self.set_interval(0.1, self._poll)

    def action_stay(self) -> None:
        """Let the run go on."""
        if not self._stopping:
            self.dismiss(False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow staying only until the run is stopped."""
        return not (action == "stay" and self._stopping)

    def _poll(self) -> None:
        if not self._run_thread.busy:
            self.dismiss(True)
