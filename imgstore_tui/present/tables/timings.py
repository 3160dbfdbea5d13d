"""Tables of times: at a glance, in full, and as the article has them."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.units import format_bytes, format_count, format_count_short, format_rate, format_seconds
from imgstore_tui.present.results import Digest, groups, spec_order
from imgstore_tui.present.tables.table_model import (
    NOTHING,
    Column,
    Entry,
    Mark,
    Table,
    interval_text,
    ratio_interval_text,
    ratio_text,
)
from imgstore_tui.present.text.captions import caption, contest_words, dataset_words, level_words
from imgstore_tui.stats.intervals import MIN_ROUNDS
from imgstore_tui.stats.ranking import Placement


def overview_tables(found: Digest) -> list[Table]:
    """Return medians at a glance: rows for the specs of each operation, a column for each cutoff."""
    order = spec_order(found.run)
    tables = []
    for group in groups(found.summaries, "spec", "cutoff", "operation", "sync", "cache"):
        cutoffs = sorted({summary.cell.cutoff for summary in group})
        rows: list[tuple[Entry, ...]] = []
        breaks, heads = set(), set()
        for operation in groups(group, "spec", "cutoff"):
            cell = operation[0].cell
            heading = f"{cell.operation}, {level_words(cell)}"
            heads.add(len(rows))
            rows.append((Entry(heading, Mark.QUIET), *(Entry("") for _ in cutoffs)))
            # A method that has not come to the smallest cutoff yet must not lose its place.
            for spec in sorted(groups(operation, "cutoff"), key=lambda group: order(group[0].cell.spec)):
                at = {summary.cell.cutoff: summary for summary in spec}
                rows.append(
                    (
                        Entry(f"  {spec[0].cell.spec}", cell=spec[-1].cell),
                        *(_glance(at[cutoff], found) if cutoff in at else Entry("") for cutoff in cutoffs),
                    )
                )
            breaks.add(len(rows) - 1)
        cell = group[0].cell
        title = "Median time" + (f", {cell.dataset}" if len(found.run.plan.datasets) > 1 else "")
        facts = {facts.text: facts for facts in found.run.datasets}
        tables.append(
            Table(
                title,
                (
                    Column("method", right=False, wraps=True),
                    *(Column(f"N={format_count_short(cutoff)}") for cutoff in cutoffs),
                ),
                tuple(rows),
                f"Data: {dataset_words(facts.get(cell.dataset), cell.dataset)}. Time of one use, for all N images "
                "(one image for write-one and read-one). " + _legend(group, found),
                frozenset(breaks),
                frozenset(heads),
            )
        )
    return tables


def _legend(group: Sequence[CellSummary], found: Digest) -> str:
    judged = [found.verdict_of[summary.cell.contest] for summary in group]
    if any(verdict.best for verdict in judged):
        return "* fastest, = cannot be told apart from the fastest."
    return f"Nothing is marked as fastest: a verdict needs {MIN_ROUNDS} verified rounds of two methods."


def _glance(summary: CellSummary, found: Digest) -> Entry:
    if summary.interval is None:
        return Entry(summary.lack, Mark.BAD, cell=summary.cell)
    text = format_seconds(summary.seconds)
    if summary.failed or summary.skipped or summary.unverified:
        return Entry(f"{text} !", Mark.BAD, summary.seconds, summary.cell)
    mark = _mark(summary, found)
    return Entry(text + {Mark.BEST: " *", Mark.TIE: " ="}.get(mark, "  "), mark, summary.seconds, summary.cell)


def _mark(summary: CellSummary, found: Digest) -> Mark:
    verdict = found.verdict_of.get(summary.cell.contest)
    if verdict is None or summary.cell.spec not in verdict.best:
        return Mark.PLAIN
    return Mark.TIE if verdict.is_tie else Mark.BEST


def timing_tables(found: Digest) -> list[Table]:
    """Return one table an operation and level: a row for each cutoff and spec."""
    columns = (
        Column("images", grouped=True),
        Column("method", right=False, wraps=True),
        Column("median"),
        Column("interval"),
        Column("images/s"),
        Column("against best", right=False),
        Column("ratio from-to", wide=True),
        Column("an image", wide=True),
        Column("pixels/s", wide=True),
        Column("CPU", wide=True),
        Column("memory", wide=True),
        Column("rounds", wide=True),
    )
    return [_timing_table(found, group, columns) for group in groups(found.summaries, "spec", "cutoff")]


def _timing_table(found: Digest, group: Sequence[CellSummary], columns: tuple[Column, ...]) -> Table:
    rows = []
    breaks = set()
    for index, summary in enumerate(group):
        following = group[index + 1].cell.cutoff if index + 1 < len(group) else None
        if following != summary.cell.cutoff:
            breaks.add(index)
        count = Entry(format_count(summary.cell.cutoff), value=summary.cell.cutoff)
        rows.append((count, *timing_entries(summary, found)))
    cell = group[0].cell
    told = f"{cell.operation}: {cell.operation.describe}."
    return Table(
        contest_words(cell, found.run), columns, tuple(rows), caption(found.run, group, told=told), frozenset(breaks)
    )


def timing_entries(summary: CellSummary, found: Digest) -> tuple[Entry, ...]:
    """Return method, median, interval and the rest of a row of a table of times."""
    name = Entry(summary.cell.spec, cell=summary.cell)
    counted = f"{summary.ok} of {summary.trials}" if summary.ok != summary.trials else str(summary.ok)
    rounds = Entry(counted, value=summary.ok)
    if summary.interval is None:
        return (name, Entry(summary.lack, Mark.BAD), *[NOTHING] * 8, rounds)
    against, ratio = standing_entries(summary, found)
    mark = _mark(summary, found)
    return (
        name,
        Entry(format_seconds(summary.seconds), mark, summary.seconds),
        Entry(interval_text(summary.interval), value=summary.interval.low),
        Entry(format_rate(summary.images_per_s), value=summary.images_per_s),
        against,
        ratio,
        Entry(format_seconds(summary.seconds_per_image), value=summary.seconds_per_image),
        pixel_rate_entry(summary),
        Entry(format_seconds(summary.cpu_s), value=summary.cpu_s),
        Entry(format_bytes(summary.peak_private_bytes), value=summary.peak_private_bytes),
        rounds,
    )


def allocated_entry(summary: CellSummary) -> Entry:
    """Return what a cell's store weighs on disk."""
    allocated = None if summary.disk is None else summary.disk.allocated_bytes
    return Entry(format_bytes(allocated), value=allocated)


