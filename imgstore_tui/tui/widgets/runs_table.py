"""The saved runs as a table: a row each, and which two are marked."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from imgstore_tui.bench.saved_runs import SavedRun
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes
from imgstore_tui.present.saved import done_words, failed_words, name_words, when_words
from imgstore_tui.tui.look import WIDE_COLUMNS

_COLUMNS = (("  started (UTC)", 18), ("plan", 7), ("trials", 11), ("failed", 6), ("size", 8), ("status", 10))
_NAMED_FROM = WIDE_COLUMNS
"""On terminals of so many columns each row says the run's name and data; on all, they are said below the list."""
_STATUS = {"interrupted": "broke off"}


class RunsTable(DataTable[Text]):
    """Knows the runs by their files, in the order in which they were put in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "screen.open", "Open", key_display="enter", tooltip="Show the run, or watch it going on"),
    ]

    def __init__(self) -> None:
        super().__init__(cursor_type="row")
        self._runs: dict[Path, SavedRun] = {}
        self.marked: tuple[Path, ...] = ()
        """The runs that are to be set side by side, in the order in which they were marked; two at most."""

    def on_mount(self) -> None:
        """Lay out the columns."""
        for title, width in _COLUMNS:
            self.add_column(Text(title), width=width)
        if self.app.size.width >= _NAMED_FROM:
            self.add_column(Text("name and data"))

    @property
    def here(self) -> SavedRun | None:
        """The run under the cursor."""
        runs = list(self._runs.values())
        return runs[self.cursor_row] if 0 <= self.cursor_row < len(runs) else None

    def put(self, saved: SavedRun) -> None:
        """Show a run: as a row of its own, or anew in the row that it has."""
        known = saved.path in self._runs
        self._runs[saved.path] = saved
        if known:
            self._redraw(saved.path)
        else:
            self.add_row(*self._row(saved)[: len(self.columns)], key=str(saved.path))

    def drop(self, path: Path) -> None:
        """Take a run out of the list."""
        del self._runs[path]
        self.remove_row(str(path))
        if path in self.marked:
            self.mark(path)

    def mark(self, path: Path) -> None:
        """Mark a run, or take its mark away; of three the first goes."""
        before = self.marked
        self.marked = tuple(other for other in before if other != path) if path in before else (*before, path)[-2:]
        for touched in {*before, *self.marked} & self._runs.keys():
            self._redraw(touched)

    def _redraw(self, path: Path) -> None:
        for column, text in zip(self.columns, self._row(self._runs[path]), strict=False):
            self.update_cell(str(path), column, text, update_width=True)

    def _row(self, saved: SavedRun) -> list[Text]:
        mark = str(self.marked.index(saved.path) + 1) if saved.path in self.marked else ""
        bad = "bold red" if saved.failed or saved.run is None else ""
        return [
            Text.assemble((f"{mark:2}", "bold"), when_words(saved.run) or safe_text(saved.id[:15])),
            Text("" if saved.run is None else safe_text(saved.run.plan.name)),
            Text(done_words(saved), justify="right"),
            Text(failed_words(saved), style=bad, justify="right"),
            Text(format_bytes(saved.size_bytes), justify="right"),
            Text(_STATUS.get(saved.status, saved.status), style=bad if saved.run is None else ""),
            Text(name_words(saved)),
        ]
