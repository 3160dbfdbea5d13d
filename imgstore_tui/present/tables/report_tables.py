"""A run as tables, no format chosen yet: what was measured, times, disk use, failures, warnings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Run
from imgstore_tui.core.units import format_count, format_count_short
from imgstore_tui.present.article import article_report_tables, is_article
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.disk_use import disk_tables
from imgstore_tui.present.tables.table_model import Emphasis, Table, TableColumn, TableEntry
from imgstore_tui.present.tables.timings import one_image_tables, overview_tables, timing_tables
from imgstore_tui.present.text.captions import fact_pairs
from imgstore_tui.present.text.methods import measured_lines, method_summaries

MOST_LEFT_OUT = 100
"""Of each dataset's files that cannot take part, so many are shown."""

_NUMBER = re.compile(r"\d[\d.,]*")


def all_tables(found: RunResults) -> tuple[Table, ...]:
    """Return every table that has a row, in reading order."""
    tables = (
        facts_table(found.run),
        *article_report_tables(found),
        *further_tables(found),
    )
    return tuple(table for table in tables if table.rows)


def further_tables(found: RunResults) -> tuple[Table, ...]:
    """Return every table but the facts and those of a report, which may stand elsewhere with its figures."""
    tables = (
        *overview_tables(found),
        *(() if is_article(found.run) else one_image_tables(found)),
        *timing_tables(found),
        *disk_tables(found),
        failures_table(found),
        warnings_table(found),
        left_out_table(found.run),
        methods_table(found),
    )
    return tuple(table for table in tables if table.rows)


def brief_tables(found: RunResults) -> tuple[Table, ...]:
    """Return the tables that fit on a screen or two: medians at a glance, disk use, what went wrong."""
    tables = (
        facts_table(found.run),
        *article_report_tables(found),
        *overview_tables(found),
        *disk_tables(found),
        failures_table(found),
        warnings_table(found),
    )
    return tuple(table for table in tables if table.rows)


def facts_table(run: Run) -> Table:
    """Return what a reader must know before any number."""
    return Table(
        "What was measured",
        (TableColumn("", right=False), TableColumn("", right=False, wraps=True)),
        tuple((TableEntry(name, Emphasis.QUIET), TableEntry(value)) for name, value in fact_pairs(run)),
    )


def failures_table(found: RunResults) -> Table:
    """Return what did not count, and why."""
    rows = tuple(
        (
            TableEntry(summary.cell.spec, cell=summary.cell),
            TableEntry(f"{summary.cell.operation} {summary.cell.cache or summary.cell.sync or ''}".strip()),
            TableEntry(format_count(summary.cell.cutoff), value=summary.cell.cutoff),
            TableEntry(f"{trials} of {summary.trials}", Emphasis.BAD, trials),
            TableEntry(reason),
        )
        for summary in found.summaries
        for reason, trials in summary.reasons
    )
    columns = (
        TableColumn("method", right=False, wraps=True),
        TableColumn("operation", right=False),
        TableColumn("images"),
        TableColumn("trials"),
        TableColumn("reason", right=False, wraps=True),
    )
    return Table("Failures", columns, rows, "What is listed here is never ranked." if rows else "")


def left_out_table(run: Run) -> Table:
    """Return the files that cannot take part, and why; of very many the first."""
    rows = []
    more = 0
    for facts in run.datasets:
        rows += [(TableEntry(name), TableEntry(reason)) for name, reason in facts.excluded[:MOST_LEFT_OUT]]
        more += facts.excluded_count - min(len(facts.excluded), MOST_LEFT_OUT)
    columns = (TableColumn("file", right=False, wraps=True), TableColumn("reason", right=False, wraps=True))
    told = f"And {format_count(more)} more; the JSON export has up to 1,000." if more else ""
    return Table("Files left out", columns, tuple(rows), told)


def warnings_table(found: RunResults) -> Table:
    """Return what speaks against some of the numbers, and what to do about it."""
    seen: dict[tuple[str, str], list[CellSummary]] = {}
    first_notes: dict[tuple[str, str], str] = {}
    for summary in found.summaries:
        for warning in summary.warnings:
            seen.setdefault((warning.kind.value, warning.advice), []).append(summary)
        for note in summary.notes:
            # Notes that differ in their numbers only are one sign; the first stands for all.
            key = ("note", _NUMBER.sub("0", note))
            first_notes.setdefault(key, note)
            seen.setdefault(key, []).append(summary)
    rows = [(TableEntry("run"), TableEntry(text), TableEntry("all")) for text in found.run.warnings]
    for (kind, advice), where in seen.items():
        texts = [w.text for summary in where for w in summary.warnings if (w.kind.value, w.advice) == (kind, advice)]
        told = f"{texts[0]} {advice}" if texts else first_notes[kind, advice]
        rows.append((TableEntry(kind), TableEntry(told), TableEntry(_where(where))))
    columns = (
        TableColumn("sign", right=False),
        TableColumn("what was seen", right=False, wraps=True),
        TableColumn("where", right=False, wraps=True),
    )
    return Table("Warnings", columns, tuple(rows))


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


def _where(summaries: Sequence[CellSummary]) -> str:
    summaries = list(dict.fromkeys(summaries))
    shown = [
        f"{entry.cell.spec} {entry.cell.operation} {format_count_short(entry.cell.cutoff)}" for entry in summaries[:3]
    ]
    more = len(summaries) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
