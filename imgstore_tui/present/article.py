"""Reports a run of the article's experiment: its tables and figures in its order, then its claims one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from imgstore_tui.analysis.article.claims import check_claims
from imgstore_tui.analysis.article.evidence import ClaimResult
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.units import format_bytes, format_count, format_seconds
from imgstore_tui.present.charts.axes import LINEAR, LOG, Scales
from imgstore_tui.present.charts.chart_list import Chart, chart_levels, run_charts
from imgstore_tui.present.charts.figures import ChartKind, make_figure
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.table_model import NOTHING, Emphasis, Table, TableColumn, TableEntry, interval_text
from imgstore_tui.present.tables.timings import standing_entries, timing_entries
from imgstore_tui.present.text.captions import dataset_text, interval_caption, setting_text
from imgstore_tui.present.text.shared_options import short_table

PLAN = "article"
ARTICLE_STORE = {"disk": (1.915e-3, 8 * 1024), "lmdb": (1.203e-3, 32 * 1024), "hdf5": (8.243e-3, 8 * 1024)}
"""Seconds to store one image and its label, and bytes on disk, as the article prints them, by backend."""
ARTICLE_READ = {"disk": 1.61970e-3, "lmdb": 4.52063e-3, "hdf5": 1.98036e-3}
"""Seconds to read one image and its label."""
PUBLISHED = {"lmdb": SyncLevel.END}
"""LMDB commits with a sync in the article; the others leave it to the system."""
_LEVEL = TableColumn("level", right=False, grouped=True)
_METHOD = TableColumn("method", right=False, wraps=True)
_MARKS = {
    ClaimResult.HOLDS: Emphasis.BEST, ClaimResult.PARTLY: Emphasis.TIE, ClaimResult.FAILS: Emphasis.BAD,
    ClaimResult.OPEN: Emphasis.PLAIN, ClaimResult.UNMEASURED: Emphasis.QUIET,
}  # fmt: skip


def is_article(run: Run) -> bool:
    """Return whether a run is the article's experiment."""
    return run.plan.name == PLAN and bool(run.plan.datasets)


def article_report(results: RunResults) -> tuple[Table | Chart, ...]:
    """Return the article's eight items in its order, the table as published, and its claims.

    Empty where the run is not the article's experiment.
    """
    if not is_article(results.run):
        return ()
    items: tuple[Table | Chart, ...] = (
        _store_table(results),
        *_figures(results, ChartKind.WRITE, "2. ", "3. "),
        _read_table(results),
        *_figures(results, ChartKind.READ, "5. ", "6. "),
        *_figures(results, ChartKind.BOTH, "", "7. "),
        *_figures(results, ChartKind.DISK, "", "8. "),
        _published_table(results),
        claims_table(results),
    )
    plan = results.run.plan
    return tuple(
        short_table(item, plan) if isinstance(item, Table) else item
        for item in items
        if not isinstance(item, Table) or item.rows
    )


def article_report_tables(results: RunResults) -> tuple[Table, ...]:
    """Return the tables of the report alone, for formats without figures and for summaries."""
    return tuple(item for item in article_report(results) if isinstance(item, Table))


def further_charts(results: RunResults, *, scales: Scales = LOG) -> tuple[Chart, ...]:
    """Return the charts of a run that its article report does not show: all of them where there is no report."""
    if not is_article(results.run):
        return run_charts(results, scales=scales)
    reported = (ChartKind.WRITE, ChartKind.READ, ChartKind.BOTH, ChartKind.DISK)
    return run_charts(results, scales=scales, skipped=reported)


def _figures(results: RunResults, kind: ChartKind, linear: str, log: str) -> Iterator[Chart]:
    """Yield a chart of the first dataset at each level: on linear axes, then on log axes, where each has a heading."""
    own = [entry for entry in results.summaries if entry.cell.dataset == results.run.plan.datasets[0]]
    for heading, scales in ((linear, LINEAR), (log, LOG)):
        for sync, cache in chart_levels(results.run, kind) if heading else ():
            yield Chart(make_figure(own, kind, sync=sync, cache=cache), scales, heading)


def _one_image(results: RunResults, operation: Operation) -> list[CellSummary]:
    """Return the summaries of an operation on one image of the first dataset."""
    first = results.run.plan.datasets[0]
    return [
        entry
        for entry in results.summaries
        if entry.cell.operation is operation and entry.cell.cutoff == 1 and entry.cell.dataset == first
    ]


def _backend_of(results: RunResults, summary: CellSummary) -> str:
    return next((spec.backend for spec in results.run.plan.specs if spec.label == summary.cell.spec), "")


def _store_table(results: RunResults) -> Table:
    rows, one_image = [], _one_image(results, Operation.WRITE_ONE)
    for summary in one_image:
        seconds, size = ARTICLE_STORE.get(_backend_of(results, summary), (None, None))
        rows.append((
            TableEntry(f"{summary.cell.sync}"),
            *timing_entries(summary, results)[:3],
            TableEntry(format_bytes(summary.disk.allocated_bytes if summary.disk else None)),
            standing_entries(summary, results)[0],
            _quiet_entry(format_seconds(seconds)),
            _quiet_entry(format_bytes(size)),
        ))  # fmt: skip
    columns = (
        replace(_LEVEL, title="sync"), _METHOD, TableColumn("time"), TableColumn("interval", wide=True),
        TableColumn("disk"), TableColumn("against best", right=False), TableColumn("article's time"),
        TableColumn("its disk"),
    )  # fmt: skip
    return _table("1. Store one image and its label", columns, rows, results, one_image)


