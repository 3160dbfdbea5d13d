"""A run as tables, no format chosen yet: overview, timings, disk use, the article's tables, failures, warnings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from imgstore_tui.analysis.summary import CellSummary, summarise
from imgstore_tui.analysis.verdict import Verdict, verdicts
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.units import format_bytes, format_count, format_count_short, format_rate, format_seconds
from imgstore_tui.present.rows import (
    Column,
    Entry,
    Mark,
    Table,
    by_contest,
    entry,
    interval_text,
    ratio_interval_text,
    ratio_text,
)
from imgstore_tui.present.words import caption, contest_words, dataset_words, fact_pairs, level_words
from imgstore_tui.stats.intervals import MIN_ROUNDS
from imgstore_tui.stats.ranking import Place

NOTHING = Entry("-", Mark.QUIET)


@dataclass(frozen=True, slots=True)
class Digest:
    """A run with all that was made of it, so that it is made once."""

    run: Run
    summaries: tuple[CellSummary, ...]
    verdicts: tuple[Verdict, ...]
    verdict_of: Mapping[Cell, Verdict]
    """Verdicts by contest."""


def digest(run: Run) -> Digest:
    """Summarise a run and judge its contests."""
    summaries = summarise(run)
    found = verdicts(summaries)
    return Digest(run, summaries, found, by_contest(found))


def all_tables(found: Digest) -> tuple[Table, ...]:
    """Return every table that has a row, in reading order."""
    tables = [
        facts_table(found.run),
        *overview_tables(found),
        *article_tables(found),
        *timing_tables(found),
        *disk_tables(found),
        failures_table(found),
        warnings_table(found),
    ]
    return tuple(table for table in tables if table.rows)


def facts_table(run: Run) -> Table:
    """Return what a reader must know before any number."""
    return Table(
        "What was measured",
        (Column("", right=False), Column("", right=False, wraps=True)),
        tuple((entry(name, Mark.QUIET), entry(value)) for name, value in fact_pairs(run)),
    )


def _groups(summaries: Iterable[CellSummary], *blank: str) -> list[list[CellSummary]]:
    """Gather summaries that differ in nothing but these fields of their cells, in order."""
    groups: dict[Cell, list[CellSummary]] = {}
    empty: dict[str, object] = {"spec": "", "cutoff": 0, "operation": Operation.WRITE_ONE, "sync": None, "cache": None}
    for summary in summaries:
        key = replace(summary.cell, **{name: empty[name] for name in blank})  # type: ignore[arg-type]
        groups.setdefault(key, []).append(summary)
    return list(groups.values())


def overview_tables(found: Digest) -> list[Table]:
    """Return medians at a glance: rows for the specs of each operation, a column for each cutoff."""
    tables = []
    for group in _groups(found.summaries, "spec", "cutoff", "operation", "sync", "cache"):
        cutoffs = sorted({summary.cell.cutoff for summary in group})
        rows: list[tuple[Entry, ...]] = []
        breaks = set()
        for operation in _groups(group, "spec", "cutoff"):
            cell = operation[0].cell
            heading = f"{cell.operation}, {level_words(cell)}"
            rows.append((entry(heading, Mark.QUIET), *(Entry("") for _ in cutoffs)))
            for spec in _groups(operation, "cutoff"):
                at = {summary.cell.cutoff: summary for summary in spec}
                rows.append(
                    (
                        entry(f"  {spec[0].cell.spec}"),
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
                f"Data: {dataset_words(facts.get(cell.dataset), cell.dataset)}. Seconds of one use, for all N images "
                "(one image for write-one and read-one). " + _legend(group, found),
                frozenset(breaks),
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
        return Entry("unverified" if summary.unverified else "failed", Mark.BAD)
    text = format_seconds(summary.seconds)
    if summary.failed or summary.skipped or summary.unverified:
        return Entry(f"{text} !", Mark.BAD)
    mark = _mark(summary, found)
    return Entry(text + {Mark.BEST: " *", Mark.TIE: " ="}.get(mark, "  "), mark)


def _mark(summary: CellSummary, found: Digest) -> Mark:
    verdict = found.verdict_of.get(summary.cell.contest)
    if verdict is None or summary.cell.spec not in verdict.best:
        return Mark.PLAIN
    return Mark.TIE if verdict.is_tie else Mark.BEST


def timing_tables(found: Digest) -> list[Table]:
    """Return one table an operation and level: a row for each cutoff and spec."""
    columns = (
        Column("images"),
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
    return [_timing_table(found, group, columns) for group in _groups(found.summaries, "spec", "cutoff")]


def _timing_table(found: Digest, group: Sequence[CellSummary], columns: tuple[Column, ...]) -> Table:
    rows = []
    breaks = set()
    for index, summary in enumerate(group):
        following = group[index + 1].cell.cutoff if index + 1 < len(group) else None
        if following != summary.cell.cutoff:
            breaks.add(index)
        first = index == 0 or group[index - 1].cell.cutoff != summary.cell.cutoff
        rows.append((entry(format_count(summary.cell.cutoff) if first else ""), *_timing_row(summary, found)))
    cell = group[0].cell
    told = f"{cell.operation}: {cell.operation.describe}."
    return Table(
        contest_words(cell, found.run), columns, tuple(rows), caption(found.run, group, told=told), frozenset(breaks)
    )


def _timing_row(summary: CellSummary, found: Digest) -> tuple[Entry, ...]:
    name = entry(summary.cell.spec)
    rounds = entry(f"{summary.ok} of {summary.trials}" if summary.ok != summary.trials else str(summary.ok))
    if summary.interval is None:
        word = "unverified" if summary.unverified else "failed"
        return (name, Entry(word, Mark.BAD), *[NOTHING] * 8, rounds)
    against, ratio = _against(summary, found)
    mark = _mark(summary, found)
    return (
        name,
        Entry(format_seconds(summary.seconds), mark),
        Entry(interval_text(summary.interval)),
        Entry(format_rate(summary.images_per_s)),
        against,
        ratio,
        Entry(format_seconds(summary.seconds_per_image)),
        NOTHING if summary.pixel_bytes_per_s is None else Entry(f"{format_bytes(summary.pixel_bytes_per_s)}/s"),
        Entry(format_seconds(summary.cpu_s)),
        Entry(format_bytes(summary.peak_private_bytes)),
        rounds,
    )


def _against(summary: CellSummary, found: Digest) -> tuple[Entry, Entry]:
    """Return how a cell stands to the best of its contest, and the interval of that ratio."""
    verdict = found.verdict_of.get(summary.cell.contest)
    standing = verdict.standing(summary.cell.spec) if verdict else None
    if verdict is None or standing is None:
        return Entry("not ranked", Mark.BAD if summary.failed or summary.unverified else Mark.QUIET), NOTHING
    if standing.place is Place.BEST:
        return (Entry("tie 1.00x", Mark.TIE) if verdict.is_tie else Entry("best", Mark.BEST)), NOTHING
    if standing.ratio is None:
        return NOTHING, NOTHING
    ratio, interval = ratio_text(standing.ratio), Entry(ratio_interval_text(standing.ratio))
    if standing.place is Place.TIE:
        return Entry(f"tie {ratio}", Mark.TIE), interval
    if standing.place is Place.NONE:
        if len(verdict.standings) == 1:
            return NOTHING, NOTHING
        base = standing.ratio.low == standing.ratio.high == 1.0
        return Entry(f"({ratio})", Mark.QUIET), NOTHING if base else interval
    return Entry(ratio), interval


def disk_tables(found: Digest) -> list[Table]:
    """Return what the stores weigh: a row for each cutoff and spec, one table a dataset."""
    tables = []
    for group in _groups(found.summaries, "spec", "cutoff", "operation", "sync", "cache"):
        weighed: dict[tuple[int, str], CellSummary] = {}
        for summary in group:
            if summary.disk is not None:
                key = (summary.cell.cutoff, summary.cell.spec)
                if key not in weighed or summary.cell.operation is Operation.WRITE_MANY:
                    weighed.setdefault(key, summary)
        rows = []
        breaks = set()
        entries = sorted(weighed.values(), key=lambda summary: summary.cell.cutoff)
        for index, summary in enumerate(entries):
            first = index == 0 or entries[index - 1].cell.cutoff != summary.cell.cutoff
            if index + 1 == len(entries) or entries[index + 1].cell.cutoff != summary.cell.cutoff:
                breaks.add(index)
            rows.append(_disk_row(summary, entries, first=first))
        facts = {facts.text: facts for facts in found.run.datasets}
        dataset = group[0].cell.dataset
        tables.append(
            Table(
                "Disk use" + (f", {dataset}" if len(found.run.plan.datasets) > 1 else ""),
                (
                    Column("images"),
                    Column("method", right=False, wraps=True),
                    Column("on disk"),
                    Column("an image"),
                    Column("of raw pixels"),
                    Column("files"),
                    Column("length of files", wide=True),
                ),
                tuple(rows),
                f"Data: {dataset_words(facts.get(dataset), dataset)}. On disk: blocks held on "
                f"{found.run.environment.scratch_filesystem}, folders included, as du counts. Of raw pixels: that over "
                "the bytes of the bare pixels. * least.",
                frozenset(breaks),
            )
        )
    return tables


def _disk_row(summary: CellSummary, entries: Sequence[CellSummary], *, first: bool) -> tuple[Entry, ...]:
    disk, cutoff = summary.disk, summary.cell.cutoff
    assert disk is not None  # noqa: S101 - only weighed cells come here
    rivals = [other.disk.allocated_bytes for other in entries if other.cell.cutoff == cutoff and other.disk]
    known = [bytes_ for bytes_ in rivals if bytes_ is not None]
    allocated, raw = disk.allocated_bytes, summary.store_pixel_bytes
    least = allocated is not None and len(known) > 1 and allocated == min(known)
    return (
        entry(format_count(cutoff) if first else ""),
        entry(summary.cell.spec),
        Entry("unknown", Mark.QUIET)
        if allocated is None
        else Entry(format_bytes(allocated) + (" *" if least else "  "), Mark.BEST if least else Mark.PLAIN),
        Entry(format_bytes(None if allocated is None else allocated / cutoff)),
        NOTHING if allocated is None or not raw else Entry(f"{allocated / raw:,.2f}x"),
        NOTHING if disk.files is None else Entry(format_count(disk.files)),
        Entry(format_bytes(disk.apparent_bytes)),
    )


def article_tables(found: Digest) -> list[Table]:
    """Return the article's two tables: to store one image (time, disk use), to read one image (time)."""
    tables = []
    for operation, title in ((Operation.WRITE_ONE, "Store one image"), (Operation.READ_ONE, "Read one image")):
        ones = [entry for entry in found.summaries if entry.cell.operation is operation and entry.cell.cutoff == 1]
        for group in _groups(ones, "spec"):
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
                    entry(summary.cell.spec),
                    *_timing_row(summary, found)[1:3],
                    *((Entry(format_bytes(summary.disk.allocated_bytes if summary.disk else None)),) if writes else ()),
                    _against(summary, found)[0],
                )
                for summary in group
            )
            cell = group[0].cell
            title_words = f"{title} and its label, {level_words(cell)}"
            if len(found.run.plan.datasets) > 1:
                title_words += f", {cell.dataset}"
            tables.append(Table(title_words, columns, rows, caption(found.run, group)))
    return tables


