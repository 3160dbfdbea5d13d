"""Builds the tables of times: an overview of medians, full tables, and those of the article."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.bench.plan.grid import run_cells
from imgstore_tui.bench.plan.looks import rounds_for_first_verdicts
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.units import format_bytes, format_count, format_count_short, format_rate, format_seconds
from imgstore_tui.present.results import RunResults, group_summaries, spec_order
from imgstore_tui.present.tables.table_model import (
    NOTHING,
    Emphasis,
    Table,
    TableColumn,
    TableEntry,
    interval_text,
    ratio_interval_text,
    ratio_text,
)
from imgstore_tui.present.text.access import access_text
from imgstore_tui.present.text.captions import (
    caption,
    contest_title,
    dataset_clause,
    dataset_text,
    level_text,
    levels_text,
)
from imgstore_tui.stats.ranking import Placement


def overview_tables(results: RunResults) -> list[Table]:
    """Return overviews of medians: a row for each operation and spec, a column for each cutoff."""
    order = spec_order(results.run)
    tables = []
    for group in group_summaries(results.summaries, "spec", "cutoff", "operation", "sync", "cache"):
        cutoffs = sorted({summary.cell.cutoff for summary in group})
        rows: list[tuple[TableEntry, ...]] = []
        breaks, heads = set(), set()
        for operation in group_summaries(group, "spec", "cutoff"):
            cell = operation[0].cell
            heading = f"{cell.operation}, {level_text(cell)}"
            heads.add(len(rows))
            rows.append((TableEntry(heading, Emphasis.QUIET), *(TableEntry("") for _ in (None, *cutoffs))))
            # A method without the smallest cutoff yet must keep its position.
            for spec in sorted(group_summaries(operation, "cutoff"), key=lambda group: order(group[0].cell.spec)):
                at = {summary.cell.cutoff: summary for summary in spec}
                rows.append(
                    (
                        TableEntry(f"  {spec[0].cell.spec}", cell=spec[-1].cell),
                        *(_glance(at[cutoff], results) if cutoff in at else TableEntry("") for cutoff in cutoffs),
                        TableEntry(access_text(spec)),
                    )
                )
            breaks.add(len(rows) - 1)
        cell = group[0].cell
        title = ", ".join(filter(None, ("Median time", dataset_clause(cell.dataset, results.run))))
        facts = {facts.text: facts for facts in results.run.datasets}
        tables.append(
            Table(
                title,
                (
                    TableColumn("method", right=False, wraps=True),
                    *(TableColumn(f"N={format_count_short(cutoff)}") for cutoff in cutoffs),
                    TableColumn("access", right=False),
                ),
                tuple(rows),
                f"Data: {dataset_text(facts.get(cell.dataset), cell.dataset)}. Time of one use, for all N images "
                f"(one image for write-one and read-one). {levels_text(entry.cell for entry in group)} "
                + _legend(group, results),
                frozenset(breaks),
                frozenset(heads),
            )
        )
    return tables


def _legend(group: Sequence[CellSummary], results: RunResults) -> str:
    judged = [results.verdict_of[summary.cell.contest] for summary in group]
    if any(verdict.best for verdict in judged):
        return "* fastest, = tie with the fastest, or too close to call."
    needed = rounds_for_first_verdicts(results.run.plan, run_cells(results.run))
    return f"Nothing is marked as fastest: a verdict needs {needed} verified rounds of two methods."


def _glance(summary: CellSummary, results: RunResults) -> TableEntry:
    if summary.interval is None:
        return TableEntry(summary.invalid_reason, Emphasis.BAD, cell=summary.cell)
    text = format_seconds(summary.seconds)
    if summary.failed or summary.skipped or summary.unverified:
        return TableEntry(f"{text} !", Emphasis.BAD, summary.seconds, summary.cell)
    emphasis = _emphasis(summary, results)
    return TableEntry(
        text + {Emphasis.BEST: " *", Emphasis.TIE: " ="}.get(emphasis, "  "), emphasis, summary.seconds, summary.cell
    )


def _emphasis(summary: CellSummary, results: RunResults) -> Emphasis:
    verdict = results.verdict_of.get(summary.cell.contest)
    if verdict is None or summary.cell.spec not in verdict.best:
        return Emphasis.PLAIN
    return Emphasis.TIE if verdict.is_tie else Emphasis.BEST


def timing_tables(results: RunResults) -> list[Table]:
    """Return one table per operation and level: a row for each cutoff and spec."""
    columns = (
        TableColumn("images", grouped=True),
        TableColumn("method", right=False, wraps=True),
        TableColumn("median"),
        TableColumn("interval"),
        TableColumn("images/s"),
        TableColumn("against best", right=False),
        TableColumn("ratio from-to", wide=True),
        TableColumn("per image", wide=True),
        TableColumn("pixels/s", wide=True),
        TableColumn("CPU", wide=True),
        TableColumn("memory", wide=True),
        TableColumn("rounds", wide=True),
        TableColumn("access", right=False),
    )
    return [_timing_table(results, group, columns) for group in group_summaries(results.summaries, "spec", "cutoff")]


def _timing_table(results: RunResults, group: Sequence[CellSummary], columns: tuple[TableColumn, ...]) -> Table:
    rows = []
    breaks = set()
    for index, summary in enumerate(group):
        following = group[index + 1].cell.cutoff if index + 1 < len(group) else None
        if following != summary.cell.cutoff:
            breaks.add(index)
        count = TableEntry(format_count(summary.cell.cutoff), value=summary.cell.cutoff)
        rows.append((count, *timing_entries(summary, results)))
    cell = group[0].cell
    description = f"{cell.operation}: {cell.operation.describe}."
    standings = " ".join(entry.text for row in rows for entry in row if entry.text.endswith(("x =", "x ?")))
    signs = [f"{sign} {meaning}" for sign, meaning in (("=", "tie"), ("?", "not decided")) if sign in standings]
    description += f" Against best: {', '.join(signs)}." if signs else ""
    return Table(
        contest_title(cell, results.run),
        columns,
        tuple(rows),
        caption(results.run, group, description=description),
        frozenset(breaks),
    )


def timing_entries(summary: CellSummary, results: RunResults) -> tuple[TableEntry, ...]:
    """Return the row of a cell in a table of times, from the method on."""
    name = TableEntry(summary.cell.spec, cell=summary.cell)
    counted = f"{summary.ok} of {summary.trials}" if summary.ok != summary.trials else str(summary.ok)
    rounds = TableEntry(counted, value=summary.ok)
    if summary.interval is None:
        invalid = TableEntry(summary.invalid_reason, Emphasis.BAD)
        return (name, invalid, *[NOTHING] * 8, rounds, access_entry(summary))
    against, ratio = standing_entries(summary, results)
    emphasis = _emphasis(summary, results)
    return (
        name,
        TableEntry(format_seconds(summary.seconds), emphasis, summary.seconds),
        TableEntry(interval_text(summary.interval), value=summary.interval.low),
        TableEntry(format_rate(summary.images_per_s), value=summary.images_per_s),
        against,
        ratio,
        TableEntry(format_seconds(summary.seconds_per_image), value=summary.seconds_per_image),
        pixel_rate_entry(summary),
        TableEntry(format_seconds(summary.cpu_s), value=summary.cpu_s),
        TableEntry(format_bytes(summary.peak_private_bytes), value=summary.peak_private_bytes),
        rounds,
        access_entry(summary),
    )


def access_entry(summary: CellSummary) -> TableEntry:
    """Return who reads or writes the bytes of a cell's store, in a word."""
    return TableEntry(access_text([summary]))


