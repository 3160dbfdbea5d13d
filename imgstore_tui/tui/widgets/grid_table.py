"""Draws a table of the shared table model; repaints only entries that changed."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from imgstore_tui.core.model import Cell
from imgstore_tui.present.tables.table_model import Table, TableColumn, TableEntry
from imgstore_tui.tui.themes import MARK_STYLES

MIN_SENTENCE = 20
"""Columns of the terminal that a column of sentences has at least."""


class GridTable(DataTable[Text]):
    """A table that keeps its cursor and scroll position when its numbers change."""

    KEYS_OF: ClassVar[str] = "In the table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Detail", key_display="enter", tooltip="Show all that is known of a row"),
    ]

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False, cell_padding=1)
        self._shape: tuple[object, ...] = ()
        """Titles and widths of the columns and the number of rows shown."""
        self._entries: list[tuple[TableEntry, ...]] = []
        self._shown: list[TableColumn] = []
        self._widths: tuple[int, ...] = ()

    @property
    def shown(self) -> tuple[TableColumn, ...]:
        """The columns that are visible or can be scrolled to."""
        return tuple(self._shown)

    @property
    def cell_here(self) -> Cell | None:
        """The cell under the cursor; in a row with several cells, that of the column, else the last."""
        if not 0 <= self.cursor_row < len(self._entries):
            return None
        row = self._entries[self.cursor_row]
        here = row[self.cursor_column].cell if self.cursor_type == "cell" else None
        return here or next((entry.cell for entry in reversed(row) if entry.cell is not None), None)

    def fill(self, table: Table, *, wide: bool, room: int) -> None:
        """Show a table.

        Args:
            table: What to show.
            wide: Whether the wide columns are shown, too.
            room: Columns of the terminal.
        """
        indexes = [index for index, column in enumerate(table.columns) if wide or not column.wide]
        columns = [table.columns[index] for index in indexes]
        rows = [tuple(row[index] for index in indexes) for row in table.rows]
        several = any(len({entry.cell for entry in row if entry.cell is not None}) > 1 for row in rows)
        self.cursor_type = "cell" if several else "row"
        widths, folded = _widths(columns, rows, room)
        shape = (tuple(column.title for column in columns), widths, rows if folded else len(rows))
        if shape == self._shape:
            self._update(rows, columns)
            return
        # Cursor and scroll position stay as long as it is the same table.
        cursor, top, same = self.cursor_coordinate, self.scroll_y, self._shape[:1] == shape[:1]
        self._shape, self._entries, self._shown = shape, rows, columns
        self.clear(columns=True)
        self._widths = widths
        for column, width in zip(columns, widths, strict=True):
            self.add_column(Text(column.title, justify="right" if column.right else "left"), width=width)
        for row in rows:
            self.add_row(*map(_cell, row, columns, widths), height=None if folded else 1)
        if not same:
            # A heading row opens nothing.
            first = next((number for number in range(len(rows)) if number not in table.heads), 0)
            self.move_cursor(row=first, scroll=False)
        else:
            self.move_cursor(row=min(cursor.row, len(rows) - 1), column=cursor.column, scroll=False)
            self.scroll_to(y=top, animate=False)

    def _update(self, rows: list[tuple[TableEntry, ...]], columns: list[TableColumn]) -> None:
        """Write the entries that changed: few do when a trial ends."""
        old, self._entries, self._shown = self._entries, rows, columns
        for number, (before, row) in enumerate(zip(old, rows, strict=True)):
            for index, column in enumerate(columns):
                if before[index] != row[index]:
                    self.update_cell_at(Coordinate(number, index), _cell(row[index], column, self._widths[index]))


def _widths(columns: list[TableColumn], rows: list[tuple[TableEntry, ...]], room: int) -> tuple[tuple[int, ...], bool]:
    """Return the widths of the columns, and whether some columns of sentences were made narrower."""
    widths = [
        max([cell_len(column.title), *(cell_len(row[number].text) for row in rows)])
        for number, column in enumerate(columns)
    ]
    # Each column has a space at both sides, and the scroll bar needs one.
    over = sum(widths) + 2 * len(widths) + 1 - room
    folded = False
    sentences = [number for number, column in enumerate(columns) if column.wraps]
    while over > 0 and sentences:
        # The widest is made narrower until it is as wide as the next.
        widest = max(sentences, key=lambda number: widths[number])
        if widths[widest] <= MIN_SENTENCE:
            break
        widths[widest] -= 1
        over, folded = over - 1, True
    return tuple(widths), folded


def _cell(entry: TableEntry, column: TableColumn, width: int) -> Text:
    # Aligned here: Rich would strip the trailing space that other rows use for a sign.
    text = f"{' ' * (width - cell_len(entry.text))}{entry.text}" if column.right else entry.text
    return Text(text, style=MARK_STYLES[entry.emphasis], no_wrap=not column.wraps)