def failures_table(found: Digest) -> Table:
    """Return what did not count, and why."""
    rows = tuple(
        (
            entry(summary.cell.spec),
            entry(f"{summary.cell.operation} {summary.cell.cache or summary.cell.sync or ''}".strip()),
            entry(format_count(summary.cell.cutoff)),
            entry(f"{trials} of {summary.trials}", Mark.BAD),
            entry(reason),
        )
        for summary in found.summaries
        for reason, trials in summary.reasons
    )
    columns = (
        Column("method", right=False, wraps=True),
        Column("operation", right=False),
        Column("images"),
        Column("trials"),
        Column("reason", right=False, wraps=True),
    )
    return Table("Failures", columns, rows, "What is listed here is never ranked." if rows else "")


def warnings_table(found: Digest) -> Table:
    """Return what speaks against some of the numbers, and what to do about it."""
    seen: dict[tuple[str, str], list[CellSummary]] = {}
    for summary in found.summaries:
        for warning in summary.warnings:
            seen.setdefault((warning.kind.value, warning.advice), []).append(summary)
        for note in summary.notes:
            seen.setdefault(("note", note), []).append(summary)
    rows = [(entry("run"), entry(text), Entry("all")) for text in found.run.warnings]
    for (kind, advice), where in seen.items():
        texts = [w.text for summary in where for w in summary.warnings if (w.kind.value, w.advice) == (kind, advice)]
        told = f"{texts[0]} {advice}" if texts else advice
        rows.append((entry(kind), entry(told), entry(_where(where))))
    columns = (
        Column("sign", right=False),
        Column("what was seen, and what to do", right=False, wraps=True),
        Column("where", right=False, wraps=True),
    )
    return Table("Warnings", columns, tuple(rows))


def _where(summaries: Sequence[CellSummary]) -> str:
    shown = [
        f"{entry.cell.spec} {entry.cell.operation} {format_count_short(entry.cell.cutoff)}" for entry in summaries[:3]
    ]
    more = len(summaries) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def verdict_lines(found: Digest) -> list[str]:
    """Return every contest's verdict as a line of harmless text."""
    lines = []
    for verdict in found.verdicts:
        words = contest_words(verdict.contest, found.run)
        line = f"{words}, {format_count(verdict.contest.cutoff)} images: {verdict.describe()}"
        for spec, why in verdict.left_out:
            line += f" Left out: {spec} ({why})."
        lines.append(entry(line).text)
    return lines
