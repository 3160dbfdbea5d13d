"""Builds all tables of a run in reading order, for any format: facts, times, disk use, failures, warnings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Run
from imgstore_tui.core.units import format_count, format_count_short
from imgstore_tui.present.article import article_report_tables, claims_table, is_article
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.ceilings import ceiling_tables
from imgstore_tui.present.tables.clients import client_tables, client_warning_rows, figures_tables
from imgstore_tui.present.tables.disk_use import disk_tables
from imgstore_tui.present.tables.glance import glance_tables
from imgstore_tui.present.tables.systems import systems_tables
from imgstore_tui.present.tables.table_model import Emphasis, Table, TableColumn, TableEntry
from imgstore_tui.present.tables.timings import one_image_tables, overview_tables, timing_tables
from imgstore_tui.present.text.about_numbers import TITLE as ABOUT
from imgstore_tui.present.text.about_numbers import about_pairs
from imgstore_tui.present.text.captions import fact_pairs, sign_word
from imgstore_tui.present.text.methods import measured_lines, method_summaries
from imgstore_tui.present.text.shared_options import short_table

MOST_LEFT_OUT = 100
"""Most files that are shown of those a dataset leaves out."""

_MAIN_FACTS = frozenset({"Data", "Machine", "Server", "Plan", "Run"})
"""The facts without which a page of numbers says nothing; the others stand with all tables."""
_NUMBER = re.compile(r"\d[\d.,]*")


def all_tables(results: RunResults) -> tuple[Table, ...]:
    """Return every table that has a row, in reading order."""
    tables = (
        facts_table(results.run),
        *article_report_tables(results),
        *further_tables(results),
    )
    return _shown(tables, results)


def further_tables(results: RunResults) -> tuple[Table, ...]:
    """Return every table but the facts and those of the article report, which may be shown with its figures."""
    tables = (
        *overview_tables(results),
        *systems_tables(results),
        *(() if is_article(results.run) else one_image_tables(results)),
        *timing_tables(results),
        *disk_tables(results),
        *client_tables(results),
        *ceiling_tables(results),
        failures_table(results),
        warnings_table(results),
        left_out_table(results.run),
        about_table(results),
        methods_table(results),
    )
    return _shown(tables, results)


def answer_tables(results: RunResults) -> tuple[Table, ...]:
    """Return the tables of a page that ends in the answer: main facts, medians with disk use, claims, failures."""
    facts = facts_table(results.run)
    main = tuple(row for row in facts.rows if row[0].text in _MAIN_FACTS)
    tables = (
        replace(facts, rows=main),
        *(() if systems_tables(results) else glance_tables(results)),
        *systems_tables(results)[:1],
        *([claims_table(results, brief=True)] if is_article(results.run) else []),
        *figures_tables(results),
        failures_table(results),
    )
    return _shown(tables, results)


def _shown(tables: Sequence[Table], results: RunResults) -> tuple[Table, ...]:
    return tuple(short_table(table, results.run.plan) for table in tables if table.rows)


def facts_table(run: Run) -> Table:
    """Return the facts a reader must know before any number: data, machine, software, plan."""
    return Table(
        "What was measured",
        (TableColumn("", right=False), TableColumn("", right=False, wraps=True)),
        tuple((TableEntry(name, Emphasis.QUIET), TableEntry(value)) for name, value in fact_pairs(run)),
    )


def about_table(results: RunResults) -> Table:
    """Return how the numbers came about, what proves them, and what they hold for."""
    return Table(
        ABOUT,
        (TableColumn("topic", right=False), TableColumn("what was done and seen", right=False, wraps=True)),
        tuple((TableEntry(name, Emphasis.QUIET), TableEntry(text)) for name, text in about_pairs(results)),
    )


def failures_table(results: RunResults) -> Table:
    """Return the trials that do not count, and why."""
    rows = tuple(
        (
            TableEntry(summary.cell.spec, cell=summary.cell),
            TableEntry(f"{summary.cell.operation} {summary.cell.cache or summary.cell.sync or ''}".strip()),
            TableEntry(format_count(summary.cell.cutoff), value=summary.cell.cutoff),
            TableEntry(f"{trials} of {summary.trials}", Emphasis.BAD, trials),
            TableEntry(reason),
        )
        for summary in results.summaries
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
    """Return the files that datasets leave out, and why; at most ``MOST_LEFT_OUT`` per dataset."""
    rows = []
    more = 0
    for facts in run.datasets:
        rows += [(TableEntry(name), TableEntry(reason)) for name, reason in facts.excluded[:MOST_LEFT_OUT]]
        more += facts.excluded_count - min(len(facts.excluded), MOST_LEFT_OUT)
    columns = (TableColumn("file", right=False, wraps=True), TableColumn("reason", right=False, wraps=True))
    caption = f"And {format_count(more)} more; the JSON export has up to 1,000." if more else ""
    return Table("Files left out", columns, tuple(rows), caption)


def warnings_table(results: RunResults) -> Table:
    """Return the signs of noise and other warnings, where they were seen, and what to do about them."""
    seen: dict[tuple[str, str], list[CellSummary]] = {}
    note_texts: dict[tuple[str, str], str] = {}
    for summary in results.summaries:
        for warning in summary.warnings:
            seen.setdefault((warning.kind.value, warning.advice), []).append(summary)
        for note in summary.notes:
            # Notes that differ only in their numbers are one sign; the first stands for all.
            key = ("note", _NUMBER.sub("0", note))
            note_texts.setdefault(key, note)
            seen.setdefault(key, []).append(summary)
    rows = [(TableEntry("run"), TableEntry(text), TableEntry("all")) for text in results.run.warnings]
    rows += client_warning_rows(results.run)
    for (kind, advice), cells in seen.items():
        texts = [w.text for summary in cells for w in summary.warnings if (w.kind.value, w.advice) == (kind, advice)]
        text = f"{texts[0]} {advice}" if texts else note_texts[kind, advice]
        rows.append((TableEntry(sign_word(kind)), TableEntry(text), TableEntry(_cells_text(cells))))
    columns = (
        TableColumn("sign", right=False),
        TableColumn("what was seen", right=False, wraps=True),
        TableColumn("where", right=False, wraps=True),
    )
    return Table("Warnings", columns, tuple(rows))


def methods_table(results: RunResults) -> Table:
    """Return every method with its description and its numbers."""
    rows = tuple(
        (
            TableEntry(method.spec.label),
            TableEntry(f"{method.title}. {method.when_to_choose}"),
            TableEntry(method.caveats),
            TableEntry("; ".join(measured_lines(method))),
        )
        for method in method_summaries(results)
    )
    columns = (
        TableColumn("method", right=False, wraps=True),
        TableColumn("good for", right=False, wraps=True),
        TableColumn("caution", right=False, wraps=True),
        TableColumn("measured here", right=False, wraps=True),
    )
    legend = "The words are general and its maker's; the numbers are this run's, at the most images of each operation."
    return Table("Storage methods", columns, rows, legend if rows else "", frozenset(range(len(rows))))


def _cells_text(summaries: Sequence[CellSummary]) -> str:
    summaries = list(dict.fromkeys(summaries))
    shown = [
        f"{entry.cell.spec} {entry.cell.operation} {format_count_short(entry.cell.cutoff)}" for entry in summaries[:3]
    ]
    more = len(summaries) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
