"""Builds the table of a run at a glance: medians and disk use, a line per operation and method, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from imgstore_tui.core.units import format_bytes, format_count_short
from imgstore_tui.present.results import RunResults, spec_order
from imgstore_tui.present.tables.disk_use import weighed_stores
from imgstore_tui.present.tables.table_model import Emphasis, Table, TableColumn, TableEntry
from imgstore_tui.present.tables.timings import overview_tables
from imgstore_tui.present.text.captions import dataset_names

_EMPTY = TableEntry("")


def glance_tables(results: RunResults) -> list[Table]:
    """Return the medians of each operation, and the disk use below them.

    Returns:
        One table: its columns are numbers of images, or datasets at their most images where there are several.
    """
    tables = overview_tables(results)
    if not tables:
        return []
    if len(tables) > 1:
        return [_beside(results, tables)]
    (table,) = tables
    dataset = _dataset_of(table)
    cutoffs = sorted({summary.cell.cutoff for summary in results.summaries if summary.cell.dataset == dataset})
    return [_with_disk(results, table, [(dataset, cutoff) for cutoff in cutoffs])]


def _beside(results: RunResults, tables: list[Table]) -> Table:
    """Return the last columns of several tables beside each other: those of the most images."""
    names = dataset_names(results.run)
    columns = [
        (_dataset_of(table), max(entry.cell.cutoff for row in table.rows for entry in row if entry.cell is not None))
        for table in tables
    ]
    rows: dict[tuple[str, str], list[TableEntry]] = {}
    heading = ""
    for number, table in enumerate(tables):
        for index, (name, *times, access) in enumerate(table.rows):
            heading = name.text if index in table.heads else heading
            row = rows.setdefault((heading, name.text), [name, *(_EMPTY for _ in tables), access])
            # An operation that is of one image alone has its median in another column than the last.
            row[1 + number] = next((entry for entry in reversed(times) if entry.text), _EMPTY)
    first = tables[0]
    titles = [f"{names[dataset]} N={format_count_short(cutoff)}" for dataset, cutoff in columns]
    table = replace(
        first,
        title="Median time at the most images",
        columns=(first.columns[0], *map(TableColumn, titles), first.columns[-1]),
        rows=tuple(map(tuple, rows.values())),
        heads=frozenset(number for number, (heading, name) in enumerate(rows) if heading == name),
    )
    return _with_disk(results, table, columns)


def _with_disk(results: RunResults, table: Table, columns: list[tuple[str, int]]) -> Table:
    """Return a table with the disk use of every method below it, by dataset and number of images."""
    allocated = {
        (dataset, entry.cell.spec, entry.cell.cutoff): entry.disk.allocated_bytes
        for dataset in dict(columns)
        for entry in weighed_stores(results, dataset)
        if entry.disk is not None and entry.disk.allocated_bytes is not None
    }
    # The data stand among the facts; without space between its groups it is a page.
    title, caption = table.title, "Time of one use" + table.caption.partition("Time of one use")[2]
    rows, heads = table.rows, table.heads
    if allocated:
        title = title.replace("Median time", "Median time and disk use")
        heads |= {len(rows)}
        rows += ((TableEntry("on disk", Emphasis.QUIET), *(_EMPTY for _ in columns), _EMPTY),)
        rows += tuple(
            (TableEntry(f"  {spec}"), *(_size(allocated, dataset, spec, cutoff) for dataset, cutoff in columns), _EMPTY)
            for spec in sorted({spec for _, spec, _ in allocated}, key=spec_order(results.run))
        )
    return replace(table, title=title, rows=rows, caption=caption, breaks=frozenset(), heads=heads)


def _size(allocated: Mapping[tuple[str, str, int], int], dataset: str, spec: str, cutoff: int) -> TableEntry:
    size = allocated.get((dataset, spec, cutoff))
    return TableEntry("" if size is None else f"{format_bytes(size)}  ", value=size)


def _dataset_of(table: Table) -> str:
    return next(entry.cell.dataset for row in table.rows for entry in row if entry.cell is not None)
