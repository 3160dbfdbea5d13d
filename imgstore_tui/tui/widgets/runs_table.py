"""Shows the saved runs in a table, and marks two of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable
from textual.worker import get_current_worker

from imgstore_tui.bench.results.saved_runs import SavedRun, newest_first
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes
from imgstore_tui.present.text.captions import plan_word
from imgstore_tui.present.text.saved_run import completed_text, failed_text, name_text, started_text, status_text
from imgstore_tui.tui.terminal.breakpoints import WIDE_COLUMNS

_TITLES = {
    "started": ("  started (UTC)", 18), "name": ("name and data", 0), "plan": ("plan", 7), "trials": ("trials", 11),
    "failed": ("failed", 6), "size": ("size", 8), "status": ("status", 11),
}  # fmt: skip
"""Title and width of every column; the column of names takes the remaining width."""
_NUMBERS = ("trials", "failed", "size")
_NARROW = ("started", "name", "trials", "status")
_MIN_NAME = 12


class RunsTable(DataTable[Text]):
    """Reads the saved runs in a thread, newest first.

    On a narrow terminal plan, failures and size have no column: they are in the description below.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.open", "Open", key_display="enter", tooltip="Show the run, or watch it going on"),
    ]

    @dataclass
    class RunRead(Message):
        """The thread has read a file."""

        saved: SavedRun

    @dataclass
    class AllRead(Message):
        """All files were read, or a problem prevented it."""

        problem: str = ""

    def __init__(self) -> None:
        super().__init__(cursor_type="row")
        self._runs: dict[Path, SavedRun] = {}
        self._shape: tuple[tuple[str, int], ...] = ()
        """Columns and their widths."""
        self._gone: set[Path] = set()
        """Files that were deleted while others were being read."""
        self.reading = True
        """Whether files are still being read."""
        self.marked: tuple[Path, ...] = ()
        """The runs to compare, in the order in which they were marked; two at most."""

    # Reading

    def on_mount(self) -> None:
        """Read the files in a thread: there may be many, and large ones."""
        self._lay_out()
        self.run_worker(self._read, thread=True, exit_on_error=False)

    def _read(self) -> None:
        worker = get_current_worker()
        problem = ""
        try:
            for saved in newest_first():
                if worker.is_cancelled:
                    return
                self.post_message(self.RunRead(saved))
        except Exception as error:  # no error in the files ends the screen
            problem = f"Not all saved runs can be read: {type(error).__name__}: {error}"
        self.post_message(self.AllRead(problem))

    @on(RunRead)
    def _run_read(self, event: RunRead) -> None:
        if event.saved.path not in self._gone:
            self.put(event.saved)

    @on(AllRead)
    def _all_read(self) -> None:
        self.reading = False

    # Rows

    @property
    def here(self) -> SavedRun | None:
        """The run under the cursor."""
        runs = list(self._runs.values())
        return runs[self.cursor_row] if 0 <= self.cursor_row < len(runs) else None

    def put(self, saved: SavedRun) -> None:
        """Show a run in a new row, or update its row."""
        exists = saved.path in self._runs
        self._runs[saved.path] = saved
        if exists:
            self._redraw(saved.path)
        elif self._shape:
            self.add_row(*self._row(saved), key=str(saved.path))

    def drop(self, path: Path) -> None:
        """Remove a run from the list."""
        self._gone.add(path)
        del self._runs[path]
        self.remove_row(str(path))
        if path in self.marked:
            self.mark(path)

    def mark(self, path: Path) -> None:
        """Mark or unmark a run; of three marks the first is removed."""
        before = self.marked
        self.marked = tuple(other for other in before if other != path) if path in before else (*before, path)[-2:]
        for changed in {*before, *self.marked} & self._runs.keys():
            self._redraw(changed)

    # Columns

    def on_resize(self) -> None:
        """Lay out the columns that fit."""
        self._lay_out()

    def _lay_out(self) -> None:
        wide = self.app.size.width >= WIDE_COLUMNS
        names = _TITLES.keys() if wide else _NARROW
        # Each column has a space at both sides, and the scroll bar needs one.
        room = self.container_size.width - 1 - sum(_TITLES[name][1] + 2 for name in names) - 2
        shape = tuple((name, _TITLES[name][1] or max(_MIN_NAME, room)) for name in names)
        if shape == self._shape:
            return
        self._shape, cursor = shape, self.cursor_row
        self.clear(columns=True)
        for name, width in shape:
            title = Text(_TITLES[name][0], justify="right" if name in _NUMBERS else "left")
            self.add_column(title, width=width, key=name)
        for saved in self._runs.values():
            self.add_row(*self._row(saved), key=str(saved.path))
        self.move_cursor(row=cursor)

    def _redraw(self, path: Path) -> None:
        for (name, _), text in zip(self._shape, self._row(self._runs[path]), strict=True):
            self.update_cell(str(path), name, text)

    def _row(self, saved: SavedRun) -> list[Text]:
        mark = str(self.marked.index(saved.path) + 1) if saved.path in self.marked else ""
        bad = "bold red" if saved.failed or saved.run is None else ""
        entries = {
            "started": Text.assemble((f"{mark:2}", "bold"), started_text(saved.run) or safe_text(saved.id[:15])),
            "name": Text(name_text(saved), no_wrap=True, overflow="ellipsis"),
            "plan": Text("" if saved.run is None else safe_text(plan_word(saved.run.plan))),
            "trials": Text(completed_text(saved), style=bad, justify="right"),
            "failed": Text(failed_text(saved), style=bad, justify="right"),
            "size": Text(format_bytes(saved.size_bytes), justify="right"),
            "status": Text(status_text(saved), style=bad if saved.run is None else ""),
        }
        return [entries[name] for name, _ in self._shape]
