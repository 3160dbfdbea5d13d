"""Each storage method with its own words beside its numbers: when to choose it, what to mind, what was measured."""

from __future__ import annotations

from imgstore_tui.analysis.method_notes import MethodResult, MethodSummary, summarise_methods
from imgstore_tui.core.units import counted, format_bytes, format_seconds
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.table_model import Table, TableColumn, TableEntry, ratio_interval_text, ratio_text
from imgstore_tui.stats.ranking import Placement


def method_summaries(found: RunResults) -> tuple[MethodSummary, ...]:
    """Return a note on every storage method of a run that was measured."""
    return summarise_methods(found.run, found.summaries, found.verdicts)


def measured_lines(note: MethodSummary) -> list[str]:
    """Return what was measured for a method, a line an operation and level, then what its store weighs."""
    lines = [_showing(showing) for showing in note.results]
    weighed = note.largest_store
    if weighed is not None and weighed.disk is not None and weighed.disk.allocated_bytes is not None:
        size, raw = weighed.disk.allocated_bytes, weighed.store_pixel_bytes
        share = f", {size / raw:,.2f}x the bare pixels" if raw else ""
        files = "" if weighed.disk.files is None else f" in {counted(weighed.disk.files, 'file')}"
        lines.append(f"disk, {counted(weighed.cell.cutoff, 'image')}: {format_bytes(size)}{files}{share}")
    return lines


def _showing(showing: MethodResult) -> str:
    summary = showing.summary
    cell = summary.cell
    level = f" {cell.cache or cell.sync}" if cell.cache or cell.sync else ""
    head = f"{cell.operation}{level}, {counted(cell.cutoff, 'image')}"
    if summary.interval is None:
        return f"{head}: {summary.invalid_reason}"
    return f"{head}: {format_seconds(summary.seconds)}{_place(showing)}"


def _place(showing: MethodResult) -> str:
    standing = showing.standing
    if standing is None:
        return ", not ranked"
    if showing.competitors < 2:
        return ""
    if standing.placement is Placement.NONE:
        return ", no verdict"
    if standing.placement is Placement.SLOWER and standing.ratio is not None:
        return f", {ratio_text(standing.ratio)} ({ratio_interval_text(standing.ratio)}) as long as {showing.best[0]}"
    if len(showing.best) > 1:
        others = [name for name in showing.best if name != standing.name]
        return f", not told apart from {', '.join(others)}"
    return f", the fastest of {showing.competitors}"


def claim_lines(note: MethodSummary) -> list[tuple[str, str, str]]:
    """Return what the article says of a method, what became of it here, and why."""
    return [(judged.claim.text, str(judged.result), judged.text) for judged in note.claims]


def methods_table(found: RunResults) -> Table:
    """Return every method with its own words and its numbers beside them."""
    rows = tuple(
        (
            TableEntry(note.spec.label),
            TableEntry(f"{note.title}. {note.when_to_choose}"),
            TableEntry(note.caveats),
            TableEntry("; ".join(measured_lines(note))),
        )
        for note in method_summaries(found)
    )
    columns = (
        TableColumn("method", right=False, wraps=True),
        TableColumn("when to choose it", right=False, wraps=True),
        TableColumn("what to mind", right=False, wraps=True),
        TableColumn("measured here", right=False, wraps=True),
    )
    told = "The words are general and its maker's; the numbers are this run's, at the most images of each operation."
    return Table("Storage methods", columns, rows, told if rows else "", frozenset(range(len(rows))))
