"""Shows the tables of the run, one at a time, sorted and filtered."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widgets import DataTable, Static

from imgstore_tui.present.article import article_report_tables, is_article
from imgstore_tui.present.exports.md import markdown_table
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.ceilings import ceiling_tables
from imgstore_tui.present.tables.clients import client_tables
from imgstore_tui.present.tables.disk_use import disk_tables
from imgstore_tui.present.tables.ranking import cutoff_text, measured_cutoffs, ranking_table
from imgstore_tui.present.tables.report_tables import failures_table, warnings_table
from imgstore_tui.present.tables.table_model import Table
from imgstore_tui.present.tables.table_view import DOWN, UP, TableView, apply_view, view_text
from imgstore_tui.present.tables.timings import one_image_tables, overview_tables, timing_tables
from imgstore_tui.present.text.shared_options import short_table
from imgstore_tui.tui.jump_target import JumpTarget
from imgstore_tui.tui.messages import CellOpened
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.widgets.field import Field
from imgstore_tui.tui.widgets.grid_table import GridTable

_NOTHING = "Nothing measured yet. Choose, then press r."
_NO_TABLE = Table("", (), ())
WIDE = 100
"""Columns of the pane from which on a table shows its wide columns."""


class TablePane(Vertical):
    """One table of a run, with the rows of ``present``."""

    KEYS_OF: ClassVar[str] = "In the table"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_column", "Sort", tooltip="Sort the table by its next column"),
        Binding("b", "turn", "Turn", show=False, tooltip="Sort the table the other way round"),
        Binding("escape", "clear_filter", "All rows", key_display="esc", tooltip="Show all rows of the table again"),
    ]

    results: reactive[RunResults | None] = reactive(None, repaint=False)
    """The results of the run; None before the first."""
    view: reactive[int] = reactive(0, repaint=False)
    """Number of the table, modulo how many there are."""
    cutoff: reactive[int | None] = reactive(None, repaint=False)
    """The number of images of the ranking; None for the largest."""
    arrangement: reactive[TableView] = reactive(TableView(), repaint=False)
    """Which rows are shown, and in which order."""

    grid = getters.query_one(GridTable)
    filter_line = getters.query_one(Field)

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "3 Table"
        self._names: tuple[str, ...] = ()
        self._table = _NO_TABLE

    def compose(self) -> ComposeResult:
        """Lay out the table, the line to filter it by, and its caption."""
        yield Static(Text(_NOTHING), classes="empty")
        yield GridTable()
        yield Field("filter", hint="storage, operation, level or N, e.g. read lmdb 1k", classes="filter")
        yield Static(classes="caption")

    def watch_results(self) -> None:
        """Show new results."""
        self._show()

    def watch_view(self) -> None:
        """Show another table."""
        self._show()

    def watch_cutoff(self) -> None:
        """Rank at another number of images."""
        self._show()

    def watch_arrangement(self) -> None:
        """Show other rows, or in another order."""
        self._show()

    def on_resize(self) -> None:
        """Show more columns or fewer."""
        self._show()

    # The table

    def _show(self) -> None:
        if not self.is_mounted or not self.display or not self.size.width:
            return
        tables = [] if self.results is None else tables_of(self.results, self.cutoff)
        shown = [(table, whole) for whole in tables if (table := apply_view(whole, self.arrangement)).rows]
        self.set_class(not shown, "-empty")
        if not shown:
            self._table = _NO_TABLE
            self._show_empty(bool(tables))
            return
        index = self.view % len(shown)
        table, whole = shown[index]
        self._table = table
        subtitle = f"{index + 1} of {len(shown)}, v: next"
        rows = [len(entry.rows) - len(entry.heads) for entry in (table, whole)]
        if view := view_text(self.arrangement, *rows):
            subtitle = f"{view}, esc: all  {subtitle}"
        elif self.results is not None and table.title.startswith("Ranking"):
            subtitle = f"{cutoff_text(self.cutoff, measured_cutoffs(self.results))}  {subtitle}"
        names = (table.title, subtitle, table.caption)
        if names != self._names:
            self._names = names
            self.border_title, self.border_subtitle = Text(f"3 Table: {names[0]}"), Text(names[1])
            self.query_one(".caption", Static).update(Text(names[2]))
        self.grid.fill(table, wide=self.size.width >= WIDE, room=self.content_size.width)

    @property
    def targets(self) -> tuple[JumpTarget, ...]:
        """Every table that the pane can show, without its filter."""
        tables = [] if self.results is None else tables_of(self.results, self.cutoff)
        return tuple(JumpTarget(PaneName.TABLE, table.title, (number,)) for number, table in enumerate(tables))

    @property
    def shown(self) -> JumpTarget | None:
        """The table that is shown, as one of the targets; None where there is none."""
        title = self._table.title
        return next((target for target in self.targets if target.title == title), None)

    def show_target(self, target: JumpTarget) -> None:
        """Show one of the targets, all of its rows."""
        if self.arrangement.query:
            self.action_clear_filter()
        (self.view,) = target.place

    def copied_text(self) -> str:
        """Return the table as it is filtered and sorted, as Markdown; empty where there is none."""
        table = self._table
        parts = [f"**{table.title}**", markdown_table(table), table.caption]
        return "\n\n".join(part for part in parts if part) + "\n" if table.rows else ""

    def _show_empty(self, filtered: bool) -> None:
        message = _NOTHING if self.results is None else "The first rows come with the first trials."
        if filtered:
            message = f"No row of any table has '{self.arrangement.query}'. esc: all rows."
        self.query_one(".empty", Static).update(Text(message))
        self._names, self.border_title, self.border_subtitle = (), "3 Table", ""

    # The order of rows

    def action_next_column(self) -> None:
        """Sort by the next column; after the last, in the order of the plan."""
        titles = [_bare(column.title) for column in self.grid.shown if column.title]
        index = titles.index(self.arrangement.sort_column) if self.arrangement.sort_column in titles else -1
        title = titles[index + 1] if index + 1 < len(titles) else ""
        self.arrangement = replace(self.arrangement, sort_column=title, descending=False)

    def action_turn(self) -> None:
        """Sort the other way round."""
        self.arrangement = replace(self.arrangement, descending=not self.arrangement.descending)

    @on(DataTable.HeaderSelected)
    def _header_clicked(self, event: DataTable.HeaderSelected) -> None:
        event.stop()
        self.arrangement = self.arrangement.sorted_by(_bare(self.grid.shown[event.column_index].title))

    # Which rows

    def open_filter(self) -> None:
        """Open the filter line."""
        self.add_class("-filtering")
        # At once and not with the next repaint: the keys that follow are letters for the line.
        self.app.stylesheet.update(self)
        self.screen.set_focus(self.filter_line.input)

    def action_clear_filter(self) -> None:
        """Show all rows and focus the table."""
        self.filter_line.write("")
        self.remove_class("-filtering")
        self.arrangement = replace(self.arrangement, query="")
        self.screen.set_focus(self.grid)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow clearing only with a filter."""
        return action != "clear_filter" or self.has_class("-filtering")

    @on(Field.Changed)
    def _filter_changed(self, event: Field.Changed) -> None:
        event.stop()
        self.arrangement = replace(self.arrangement, query=event.text.strip())

    @on(Field.Submitted)
    def _filter_done(self, event: Field.Submitted) -> None:
        event.stop()
        if event.text.strip():
            self.screen.set_focus(self.grid)
        else:
            self.action_clear_filter()

    # The detail of a row

    @on(DataTable.RowSelected)
    @on(DataTable.CellSelected)
    def _selected(self, event: DataTable.RowSelected | DataTable.CellSelected) -> None:
        event.stop()
        cell = self.grid.cell_here
        if cell is not None:
            self.post_message(CellOpened(cell))


def _bare(title: str) -> str:
    """Return the title of a column without the sign of the sort order."""
    return title.removesuffix(f" {UP}").removesuffix(f" {DOWN}")


def tables_of(results: RunResults, cutoff: int | None = None) -> list[Table]:
    """Return the tables that have a row, in the order in which the key steps through them.

    Args:
        results: The run.
        cutoff: The number of images of the ranking; None for the largest.
    """
    tables = [
        *overview_tables(results),
        ranking_table(results, cutoff),
        *timing_tables(results),
        *disk_tables(results),
        *client_tables(results),
        *ceiling_tables(results),
        *(article_report_tables(results) if is_article(results.run) else one_image_tables(results)),
        failures_table(results),
        warnings_table(results),
    ]
    return [short_table(table, results.run.plan) for table in tables if table.rows]