def allocated_entry(summary: CellSummary) -> TableEntry:
    """Return the allocated bytes of a cell's store."""
    allocated = None if summary.disk is None else summary.disk.allocated_bytes
    return TableEntry(format_bytes(allocated), value=allocated)


def pixel_rate_entry(summary: CellSummary) -> TableEntry:
    """Return the bytes of pixels that a cell handles per second."""
    rate = summary.pixel_bytes_per_s
    return NOTHING if rate is None else TableEntry(f"{format_bytes(rate)}/s", value=rate)


def standing_entries(summary: CellSummary, results: RunResults) -> tuple[TableEntry, TableEntry]:
    """Return the ratio of a cell to the best of its contest, and the interval of that ratio."""
    verdict = results.verdict_of.get(summary.cell.contest)
    standing = verdict.standing(summary.cell.spec) if verdict else None
    if verdict is None or standing is None:
        return TableEntry(
            "not ranked", Emphasis.BAD if summary.failed or summary.unverified else Emphasis.QUIET
        ), NOTHING
    if standing.placement is Placement.BEST:
        if not verdict.is_tie:
            return TableEntry("best", Emphasis.BEST, 1.0), NOTHING
        return TableEntry(f"1.00x {'=' if verdict.alike else '?'}", Emphasis.TIE, 1.0), NOTHING
    if standing.ratio is None:
        return NOTHING, NOTHING
    ratio, value = ratio_text(standing.ratio), standing.ratio.median
    interval = TableEntry(ratio_interval_text(standing.ratio), value=standing.ratio.low)
    if standing.placement is Placement.TIE:
        # A wide interval that contains 1 is noise, not equality, and must not be called a tie.
        return TableEntry(f"{ratio} {'=' if standing.is_near else '?'}", Emphasis.TIE, value), interval
    if standing.placement is Placement.NONE:
        if len(verdict.standings) == 1:
            return NOTHING, NOTHING
        base = standing.ratio.low == standing.ratio.high == 1.0
        return TableEntry(f"{ratio} ?", Emphasis.QUIET, value), NOTHING if base else interval
    return TableEntry(ratio, value=value), interval


def one_image_tables(results: RunResults) -> list[Table]:
    """Return the tables of storing one image (time, disk use) and of reading one image (time)."""
    tables = []
    for operation, title in ((Operation.WRITE_ONE, "Store one image"), (Operation.READ_ONE, "Read one image")):
        ones = [entry for entry in results.summaries if entry.cell.operation is operation and entry.cell.cutoff == 1]
        for group in group_summaries(ones, "spec"):
            writes = operation is Operation.WRITE_ONE
            columns = (
                TableColumn("method", right=False, wraps=True),
                TableColumn("time"),
                TableColumn("interval"),
                *((TableColumn("disk used"),) if writes else ()),
                TableColumn("against best", right=False),
                TableColumn("access", right=False),
            )
            rows = tuple(
                (
                    *timing_entries(summary, results)[:3],
                    *((allocated_entry(summary),) if writes else ()),
                    standing_entries(summary, results)[0],
                    access_entry(summary),
                )
                for summary in group
            )
            cell = group[0].cell
            full_title = f"{title} and its label, {level_text(cell)}"
            if data := dataset_clause(cell.dataset, results.run):
                full_title += f", {data}"
            tables.append(Table(full_title, columns, rows, caption(results.run, group)))
    return tables
