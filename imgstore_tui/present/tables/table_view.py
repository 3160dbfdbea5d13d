"""Filters and sorts tables by the user's query and sort column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from imgstore_tui.core.units import format_count_short
from imgstore_tui.present.tables.table_model import Table, TableColumn, TableEntry

_COUNT = re.compile(r"(?:n=)?(\d[\d,_]*)([km]?)")
_LONGEST_NUMBER = 20
_SCALES = {"": 1, "k": 1_000, "m": 1_000_000}
UP, DOWN = "▲", "▼"
"""Beside the title of the column by which a table is sorted."""

_Row = tuple[TableEntry, ...]


@dataclass(frozen=True, slots=True)
class TableView:
    """A filter and an order of rows."""

    query: str = ""
    """Words that each row must contain: part of a storage method, operation or level, or a number of images."""
    sort_column: str = ""
    """Title of the column to sort by; empty for the order of the plan."""
    descending: bool = False
    """Whether the largest come first."""

    def sorted_by(self, column: str) -> TableView:
        """Return the view after a column is chosen: ascending first, descending the second time, unsorted the third."""
        if column != self.sort_column:
            return replace(self, sort_column=column, descending=False)
        return replace(self, sort_column="" if self.descending else column, descending=not self.descending)


def apply_view(table: Table, view: TableView) -> Table:
    """Return a table filtered and sorted; heading rows stay above their rows.

    Args:
        table: Any table.
        view: Filter and order. A sort column that the table lacks leaves the order as it is.
    """
    if not view.query and not view.sort_column:
        return table
    table = _with_columns(table, view.query)
    titles = [column.title for column in table.columns]
    sorted_by = titles.index(view.sort_column) if view.sort_column and view.sort_column in titles else None
    rows: list[_Row] = []
    breaks, heads = set(), set()
    for head, group in _groups(table, whole=sorted_by is not None):
        matching = [row for row in group if _matches(table, head, row, view.query)]
        if sorted_by is not None:
            matching = _sorted(matching, sorted_by, descending=view.descending)
        if matching and head is not None:
            heads.add(len(rows))
            rows.append(head)
        rows += matching
        if matching:
            breaks.add(len(rows) - 1)
    columns = table.columns
    if sorted_by is not None:
        title = f"{columns[sorted_by].title} {DOWN if view.descending else UP}"
        columns = (*columns[:sorted_by], replace(columns[sorted_by], title=title), *columns[sorted_by + 1 :])
    return replace(table, columns=columns, rows=tuple(rows), breaks=frozenset(breaks), heads=frozenset(heads))


def _groups(table: Table, *, whole: bool) -> list[tuple[_Row | None, list[_Row]]]:
    """Return the parts of a table, each with its heading; with no headings and ``whole``, one part."""
    groups: list[tuple[_Row | None, list[_Row]]] = []
    fresh = True
    for number, row in enumerate(table.rows):
        if number in table.heads:
            groups.append((row, []))
            fresh = False
            continue
        if fresh:
            groups.append((None, []))
        groups[-1][1].append(row)
        fresh = number in table.breaks and not (whole and not table.heads)
    return groups


def _sorted(rows: Sequence[_Row], column: int, *, descending: bool) -> list[_Row]:
    """Return rows sorted by one of their entries: numbers, then text; empty ones stay last either way."""
    numbers = [row for row in rows if row[column].value is not None]
    texts = [row for row in rows if row[column].value is None and row[column].text.strip(" -")]
    rest = [row for row in rows if row[column].value is None and not row[column].text.strip(" -")]
    numbers.sort(key=lambda row: row[column].value or 0.0, reverse=descending)
    texts.sort(key=lambda row: row[column].text.strip().casefold(), reverse=descending)
    return [*numbers, *texts, *rest]


def _number(word: str) -> int | None:
    """Return the number of images that a word spells: ``1000``, ``1,000``, ``1k``, ``N=1k``."""
    match = _COUNT.fullmatch(word)
    if match is None or len(match[1]) > _LONGEST_NUMBER:
        return None
    return int(re.sub("[,_]", "", match[1])) * _SCALES[match[2]]


def _cutoff_of(column: TableColumn, table: Table, index: int) -> int | None:
    """Return the number of images of a column, from the cells of its entries; None for a column of another kind."""
    if not column.title.startswith("N="):
        return None
    cells = (row[index].cell for row in table.rows)
    return next((cell.cutoff for cell in cells if cell is not None), None)


def _with_columns(table: Table, query: str) -> Table:
    """Return a table without the columns of other numbers of images than those of the query, if it has such columns."""
    cutoffs = [_cutoff_of(column, table, index) for index, column in enumerate(table.columns)]
    numbers = {number for word in query.casefold().split() if (number := _number(word)) is not None}
    if not numbers or not any(cutoff in numbers for cutoff in cutoffs):
        return table
    indexes = [index for index, cutoff in enumerate(cutoffs) if cutoff is None or cutoff in numbers]
    rows = tuple(tuple(row[index] for index in indexes) for row in table.rows)
    return replace(table, columns=tuple(table.columns[index] for index in indexes), rows=rows)


def _matches(table: Table, head: _Row | None, row: _Row, query: str) -> bool:
    cells = [entry.cell for entry in row if entry.cell is not None]
    counts = {cell.cutoff for cell in cells}
    texts = [table.title, *(entry.text for entry in (*(head or ()), *row) if entry.value is None)]
    for cell in cells[:1]:
        texts += [cell.spec, cell.operation, cell.cache or "", cell.sync or "", cell.dataset]
    text = " ".join(texts).casefold()
    for word in query.casefold().split():
        number = _number(word)
        if number is not None and counts:
            if number not in counts:
                return False
        elif word not in text:
            return False
    return True


def view_text(view: TableView, shown: int, total: int) -> str:
    """Return the query and how many rows match it; empty where there is no query.

    Args:
        view: Filter and order.
        shown: Rows that match.
        total: Rows of the table.
    """
    return f"/{view.query}: {format_count_short(shown)} of {format_count_short(total)} rows" if view.query else ""
