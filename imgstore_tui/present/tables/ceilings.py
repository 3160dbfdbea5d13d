"""Builds the tables of ceilings: what the machine does without a storage method, and how far each result is from it."""

from __future__ import annotations

from imgstore_tui.analysis.ceilings import CeilingRate, Headroom, ceiling_rates, headrooms
from imgstore_tui.core.model import Run
from imgstore_tui.core.units import counted, format_bytes, format_number, format_percent, format_rate, format_seconds
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.table_model import NOTHING, Emphasis, Table, TableColumn, TableEntry
from imgstore_tui.present.text.captions import level_text

RATES = "Ceilings of this machine"
SHARES = "Storage, codec and ceiling"


def ceiling_tables(results: RunResults) -> tuple[Table, ...]:
    """Return both tables, one of each per dataset; those without a row are left out."""
    if not results.run.ceilings:
        return ()
    datasets = results.run.plan.datasets
    tables = [table for data in datasets for table in (headroom_table(results, data), rate_table(results.run, data))]
    return tuple(table for table in tables if table.rows)


def headroom_table(results: RunResults, dataset: str) -> Table:
    """Return the shares of every result at the most images of a dataset, and its distance from the ceiling."""
    own = [entry for entry in headrooms(results.run, results.summaries) if entry.row.dataset == dataset]
    most = max((entry.row.cutoff for entry in own), default=0)
    own = [entry for entry in own if entry.row.cutoff == most]
    own.sort(key=lambda entry: (list(type(entry.row.operation)).index(entry.row.operation), level_text(entry.row)))
    data = f" of {dataset}" if len(results.run.plan.datasets) > 1 else ""
    return Table(
        f"{SHARES}, {counted(most, 'image')}{data}",
        (
            TableColumn("operation", right=False, grouped=True),
            TableColumn("method", right=False, wraps=True),
            TableColumn("time"),
            TableColumn("storage"),
            TableColumn("codec alone"),
            TableColumn("plain file"),
            TableColumn("times the ceiling"),
        ),
        tuple(map(_headroom_row, own)),
        "Storage: its share of the time, from the phases of the trials; ~ where these cannot be told apart: what the "
        "codec alone takes was left out. Ceiling: the codec alone and a plain file as large as the store, together. "
        "Times the ceiling: 1 cannot be beaten by much; below 1 the store is mapped or takes fewer calls.",
    )


def _headroom_row(entry: Headroom) -> tuple[TableEntry, ...]:
    distance = entry.distance
    return (
        TableEntry(f"{entry.row.operation} {level_text(entry.row)}"),
        TableEntry(entry.row.spec, cell=entry.row),
        TableEntry(format_seconds(entry.seconds), value=entry.seconds),
        TableEntry(f"{'' if entry.is_measured else '~'}{format_percent(entry.storage)}", value=entry.storage),
        TableEntry(format_seconds(entry.codec_s), value=entry.codec_s) if entry.codec_s else NOTHING,
        NOTHING if entry.file_s is None else TableEntry(format_seconds(entry.file_s), value=entry.file_s),
        NOTHING if distance is None else TableEntry(f"{format_number(distance)}x", value=distance),
    )


def rate_table(run: Run, dataset: str) -> Table:
    """Return the ceilings of a dataset: what was done without a storage method, and how fast."""
    rows = tuple(_rate_row(rate) for rate in ceiling_rates(run) if rate.dataset == dataset)
    data = f", {dataset}" if len(run.plan.datasets) > 1 else ""
    return Table(
        f"{RATES}{data}",
        (
            TableColumn("what", right=False, wraps=True),
            TableColumn("level", right=False),
            TableColumn("bytes/s"),
            TableColumn("low-high"),
            TableColumn("images/s"),
        ),
        rows,
        "Measured in rounds of this run, in processes of their own, with the run's own images on its file system. "
        "No storage method: never ranked. Bytes of pixels; those of the file where it is one.",
    )


def _rate_row(rate: CeilingRate) -> tuple[TableEntry, ...]:
    options = ",".join(f"{name}={value}" for name, value in rate.codec_options.items())
    codec = f" ({rate.codec}{f': {options}' if options else ''})" if rate.codec else ""
    head = TableEntry(f"{rate.kind.describe}{codec}"), TableEntry(str(rate.cache or rate.sync or ""))
    speed, images = rate.bytes_per_s, rate.images_per_s
    if speed is None:
        return (*head, TableEntry(rate.reason, Emphasis.QUIET), NOTHING, NOTHING)
    return (
        *head,
        TableEntry(f"{format_bytes(speed.median)}/s", value=speed.median),
        TableEntry(f"{format_bytes(speed.low)}-{format_bytes(speed.high)}"),
        NOTHING if images is None else TableEntry(format_rate(images.median), value=images.median),
    )
