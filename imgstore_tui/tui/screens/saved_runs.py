"""The saved runs: opened, resumed, set side by side, renamed, deleted."""

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
from textual.coordinate import Coordinate
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import DataTable, Static
from textual.worker import get_current_worker

from imgstore_tui.bench.saved_runs import SavedRun, delete, newest_first, rename
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes
from imgstore_tui.present.saved import deletion_words, done_words, failed_words, what_words, when_words
from imgstore_tui.tui.screens.ask import AskScreen
from imgstore_tui.tui.screens.compare import CompareScreen
from imgstore_tui.tui.screens.help import HelpScreen, help_lines
from imgstore_tui.tui.widgets.field import Field
from imgstore_tui.tui.widgets.key_bar import KeyBar

_BUSY = "A run is going on. Stop it first, or wait for it."
_COLUMNS = (("  started (UTC)", 18), ("plan", 7), ("trials", 11), ("failed", 6), ("size", 8), ("status", 10))


_STATUS = {"interrupted": "broke off"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done with a run that was chosen."""

    path: Path
    resume: bool = False
    """Whether to measure what it lacks; else it is shown."""


class RunsTable(DataTable[Text]):
    """The list itself; enter opens what is under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.open", "Open", key_display="enter", tooltip="Show the run, or watch it going on"),
    ]


