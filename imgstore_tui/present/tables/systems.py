"""Builds the tables of the article's systems: the figures of this run, and what the article says of each."""

from __future__ import annotations

from imgstore_tui.analysis.article.systems import SYSTEMS, ArticleSystem
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.units import format_bytes, format_count, format_seconds
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.table_model import NOTHING, Emphasis, Table, TableColumn, TableEntry

PLAN = "systems"
OBJECTS = "+"
"""Stands behind a size that is the sum of the objects of a store."""
_OPERATIONS = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)


def systems_tables(results: RunResults) -> tuple[Table, ...]:
    """Return the eleven systems with their figures at the most images, and what the article says of them.

    Returns:
        No table where the run is of another plan.
    """
    return (_figures_table(results), _words_table()) if results.run.plan.name == PLAN else ()


def _words_table() -> Table:
    # A table of its own: in one with the figures a terminal of 80 columns leaves it a word a line.
    return Table(
        "What the article says of them",
        (TableColumn("system", right=False), TableColumn("the article says", right=False, wraps=True)),
        tuple((TableEntry(system.name), TableEntry(system.words)) for system in SYSTEMS),
    )


def _figures_table(results: RunResults) -> Table:
    run = results.run
    cutoff = max(run.plan.cutoffs)
    rows: list[tuple[TableEntry, ...]] = []
    for system in SYSTEMS:
        specs = [spec.label for spec in run.plan.specs if spec.backend == system.backend]
        rows += [
            (TableEntry(system.name), TableEntry(_product(results, system) or label), *_figures(results, label))
            for label in specs
        ]
        if not specs:
            hint = f"not measured; how to get it: imgstore-tui backends {system.backend}"
            rows.append((TableEntry(system.name), TableEntry(hint, Emphasis.QUIET), *[NOTHING] * 4))
    columns = (
        TableColumn("system", right=False), TableColumn("here", right=False, wraps=True), TableColumn("store"),
        TableColumn("read"), TableColumn("shuffled"), TableColumn("disk"),
    )  # fmt: skip
    text = (
        f"Medians of {format_count(cutoff)} images, stored, read in order and read shuffled; the tables of times say "
        "how sure they are and what is ranked. The article measured the first three. A server's name and version are "
        "as it gave them: an emulator says nothing of the service that it imitates, and an S3 API is not Amazon's. "
        f"{OBJECTS}: the sum of its objects, as no server says what they take on its disks."
    )
    return Table("The systems of the article", columns, tuple(rows), text)


def _product(results: RunResults, system: ArticleSystem) -> str:
    """Return product and version of the server that was measured, empty for what is no server."""
    for facts in results.run.environment.servers:
        if facts.backend == system.backend:
            return facts.label
    return ""


def _figures(results: RunResults, label: str) -> tuple[TableEntry, ...]:
    """Return the times of the operations at the most images, and the disk use."""
    first, cutoff = results.run.plan.datasets[0], max(results.run.plan.cutoffs)
    own = [
        entry
        for entry in results.summaries
        if entry.cell.spec == label and entry.cell.cutoff == cutoff and entry.cell.dataset == first
    ]
    times = [next((entry for entry in own if entry.cell.operation is operation), None) for operation in _OPERATIONS]
    disk = next((entry.disk for entry in own if entry.disk is not None), None)
    if disk is not None and disk.allocated_bytes is not None:
        size = TableEntry(f"{format_bytes(disk.allocated_bytes)} ")
    elif disk is not None and disk.apparent_bytes is not None:
        size = TableEntry(f"{format_bytes(disk.apparent_bytes)}{OBJECTS}")
    else:
        size = NOTHING
    return (*map(_time, times), size)


def _time(summary: CellSummary | None) -> TableEntry:
    if summary is None:
        return NOTHING
    if summary.interval is None:
        return TableEntry(summary.invalid_reason, Emphasis.BAD)
    return TableEntry(format_seconds(summary.seconds))
