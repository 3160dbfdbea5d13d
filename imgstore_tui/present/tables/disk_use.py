"""Builds the tables of disk use."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.units import format_bytes, format_count
from imgstore_tui.present.results import RunResults, group_summaries, spec_order
from imgstore_tui.present.tables.table_model import NOTHING, Emphasis, Table, TableColumn, TableEntry
from imgstore_tui.present.text.captions import dataset_clause, dataset_text


def disk_tables(results: RunResults) -> list[Table]:
    """Return the disk use of the stores: one table per dataset, one row per cutoff and spec."""
    tables = []
    order = spec_order(results.run)
    for group in group_summaries(results.summaries, "spec", "cutoff", "operation", "sync", "cache"):
        rows = []
        breaks = set()
        # The summaries come by operation; here the methods follow the plan, the source row first.
        entries = sorted(_weighed(group), key=lambda summary: (summary.cell.cutoff, order(summary.cell.spec)))
        lossy = any(entry.psnr_db is not None for entry in entries)
        for index, summary in enumerate(entries):
            if index + 1 == len(entries) or entries[index + 1].cell.cutoff != summary.cell.cutoff:
                breaks.add(index)
            rows.append(_disk_row(summary, entries, lossy=lossy))
        facts = {facts.text: facts for facts in results.run.datasets}
        dataset = group[0].cell.dataset
        tables.append(
            Table(
                ", ".join(filter(None, ("Disk use", dataset_clause(dataset, results.run)))),
                (
                    TableColumn("images", grouped=True),
                    TableColumn("method", right=False, wraps=True),
                    TableColumn("on disk"),
                    TableColumn("per image"),
                    TableColumn("size / raw pixels"),
                    TableColumn("files"),
                    *([TableColumn("PSNR")] if lossy else []),
                    TableColumn("length of files", wide=True),
                ),
                tuple(rows),
                f"Data: {dataset_text(facts.get(dataset), dataset)}. On disk: blocks held on "
                f"{results.run.environment.scratch_filesystem}, folders included, as du counts. Size / raw "
                "pixels: that over the bytes of the pixels. * least."
                + (" PSNR: how near a lossy codec comes to the pixels, more is nearer; - is exact." if lossy else "")
                + _servers_text(results, entries)
                + (f" {IN_PLACE}: your files alone, without their folders." if has_source(group) else ""),
                frozenset(breaks),
            )
        )
    return tables


def _servers_text(results: RunResults, entries: Sequence[CellSummary]) -> str:
    """Return who says what stores on servers take, and of which of them nobody does."""
    backends = {spec.label: spec.backend for spec in results.run.plan.specs}
    servers = {server.backend for server in results.run.environment.servers}
    known: dict[str, bool] = {}
    for entry in entries:
        backend = backends.get(entry.cell.spec, "")
        if backend in servers and entry.disk is not None:
            known[backend] = known.get(backend, False) or entry.disk.allocated_bytes is not None
    weighed = [backend for backend, is_known in known.items() if is_known]
    unknown = [backend for backend, is_known in known.items() if not is_known]
    return (f" {', '.join(weighed)}: as the server says." if weighed else "") + (
        f" {', '.join(unknown)}: unknown, because the server does not say it." if unknown else ""
    )


def weighed_stores(results: RunResults, dataset: str) -> list[CellSummary]:
    """Return one summary with its disk use for each method and number of images of a dataset."""
    return _weighed([summary for summary in results.summaries if summary.cell.dataset == dataset])


def _weighed(summaries: Sequence[CellSummary]) -> list[CellSummary]:
    weighed: dict[tuple[int, str], CellSummary] = {}
    for summary in summaries:
        if summary.disk is not None:
            weighed.setdefault((summary.cell.cutoff, summary.cell.spec), summary)
    return list(weighed.values())


def has_source(summaries: Sequence[CellSummary]) -> bool:
    """Return whether the source row (the user's files, read in place) is among the summaries."""
    return any(summary.cell.spec == IN_PLACE.label for summary in summaries)


def _disk_row(summary: CellSummary, entries: Sequence[CellSummary], *, lossy: bool) -> tuple[TableEntry, ...]:
    disk, cutoff = summary.disk, summary.cell.cutoff
    assert disk is not None  # noqa: S101 - only weighed cells come here
    rivals = [other.disk.allocated_bytes for other in entries if other.cell.cutoff == cutoff and other.disk]
    sizes = [size for size in rivals if size is not None]
    allocated, raw = disk.allocated_bytes, summary.store_pixel_bytes
    least = allocated is not None and len(sizes) > 1 and allocated == min(sizes)
    return (
        TableEntry(format_count(cutoff), value=cutoff),
        TableEntry(summary.cell.spec, cell=summary.cell),
        TableEntry("unknown", Emphasis.QUIET)
        if allocated is None
        else TableEntry(
            format_bytes(allocated) + (" *" if least else "  "), Emphasis.BEST if least else Emphasis.PLAIN, allocated
        ),
        NOTHING if allocated is None else TableEntry(format_bytes(allocated / cutoff), value=allocated / cutoff),
        NOTHING if allocated is None or not raw else TableEntry(f"{allocated / raw:,.2f}x", value=allocated / raw),
        NOTHING if disk.files is None else TableEntry(format_count(disk.files), value=disk.files),
        *(
            [NOTHING if summary.psnr_db is None else TableEntry(f"{summary.psnr_db:.1f} dB", value=summary.psnr_db)]
            if lossy
            else []
        ),
        TableEntry(format_bytes(disk.apparent_bytes), value=disk.apparent_bytes),
    )
