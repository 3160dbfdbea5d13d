"""The run as tables, one at a time, filling as trials end."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.coordinate import Coordinate
from textual.reactive import reactive
from textual.widgets import DataTable, Static

from imgstore_tui.present.rows import Column, Entry, Table
from imgstore_tui.present.sections import (
    Digest,
    article_tables,
    disk_tables,
    failures_table,
    overview_tables,
    timing_tables,
    warnings_table,
)
from imgstore_tui.tui.look import MARK_STYLES

WIDE = 100
"""Columns from which on a table shows everything."""


LEAST_SENTENCE = 20
"""Columns below which a column of sentences is not made narrower."""


class TablePane(Vertical):
    """One table of a run. The rows are the shared ones of ``present``; here they only move and scroll."""

    found: reactive[Digest | None] = reactive(None, repaint=False)
    """The run, digested; None before there is anything."""
    view: reactive[int] = reactive(0, repaint=False)
    """Which table, counted endlessly; the rest of a division by how many there are."""

    grid = getters.query_one(DataTable)

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "3 Table"
        self._shape: tuple[object, ...] = ()
        """Titles and widths of the columns and the number of rows shown."""
        self._rows: list[tuple[Entry, ...]] = []
        self._names: tuple[str, ...] = ()

    def compose(self) -> ComposeResult:
        """Lay out the table and its caption."""
        yield Static(Text("Nothing measured yet. Choose, then press r."), classes="empty")
        table: DataTable[Text] = DataTable(cursor_type="row", zebra_stripes=False, cell_padding=1)
        yield table
        yield Static(classes="caption")

    def watch_found(self) -> None:
        """Show what is known now."""
        self._show()

    def watch_view(self) -> None:
        """Show another table."""
        self._show()

    def on_resize(self) -> None:
        """Show more columns or fewer."""
        self._show()

    def _show(self) -> None:
        if not self.is_mounted or not self.display or not self.size.width:
            return
        tables = [] if self.found is None else tables_of(self.found)
        self.set_class(not tables, "-empty")
        if not tables:
            self.border_subtitle = ""
            return
        index = self.view % len(tables)
        table = tables[index]
        names = (table.title, f"{index + 1} of {len(tables)}, v: next", table.caption)
        if names != self._names:
            self._names = names
            self.border_title, self.border_subtitle = Text(f"3 Table: {names[0]}"), names[1]
            self.query_one(".caption", Static).update(Text(names[2]))
        self._fill(table)

    def _fill(self, table: Table) -> None:
        kept = [index for index, column in enumerate(table.columns) if self.size.width >= WIDE or not column.wide]
        columns = [table.columns[index] for index in kept]
        rows = [tuple(row[index] for index in kept) for row in table.rows]
        widths, folded = self._widths(columns, rows)
        shape = (tuple(column.title for column in columns), widths, rows if folded else len(rows))
        if shape == self._shape:
            self._update(rows, columns)
            return
        # The cursor and what is in sight stay where they are as long as it is the same table.
        cursor, top, same = self.grid.cursor_row, self.grid.scroll_y, self._shape[:1] == shape[:1]
        self._shape, self._rows = shape, rows
        self.grid.clear(columns=True)
        for column, width in zip(columns, widths, strict=True):
            self.grid.add_column(Text(column.title, justify="right" if column.right else "left"), width=width)
        for row in rows:
            cells = [_cell(entry, column) for entry, column in zip(row, columns, strict=True)]
            self.grid.add_row(*cells, height=None if folded else 1)
        if same:
            self.grid.move_cursor(row=min(cursor, len(rows) - 1), scroll=False)
            self.grid.scroll_to(y=top, animate=False)

    def _widths(self, columns: list[Column], rows: list[tuple[Entry, ...]]) -> tuple[tuple[int, ...], bool]:
        """Return the columns' widths, and whether some that hold sentences had to be made narrower than those are."""
        widths = [
            max([cell_len(column.title), *(cell_len(row[number].text) for row in rows)])
            for number, column in enumerate(columns)
        ]
        # Each column has a space at both sides, and the scroll bar needs one.
        over = sum(widths) + 2 * len(widths) + 1 - self.content_size.width
        folded = False
        for number in sorted(range(len(columns)), key=lambda number: -widths[number]):
            if columns[number].wraps and over > 0 and widths[number] > LEAST_SENTENCE:
                narrower = max(LEAST_SENTENCE, widths[number] - over)
                over -= widths[number] - narrower
                widths[number], folded = narrower, True
        return tuple(widths), folded

    def _update(self, rows: list[tuple[Entry, ...]], columns: list[Column]) -> None:
        """Write the cells that changed: most of a table stays as it is when a trial ends."""
        old, self._rows = self._rows, rows
        for number, (before, row) in enumerate(zip(old, rows, strict=True)):
            for place, column in enumerate(columns):
                if before[place] != row[place]:
                    self.grid.update_cell_at(Coordinate(number, place), _cell(row[place], column))


def _cell(entry: Entry, column: Column) -> Text:
    style = MARK_STYLES[entry.mark]
    return Text(entry.text, style=style, justify="right" if column.right else "left", no_wrap=not column.wraps)


def tables_of(found: Digest) -> list[Table]:
    """Return the tables that have a row, in the order in which the key steps through them."""
    tables = [
        *overview_tables(found),
        *timing_tables(found),
        *disk_tables(found),
        *article_tables(found),
        failures_table(found),
        warnings_table(found),
    ]
    return [table for table in tables if table.rows]