def pixel_rate_entry(summary: CellSummary) -> Entry:
    """Return how many bytes of pixels a second a cell handles."""
    rate = summary.pixel_bytes_per_s
    return NOTHING if rate is None else Entry(f"{format_bytes(rate)}/s", value=rate)


def standing_entries(summary: CellSummary, found: Digest) -> tuple[Entry, Entry]:
    """Return how a cell stands to the best of its contest, and the interval of that ratio."""
    verdict = found.verdict_of.get(summary.cell.contest)
    standing = verdict.standing(summary.cell.spec) if verdict else None
    if verdict is None or standing is None:
        return Entry("not ranked", Mark.BAD if summary.failed or summary.unverified else Mark.QUIET), NOTHING
    if standing.placement is Placement.BEST:
        if not verdict.is_tie:
            return Entry("best", Mark.BEST, 1.0), NOTHING
        return Entry(f"{'tie' if verdict.alike else 'unsure'} 1.00x", Mark.TIE, 1.0), NOTHING
    if standing.ratio is None:
        return NOTHING, NOTHING
    ratio, value = ratio_text(standing.ratio), standing.ratio.median
    interval = Entry(ratio_interval_text(standing.ratio), value=standing.ratio.low)
    if standing.placement is Placement.TIE:
        # A wide interval that holds 1 is noise, not likeness, and the word should not say otherwise.
        return Entry(f"{'tie' if standing.is_near else 'unsure'} {ratio}", Mark.TIE, value), interval
    if standing.placement is Placement.NONE:
        if len(verdict.standings) == 1:
            return NOTHING, NOTHING
        base = standing.ratio.low == standing.ratio.high == 1.0
        return Entry(f"({ratio})", Mark.QUIET, value), NOTHING if base else interval
    return Entry(ratio, value=value), interval


def article_tables(found: Digest) -> list[Table]:
    """Return the article's two tables: to store one image (time, disk use), to read one image (time)."""
    tables = []
    for operation, title in ((Operation.WRITE_ONE, "Store one image"), (Operation.READ_ONE, "Read one image")):
        ones = [entry for entry in found.summaries if entry.cell.operation is operation and entry.cell.cutoff == 1]
        for group in groups(ones, "spec"):
            writes = operation is Operation.WRITE_ONE
            columns = (
                Column("method", right=False, wraps=True),
                Column("time"),
                Column("interval"),
                *((Column("disk used"),) if writes else ()),
                Column("against best", right=False),
            )
            rows = tuple(
                (
                    *timing_entries(summary, found)[:3],
                    *((allocated_entry(summary),) if writes else ()),
                    standing_entries(summary, found)[0],
                )
                for summary in group
            )
            cell = group[0].cell
            title_words = f"{title} and its label, {level_words(cell)}"
            if len(found.run.plan.datasets) > 1:
                title_words += f", {cell.dataset}"
            tables.append(Table(title_words, columns, rows, caption(found.run, group)))
    return tables
