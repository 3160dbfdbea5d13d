"""Builds the table of the article's systems: what it says of each, beside the figures of this run."""

from __future__ import annotations

from imgstore_tui.analysis.article.systems import SYSTEMS, ArticleSystem
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.units import format_bytes, format_count, format_seconds
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.table_model import NOTHING, Emphasis, Table, TableColumn, TableEntry

PLAN = "systems"
_OPERATIONS = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)


def systems_table(results: RunResults) -> Table:
    """Return the eleven systems with their figures at the most images, empty where the run is of another plan."""
    run = results.run
    title = "The systems of the article"
    if run.plan.name != PLAN:
        return Table(title, (), ())
    cutoff = max(run.plan.cutoffs)
    rows: list[tuple[TableEntry, ...]] = []
    for system in SYSTEMS:
        specs = [spec.label for spec in run.plan.specs if spec.backend == system.backend]
        rows += [
            (*_head(system), TableEntry(_product(results, system) or label), *_figures(results, label))
            for label in specs
        ]
        if not specs:
            hint = f"not measured; how to get it: imgstore-tui backends {system.backend}"
            rows.append((*_head(system), TableEntry(hint, Emphasis.QUIET), *[NOTHING] * 4))
    columns = (
        TableColumn("system", right=False), TableColumn("the article says", right=False, wraps=True),
        TableColumn("here", right=False, wraps=True), TableColumn("store"), TableColumn("read"),
        TableColumn("read shuffled"), TableColumn("disk"),
    )  # fmt: skip
    text = (
        f"Medians of {format_count(cutoff)} images; the tables of times say how sure they are and what is ranked. The "
        "article measured the first three. A server's name and version are as it gave them: an emulator says nothing "
        "of the service that it imitates, and an S3 API is not Amazon's."
    )
    return Table(title, columns, tuple(rows), text, frozenset(range(len(rows))))


def _head(system: ArticleSystem) -> tuple[TableEntry, TableEntry]:
    return TableEntry(system.name), TableEntry(system.words, Emphasis.QUIET)


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
    size = None if disk is None else disk.allocated_bytes or disk.apparent_bytes
    return (*map(_time, times), NOTHING if size is None else TableEntry(format_bytes(size)))


def _time(summary: CellSummary | None) -> TableEntry:
    if summary is None:
        return NOTHING
    if summary.interval is None:
        return TableEntry(summary.invalid_reason, Emphasis.BAD)
    return TableEntry(format_seconds(summary.seconds))
