"""Builds the ranking at one number of images: every contest, its methods in order, each with all its costs."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.units import counted, format_bytes, format_count, format_rate, format_seconds
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.table_model import (
    NOTHING,
    Emphasis,
    Table,
    TableColumn,
    TableEntry,
    interval_text,
    ratio_text,
)
from imgstore_tui.present.tables.timings import access_entry, allocated_entry, pixel_rate_entry, standing_entries
from imgstore_tui.present.text.captions import dataset_clause, setting_text
from imgstore_tui.stats.ranking import Placement

_BAR = 8
"""Columns of the bar of the slowest."""


def measured_cutoffs(results: RunResults) -> tuple[int, ...]:
    """Return the numbers of images at which anything was measured, ascending."""
    return tuple(sorted({summary.cell.cutoff for summary in results.summaries}))


def ranking_table(results: RunResults, cutoff: int | None = None) -> Table:
    """Return every contest at one number of images, fastest method first.

    Args:
        results: The run.
        cutoff: Number of images; None for the largest measured.
    """
    cutoffs = measured_cutoffs(results)
    if cutoff is None or cutoff not in cutoffs:
        cutoff = cutoffs[-1] if cutoffs else 0
    contests: dict[object, list[CellSummary]] = {}
    for summary in results.summaries:
        if summary.cell.cutoff == cutoff:
            contests.setdefault(summary.cell.contest, []).append(summary)
    rows: list[tuple[TableEntry, ...]] = []
    breaks, heads = set(), set()
    for entries in contests.values():
        heads.add(len(rows))
        cell = entries[0].cell
        head = f"{cell.operation} {cell.cache or cell.sync or ''}"
        data = dataset_clause(cell.dataset, results.run)
        head += f", {data}" if data else ""
        rows.append((TableEntry(""), TableEntry(head, Emphasis.QUIET), *[TableEntry("")] * (len(_COLUMNS) - 2)))
        rows += _contest_rows(results, entries)
        breaks.add(len(rows) - 1)
    title = f"Ranking at {counted(cutoff, 'image')}"
    if not rows:
        return Table(title, _COLUMNS, ())
    first = next(iter(contests.values()))[0].cell
    legend = (
        f"{setting_text(first).capitalize()}. By median: = tie with the first or too close to call, ? no verdict, "
        "- not ranked. The ratio is to the first, the bar as long as the median. Disk: space the store takes."
    )
    return Table(title, _COLUMNS, tuple(rows), legend, frozenset(breaks), frozenset(heads))


_COLUMNS = (
    TableColumn("#"),
    TableColumn("method", right=False, wraps=True),
    TableColumn("median"),
    TableColumn("interval"),
    TableColumn("ratio"),
    TableColumn("", right=False),
    TableColumn("images/s", wide=True),
    TableColumn("pixels/s", wide=True),
    TableColumn("memory", wide=True),
    TableColumn("disk", wide=True),
    TableColumn("access", right=False),
)


def _contest_rows(results: RunResults, entries: Sequence[CellSummary]) -> list[tuple[TableEntry, ...]]:
    slowest = max((entry.seconds for entry in entries if entry.seconds is not None), default=0.0)
    order = sorted(entries, key=lambda entry: (_placement(results, entry) is None, entry.seconds or float("inf")))
    return [_row(results, entry, number, slowest) for number, entry in enumerate(order, 1)]


def _placement(results: RunResults, summary: CellSummary) -> Placement | None:
    verdict = results.verdict_of.get(summary.cell.contest)
    standing = None if verdict is None else verdict.standing(summary.cell.spec)
    return None if standing is None else standing.placement


def _row(results: RunResults, summary: CellSummary, number: int, slowest: float) -> tuple[TableEntry, ...]:
    placement = _placement(results, summary)
    verdict = results.verdict_of.get(summary.cell.contest)
    tied = verdict is not None and verdict.is_tie and summary.cell.spec in verdict.best
    sign = "-" if placement is None else "?" if placement is Placement.NONE else "=" if tied else f"{number}."
    by_placement = {Placement.BEST: Emphasis.BEST, None: Emphasis.QUIET}
    emphasis = Emphasis.TIE if tied else by_placement.get(placement, Emphasis.PLAIN)
    against, _ = standing_entries(summary, results)
    standing = verdict.standing(summary.cell.spec) if verdict is not None else None
    if tied and standing is not None and standing.ratio is not None:
        # The sign at the left already shows that it cannot be told apart.
        against = TableEntry(ratio_text(standing.ratio), emphasis, standing.ratio.median)
    name = TableEntry(summary.cell.spec, emphasis, cell=summary.cell)
    if summary.interval is None or summary.seconds is None:
        reason, unranked = TableEntry(summary.invalid_reason, Emphasis.BAD), TableEntry("not ranked", Emphasis.BAD)
        none = [NOTHING] * 5
        return (TableEntry("-", Emphasis.QUIET), name, reason, NOTHING, unranked, *none, access_entry(summary))
    length = summary.seconds / slowest * _BAR if slowest else 0.0
    bar = "█" * int(length) + ("▌" if length % 1 >= 0.5 or length < 1 else "")
    return (
        TableEntry(sign, emphasis, number),
        name,
        TableEntry(format_seconds(summary.seconds), emphasis, summary.seconds),
        TableEntry(interval_text(summary.interval), value=summary.interval.low),
        against,
        TableEntry(bar, Emphasis.QUIET, summary.seconds),
        TableEntry(format_rate(summary.images_per_s), value=summary.images_per_s),
        pixel_rate_entry(summary),
        TableEntry(format_bytes(summary.peak_private_bytes), value=summary.peak_private_bytes),
        allocated_entry(summary),
        access_entry(summary),
    )


def cutoff_text(cutoff: int | None, cutoffs: Sequence[int]) -> str:
    """Return the number of images that is shown, and the keys that change it: ``N=1,000, [ ]: other``."""
    if len(cutoffs) < 2:
        return ""
    return f"{'all N' if cutoff is None else f'N={format_count(cutoff)}'}, [ ]: other"


def next_cutoff(cutoff: int | None, cutoffs: Sequence[int], step: int) -> int | None:
    """Return the number of images shown after this one, in a cycle: all, then each measured one.

    Args:
        cutoff: The present one; None for all.
        cutoffs: All that were measured, ascending.
        step: 1 for the next larger, -1 for the next smaller.
    """
    choices: list[int | None] = [None, *cutoffs]
    position = choices.index(cutoff) if cutoff in choices else 0
    return choices[(position + step) % len(choices)]
