"""Lists the saved runs; opens, resumes, compares, renames and deletes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DataTable, Static

from imgstore_tui.bench.results.journal import read_journal
from imgstore_tui.bench.results.saved_runs import SavedRun, delete, read_saved_run, rename
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.text.saved_run import deletion_question, description_text, details_text
from imgstore_tui.tui.screens.ask import AskScreen
from imgstore_tui.tui.screens.compare import CompareScreen
from imgstore_tui.tui.screens.help import HelpScreen, help_lines
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.field import Field
from imgstore_tui.tui.widgets.key_bar import KeyBar
from imgstore_tui.tui.widgets.runs_table import RunsTable

_BUSY = "A run is going on. Stop it first, or wait for it."


@dataclass(frozen=True, slots=True)
class RunSelection:
    """The run that the user chose, and what to do with it."""

    path: Path
    resume: bool = False
    """Whether its missing trials are measured; else it is shown."""
    replay: Run | None = None
    """The whole run if it is to be played as it went."""


class SavedRunsScreen(Dialog[RunSelection | None]):
    """A list, newest first, that fills as files are read, with a description of the run under the cursor."""

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = "RunsTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", tooltip="Mark a run to be set beside another"),
        Binding("c", "compare", "Compare", tooltip="Set the two marked runs side by side, the first before"),
        Binding("r", "resume", "Resume", tooltip="Measure what an incomplete run lacks"),
        Binding("p", "replay", "Replay", show=False, tooltip="Play the run as it went, ten times as fast"),
        Binding("n", "name", "Name", tooltip="Give the run a name"),
        Binding("d", "delete", "Delete", tooltip="Delete the run, after asking"),
        Binding("question_mark,f1", "help", "Help", key_display="?", tooltip="Show what every key of the list does"),
        Binding("escape,q,f", "leave", "Close", key_display="esc", tooltip="Close the list"),
    ]

    table = getters.query_one(RunsTable)
    field = getters.query_one(Field)
    description = getters.query_one(".message", Static)

    def __init__(self, *, may_open: bool) -> None:
        """Create the list.

        Args:
            may_open: Whether a run may replace the one that is shown.
        """
        super().__init__()
        self._may_open = may_open

    def compose(self) -> ComposeResult:
        """Lay out list, description and the line for a name."""
        with Vertical(classes="dialog full") as dialog:
            dialog.border_title = "Saved runs"
            yield RunsTable()
            yield Static(classes="message")
            yield Field("name", hint="enter keeps it, esc does not")
            yield KeyBar()

    def on_mount(self) -> None:
        """Show that the files are being read."""
        self.field.display = False
        self._show()

    @on(RunsTable.RunRead)
    def _run_read(self) -> None:
        if self.table.row_count == 1:
            self._show()
            self.refresh_bindings()

    @on(RunsTable.AllRead)
    def _all_read(self, event: RunsTable.AllRead) -> None:
        self._show(event.problem)

    @property
    def _run_here(self) -> SavedRun | None:
        """The run under the cursor."""
        # The key bar asks before the list is mounted and after it is removed.
        return next((table.here for table in self.query(RunsTable)), None)

    @on(DataTable.RowHighlighted)
    def _pointed(self) -> None:
        self._show()
        self.refresh_bindings()

    def _show(self, problem: str = "") -> None:
        """Show the description of the run under the cursor, or a problem."""
        here = self._run_here
        if problem:
            text = Text(safe_text(problem), style="bold red")
        elif here is not None:
            text = Text.assemble(
                (description_text(here), "" if here.run else "bold red"), "\n", (details_text(here), "dim")
            )
        elif self.table.reading:
            text = Text("Reading the saved runs ...", style="dim")
        else:
            text = Text("There is no saved run yet. Every run is saved as it goes: press r on the screen behind.")
        self.description.update(text)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow only what can be done with the run under the cursor."""
        here = self._run_here
        match action:
            case "open" | "name":
                return here is not None and here.run is not None
            case "mark":
                return here is not None and here.run is not None
            case "replay":
                return here is not None and here.run is not None and not here.running and bool(here.measured)
            case "resume":
                return here is not None and here.can_be_resumed
            case "compare":
                return any(len(table.marked) == 2 for table in self.query(RunsTable))
            case "delete":
                return here is not None and not here.running
        return True

    def action_open(self) -> None:
        """Show the run."""
        self._choose(resume=False)

    @on(DataTable.RowSelected)
    def _row_selected(self) -> None:
        if self.check_action("open", ()):
            self.action_open()

    def action_resume(self) -> None:
        """Measure the missing trials of the run."""
        self._choose(resume=True)

    def action_replay(self) -> None:
        """Play the run as it went."""
        here = self._run_here
        if here is None:
            return
        if not self._may_open:
            self._show(_BUSY)
            return
        try:
            self.dismiss(RunSelection(here.path, replay=read_journal(here.path)))
        except ImgstoreError as error:
            self._show(str(error))

    def _choose(self, *, resume: bool) -> None:
        here = self._run_here
        if here is None:
            return
        if self._may_open:
            self.dismiss(RunSelection(here.path, resume))
        else:
            self._show(_BUSY)

    def action_mark(self) -> None:
        """Mark or unmark the run."""
        here = self._run_here
        if here is not None:
            self.table.mark(here.path)
            self.refresh_bindings()

    def action_name(self) -> None:
        """Ask for a name."""
        here = self._run_here
        if here is not None and here.run is not None:
            self.field.display = True
            self.field.write(here.run.title)
            self.field.problem = ""
            self.set_focus(self.field.input)

    @on(Field.Submitted)
    def _named(self, event: Field.Submitted) -> None:
        event.stop()
        here = self._run_here
        if here is None:
            return
        if self._try(lambda: rename(here.path, event.text)):
            self._end_naming()
            self.table.put(read_saved_run(here.path))
            self._show()

    def _end_naming(self) -> None:
        self.field.display = False
        self.set_focus(self.table)

    def action_delete(self) -> None:
        """Delete the run, after asking."""
        here = self._run_here
        if here is not None:
            self.app.push_screen(AskScreen("Delete", deletion_question(here)), lambda sure: self._delete(here, sure))

    def _delete(self, saved: SavedRun, sure: bool | None) -> None:
        if sure and self._try(lambda: delete(saved.path)):
            self.table.drop(saved.path)
            self._show()
            self.refresh_bindings()

    def _try(self, action: Callable[[], object]) -> bool:
        """Call a function and return whether it succeeded; show an error at the name, or below the list."""
        try:
            action()
        except ImgstoreError as error:
            if self.field.display:
                self.field.problem = safe_text(str(error))
            else:
                self._show(str(error))
            return False
        return True

    def action_compare(self) -> None:
        """Compare the two marked runs."""
        base, run = self.table.marked
        self.app.push_screen(CompareScreen(base, run))

    def action_help(self) -> None:
        """Show what every key of the list does."""
        self.app.push_screen(HelpScreen(help_lines(RunsTable.BINDINGS, self.BINDINGS)))

    def action_leave(self) -> None:
        """Close the list, or only the line for a name while it is open."""
        if self.field.display:
            self._end_naming()
        else:
            self.dismiss(None)