class SavedRunsScreen(ModalScreen[Wish | None]):
    """A list, newest first, that fills as files are read; each row's words stand below it."""

    @dataclass
    class Looked(Message):
        """A file was read, in the thread."""

        saved: SavedRun

    class Done(Message):
        """All files were read."""

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = "RunsTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Mark", tooltip="Mark a run to be set beside another"),
        Binding("c", "compare", "Compare", tooltip="Set the two marked runs side by side, the first before"),
        Binding("r", "resume", "Resume", tooltip="Measure what an incomplete run lacks"),
        Binding("n", "name", "Name", tooltip="Give the run a name"),
        Binding("d", "delete", "Delete", tooltip="Delete the run, after asking"),
        Binding("question_mark,f1", "help", "Help", key_display="?", tooltip="Show what every key of the list does"),
        Binding("escape,q,f", "leave", "Close", key_display="esc", tooltip="Close the list"),
    ]

    table = getters.query_one(RunsTable)
    field = getters.query_one(Field)
    told = getters.query_one(".words", Static)

    def __init__(self, *, may_open: bool) -> None:
        """Show the list.

        Args:
            may_open: Whether a run may take the place of the one that is shown.
        """
        super().__init__()
        self._may_open = may_open
        self._runs: dict[Path, SavedRun] = {}
        self._marked: list[Path] = []
        self._reading = True

    def compose(self) -> ComposeResult:
        """Lay out list, words and the line for a name."""
        with Vertical(classes="dialog full") as dialog:
            dialog.border_title = "Saved runs"
            yield RunsTable(cursor_type="row")
            yield Static(classes="words")
            yield Field("name", hint="enter keeps it, esc does not")
            yield KeyBar()

    def on_mount(self) -> None:
        """Read the files in a thread: there may be many, and large ones."""
        for title, width in _COLUMNS:
            self.table.add_column(Text(title), width=width)
        self.field.display = False
        self._say()
        self.run_worker(self._read, thread=True, exit_on_error=False)

    def _read(self) -> None:
        worker = get_current_worker()
        for saved in newest_first():
            if worker.is_cancelled:
                return
            self.post_message(self.Looked(saved))
        self.post_message(self.Done())

    @on(Looked)
    def _looked(self, event: Looked) -> None:
        saved = event.saved
        self._runs[saved.path] = saved
        self.table.add_row(*self._row(saved), key=str(saved.path))
        if len(self._runs) == 1:
            self._say()

    @on(Done)
    def _done(self) -> None:
        self._reading = False
        self._say()

    def _row(self, saved: SavedRun) -> list[Text]:
        mark = str(self._marked.index(saved.path) + 1) if saved.path in self._marked else ""
        bad = "bold red" if saved.failed or saved.run is None else ""
        return [
            Text.assemble((f"{mark:2}", "bold"), when_words(saved.run) or safe_text(saved.id[:15])),
            Text("" if saved.run is None else safe_text(saved.run.plan.name)),
            Text(done_words(saved), justify="right"),
            Text(failed_words(saved), style=bad, justify="right"),
            Text(format_bytes(saved.size_bytes), justify="right"),
            Text(_STATUS.get(saved.status, saved.status), style=bad if saved.run is None else ""),
        ]

    @property
    def _here(self) -> SavedRun | None:
        """The run under the cursor."""
        runs = list(self._runs.values())
        # Asked for keys to show, the list may not be there yet, or not any more.
        row = next((table.cursor_row for table in self.query(RunsTable)), -1)
        return runs[row] if 0 <= row < len(runs) else None

    @on(DataTable.RowHighlighted)
    def _pointed(self) -> None:
        self._say()
        self.refresh_bindings()

    def _say(self, problem: str = "") -> None:
        """Say all about the run under the cursor, or what is in the way."""
        here = self._here
        if problem:
            text = Text(safe_text(problem), style="bold red")
        elif here is not None:
            text = Text.assemble((what_words(here), "" if here.run else "bold red"), "\n", (safe_text(here.id), "dim"))
        elif self._reading:
            text = Text("Reading the saved runs ...", style="dim")
        else:
            text = Text("There is no saved run yet. Every run is saved as it goes: press r on the screen behind.")
        self.told.update(text)

    # What can be done

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done with the run under the cursor."""
        here = self._here
        match action:
            case "open" | "name":
                return here is not None and here.run is not None
            case "mark":
                return here is not None and here.run is not None
            case "resume":
                return here is not None and here.can_be_resumed
            case "compare":
                return len(self._marked) == 2
            case "delete":
                return here is not None and not here.going_on
        return True

    def action_open(self) -> None:
        """Show the run."""
        self._choose(resume=False)

    @on(DataTable.RowSelected)
    def _row_selected(self) -> None:
        if self.check_action("open", ()):
            self.action_open()

    def action_resume(self) -> None:
        """Measure what the run lacks."""
        self._choose(resume=True)

    def _choose(self, *, resume: bool) -> None:
        here = self._here
        if here is None:
            return
        if self._may_open:
            self.dismiss(Wish(here.path, resume))
        else:
            self._say(_BUSY)

    def action_mark(self) -> None:
        """Mark the run, or take its mark away; of three the first goes."""
        here = self._here
        if here is None:
            return
        before = list(self._marked)
        if here.path in self._marked:
            self._marked.remove(here.path)
        else:
            self._marked = [*self._marked, here.path][-2:]
        for path in {*before, *self._marked}:
            self._redraw(path)
        self.refresh_bindings()

    def _redraw(self, path: Path) -> None:
        row = list(self._runs).index(path)
        for column, text in enumerate(self._row(self._runs[path])):
            self.table.update_cell_at(Coordinate(row, column), text)

    def action_name(self) -> None:
        """Ask for a name."""
        here = self._here
        if here is not None and here.run is not None:
            self.field.display = True
            self.field.write(here.run.title)
            self.field.problem = ""
            self.field.input.focus()

    @on(Field.Submitted)
    def _named(self, event: Field.Submitted) -> None:
        event.stop()
        here = self._here
        if here is None:
            return
        if self._tried(lambda: rename(here.path, event.text)):
            self._end_naming()
            self._reload()

    def _end_naming(self) -> None:
        self.field.display = False
        self.table.focus()

    def action_delete(self) -> None:
        """Delete the run, after asking."""
        here = self._here
        if here is not None:
            self.app.push_screen(AskScreen("Delete", deletion_words(here)), lambda sure: self._delete(here, sure))

    def _delete(self, saved: SavedRun, sure: bool | None) -> None:
        if sure and self._tried(lambda: delete(saved.path)):
            self._reload()

    def _tried(self, action: Callable[[], object]) -> bool:
        """Do something; what is in the way is said at the name where one is written, else below the list."""
        try:
            action()
        except ImgstoreError as error:
            if self.field.display:
                self.field.problem = safe_text(str(error))
            else:
                self._say(str(error))
            return False
        return True

    def _reload(self) -> None:
        """Read all files anew; the cursor stays in its row."""
        row = self.table.cursor_row
        self._runs, self._reading = {}, True
        self._marked = [path for path in self._marked if path.exists()]
        self.table.clear()
        found = list(newest_first())
        for saved in found:
            self._runs[saved.path] = saved
            self.table.add_row(*self._row(saved), key=str(saved.path))
        self._reading = False
        self.table.move_cursor(row=max(0, min(row, len(found) - 1)))
        self._say()
        self.refresh_bindings()

    def action_compare(self) -> None:
        """Set the two marked runs side by side."""
        base, run = self._marked
        self.app.push_screen(CompareScreen(base, run))

    def action_help(self) -> None:
        """Show what every key of the list does."""
        self.app.push_screen(HelpScreen(help_lines(RunsTable.BINDINGS, self.BINDINGS)))

    def action_leave(self) -> None:
        """Close the list; while a name is written, only its line."""
        if self.field.display:
            self._end_naming()
        else:
            self.dismiss(None)
