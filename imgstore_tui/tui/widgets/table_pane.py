"""The run as tables, one at a time, filling as trials end."""

from __future__ import annotations

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.coordinate import Coordinate
from textual.reactive import reactive
from textual.widgets import DataTable, Static

from imgstore_tui.present.rows import Mark, Table
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


class TablePane(Vertical):
    """One table of a run. The rows are the shared ones of ``present``; here they only move and scroll."""

    BORDER_TITLE = "3 Table"

    found: reactive[Digest | None] = reactive(None)
    """The run, digested; None before there is anything."""
    view: reactive[int] = reactive(0)
    """Which table, counted endlessly; the rest of a division by how many there are."""

    grid = getters.query_one(DataTable)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[tuple[str, ...], tuple[tuple[str, ...], ...]] | None = None

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
        self.border_title = Text(f"3 Table: {table.title}")
        self.border_subtitle = f"{index + 1} of {len(tables)}, v: next"
        self.query_one(".caption", Static).update(Text(table.caption))
        self._fill(table)

    def _fill(self, table: Table) -> None:
        kept = [index for index, column in enumerate(table.columns) if self.size.width >= WIDE or not column.wide]
        titles = tuple(table.columns[index].title for index in kept)
        rows = tuple(tuple(row[index].text for index in kept) for row in table.rows)
        if (titles, rows) == self._shown:
            return
        before, self._shown = self._shown, (titles, rows)
        cells = [
            [_cell(row[index].text, row[index].mark, right=table.columns[index].right) for index in kept]
            for row in table.rows
        ]
        if before is not None and before[0] == titles and len(before[1]) == len(rows):
            for number, (old, new) in enumerate(zip(before[1], rows, strict=True)):
                for column in range(len(kept)):
                    if old[column] != new[column]:
                        self.grid.update_cell_at(Coordinate(number, column), cells[number][column], update_width=True)
            return
        cursor, top = self.grid.cursor_row, self.grid.scroll_y
        self.grid.clear(columns=True)
        for index in kept:
            title = table.columns[index]
            self.grid.add_column(Text(title.title, justify="right" if title.right else "left"))
        self.grid.add_rows(cells)
        if before is not None and before[0] == titles:
            self.grid.move_cursor(row=min(cursor, len(rows) - 1), scroll=False)
            self.grid.scroll_to(y=top, animate=False)


def _cell(text: str, mark: Mark, *, right: bool) -> Text:
    return Text(text, style=MARK_STYLES[mark], justify="right" if right else "left", no_wrap=True)


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