def _read_table(results: RunResults) -> Table:
    one_image = _one_image(results, Operation.READ_ONE)
    rows = [
        (
            TableEntry(f"{summary.cell.cache}"),
            *timing_entries(summary, results)[:3],
            standing_entries(summary, results)[0],
            _quiet_entry(format_seconds(ARTICLE_READ.get(_backend_of(results, summary)))),
        )
        for summary in one_image
    ]
    columns = (
        replace(_LEVEL, title="cache"), _METHOD, TableColumn("time"), TableColumn("interval"),
        TableColumn("against best", right=False), TableColumn("article's time"),
    )  # fmt: skip
    return _table("4. Read one image and its label", columns, rows, results, one_image)


def _quiet_entry(text: str) -> TableEntry:
    return TableEntry(text, Emphasis.QUIET)


def _table(
    title: str,
    columns: tuple[TableColumn, ...],
    rows: list[tuple[TableEntry, ...]],
    results: RunResults,
    one_image: Sequence[CellSummary],
) -> Table:
    if not one_image:
        return Table(title, columns, ())
    clock, name = one_image[0].cell.operation.describe, one_image[0].cell.dataset
    facts = next((entry for entry in results.run.datasets if entry.text == name), None)
    intervals = interval_caption(one_image)
    text = (
        f"Data: {dataset_text(facts, name)}.{_substitute_text(results.run)} {clock[:1].upper()}{clock[1:]}; "
        f"{setting_text(one_image[0].cell)}. {intervals[:1].upper()}{intervals[1:]}. "
        "The article timed each once, on another machine."
    )
    breaks = frozenset(index for index in range(len(rows) - 1) if rows[index][0] != rows[index + 1][0])
    return Table(title, columns, tuple(rows), text, breaks)


def _substitute_text(run: Run) -> str:
    """Return a sentence where other images stand in for CIFAR-10."""
    name = run.plan.datasets[0]
    return "" if name.startswith("cifar10") else " These are other images than the article's, which are CIFAR-10."


def _published_table(results: RunResults) -> Table:
    """Return each method at the sync level of the article: numbers that are not ranked."""
    first = results.run.plan.datasets[0]
    cells = {
        (entry.cell.operation, entry.cell.cutoff, entry.cell.spec, entry.cell.sync): entry
        for entry in reversed(results.summaries)
        if entry.cell.dataset == first
    }
    rows: list[tuple[TableEntry, ...]] = []
    breaks = set()
    for cutoff in results.run.plan.cutoffs:
        for spec in results.run.plan.specs:
            level = PUBLISHED.get(spec.backend, SyncLevel.BUFFERED)
            store = cells.get((Operation.WRITE_ONE if cutoff == 1 else Operation.WRITE_MANY, cutoff, spec.label, level))
            read = cells.get((Operation.READ_ONE if cutoff == 1 else Operation.READ_MANY, cutoff, spec.label, None))
            if store is not None or read is not None:
                shown = (*_time_entries(store), *_time_entries(read))
                rows.append((TableEntry(format_count(cutoff)), TableEntry(spec.label), TableEntry(f"{level}"), *shown))
        breaks.add(len(rows) - 1)
    columns = (
        TableColumn("images", grouped=True), _METHOD, TableColumn("sync", right=False),
        TableColumn("store"), TableColumn("interval", wide=True),
        TableColumn("read"), TableColumn("interval", wide=True),
    )  # fmt: skip
    text = (
        "Not ranked: as in the article, LMDB forces what it writes to the device and the others do not. "
        "One image: create or open, one image, close. More: all of them."
    )
    return Table("As published", columns, tuple(rows), text, frozenset(breaks))


def _time_entries(summary: CellSummary | None) -> tuple[TableEntry, TableEntry]:
    if summary is None:
        return NOTHING, NOTHING
    if summary.interval is None:
        return TableEntry(summary.invalid_reason, Emphasis.BAD), NOTHING
    return TableEntry(format_seconds(summary.seconds)), TableEntry(interval_text(summary.interval))


def claims_table(results: RunResults, *, brief: bool = False) -> Table:
    """Return the article's claims, the result of each in this run, and the numbers behind it.

    Args:
        results: The results of the run.
        brief: Whether only claims and results are in it, without rules and numbers.
    """
    all_judged = check_claims(results.run, results.summaries)
    rows = tuple(
        (
            TableEntry(f"{judged.claim.text} ({judged.claim.rule})."),
            TableEntry(judged.result.words, _MARKS[judged.result]),
            TableEntry(judged.text),
        )
        for judged in all_judged
    )
    columns = (
        TableColumn("the article says", right=False, wraps=True),
        TableColumn("here", right=False, wraps=True),
        TableColumn("because", right=False, wraps=True),
    )
    if brief:
        claims = tuple(
            (TableEntry(f"{judged.claim.text}."), entry) for judged, (_, entry, _) in zip(all_judged, rows, strict=True)
        )
        return Table("What the article says", columns[:2], claims)
    text = (
        "Judged by this run's medians and intervals alone, on this machine. A over B: how many times as long A takes, "
        "paired by round, with its interval. With fewer than six rounds, or an interval across the bound, it is too "
        "close to call."
    )
    return Table("What the article says", columns, rows, text, frozenset(range(len(rows))))


def claim_rows(results: RunResults) -> list[dict[str, object]]:
    """Return the claims as JSON values; empty where the run is not the article's experiment."""
    if not is_article(results.run):
        return []
    return [
        {
            "key": judged.claim.key,
            "claim": judged.claim.text,
            "rule": judged.claim.rule,
            "finding": judged.result.value,
            "parts": [{"finding": case.result.value, "words": case.text} for case in judged.cases],
        }
        for judged in check_claims(results.run, results.summaries)
    ]
