"""A table with fewer rows, or in another order: what was asked for by words and by a column."""

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
    """How a table is to be looked at."""

    query: str = ""
    """Rows must hold each of these: part of a storage method, operation or level, or a number of images."""
    sort_column: str = ""
    """Title of the column to sort by; empty for the order of the plan."""
    descending: bool = False
    """Whether the largest come first."""

    def sorted_by(self, column: str) -> TableView:
        """Return the arrangement after a column was asked for: asked for again, it turns, then it is let go."""
        if column != self.sort_column:
            return replace(self, sort_column=column, descending=False)
        return replace(self, sort_column="" if self.descending else column, descending=not self.descending)


def apply_view(table: Table, how: TableView) -> Table:
    """Return a table's rows as asked for; what the rows below a heading are about stays above them.

    Args:
        table: Any table.
        how: What is asked for. A column that the table does not have leaves the order as it is.
    """
    if not how.query and not how.sort_column:
        return table
    table = _with_columns(table, how.query)
    titles = [column.title for column in table.columns]
    place = titles.index(how.sort_column) if how.sort_column and how.sort_column in titles else None
    rows: list[_Row] = []
    breaks, heads = set(), set()
    for head, group in _groups(table, whole=place is not None):
        kept = [row for row in group if _matches(table, head, row, how.query)]
        if place is not None:
            kept = _sorted(kept, place, falling=how.descending)
        if kept and head is not None:
            heads.add(len(rows))
            rows.append(head)
        rows += kept
        if kept:
            breaks.add(len(rows) - 1)
    columns = table.columns
    if place is not None:
        titled = replace(columns[place], title=f"{columns[place].title} {DOWN if how.descending else UP}")
        columns = (*columns[:place], titled, *columns[place + 1 :])
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


def _sorted(rows: Sequence[_Row], place: int, *, falling: bool) -> list[_Row]:
    """Return rows by one of their entries: numbers, then words; what is not known stays last either way."""
    known = [row for row in rows if row[place].value is not None]
    worded = [row for row in rows if row[place].value is None and row[place].text.strip(" -")]
    rest = [row for row in rows if row[place].value is None and not row[place].text.strip(" -")]
    known.sort(key=lambda row: row[place].value or 0.0, reverse=falling)
    worded.sort(key=lambda row: row[place].text.strip().casefold(), reverse=falling)
    return [*known, *worded, *rest]


def _number(word: str) -> int | None:
    """Return the number of images that a word says: ``1000``, ``1,000``, ``1k``, ``N=1k``."""
    match = _COUNT.fullmatch(word)
    if match is None or len(match[1]) > _LONGEST_NUMBER:
        return None
    return int(re.sub("[,_]", "", match[1])) * _SCALES[match[2]]


def _cutoff_of(column: TableColumn, table: Table, index: int) -> int | None:
    """Return the number of images that a column is about, as its entries know; None for a column of another kind."""
    if not column.title.startswith("N="):
        return None
    cells = (row[index].cell for row in table.rows)
    return next((cell.cutoff for cell in cells if cell is not None), None)


def _with_columns(table: Table, words: str) -> Table:
    """Return a table with only those columns of numbers of images that were asked for, where that is what it has."""
    cutoffs = [_cutoff_of(column, table, index) for index, column in enumerate(table.columns)]
    wanted = {number for word in words.casefold().split() if (number := _number(word)) is not None}
    if not wanted or not any(cutoff in wanted for cutoff in cutoffs):
        return table
    kept = [index for index, cutoff in enumerate(cutoffs) if cutoff is None or cutoff in wanted]
    rows = tuple(tuple(row[index] for index in kept) for row in table.rows)
    return replace(table, columns=tuple(table.columns[index] for index in kept), rows=rows)


def _matches(table: Table, head: _Row | None, row: _Row, words: str) -> bool:
    cells = [entry.cell for entry in row if entry.cell is not None]
    counts = {cell.cutoff for cell in cells}
    told = [table.title, *(entry.text for entry in (*(head or ()), *row) if entry.value is None)]
    for cell in cells[:1]:
        told += [cell.spec, cell.operation, cell.cache or "", cell.sync or "", cell.dataset]
    text = " ".join(told).casefold()
    for word in words.casefold().split():
        number = _number(word)
        if number is not None and counts:
            if number not in counts:
                return False
        elif word not in text:
            return False
    return True


def view_text(how: TableView, shown: int, of: int) -> str:
    """Return what was left out and in which order the rest is, in a few words; nothing where all is as it was.

    Args:
        how: What was asked for.
        shown: Rows that are left.
        of: Rows there were.
    """
    return f"/{how.query}: {format_count_short(shown)} of {format_count_short(of)} rows" if how.query else ""
