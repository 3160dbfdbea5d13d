"""Builds the table of what object storage costs, by a price sheet."""

from __future__ import annotations

from imgstore_tui.analysis.prices import PriceSheet, costs
from imgstore_tui.core.model import Run
from imgstore_tui.core.units import amount_text, format_count
from imgstore_tui.present.tables.table_model import NOTHING, Table, TableColumn, TableEntry


def cost_table(run: Run, sheet: PriceSheet) -> Table:
    """Return the price of each method's requests and bytes; without a row where no requests were counted."""
    rows = [
        (
            TableEntry(format_count(cost.images), value=cost.images),
            TableEntry(cost.spec),
            _price(cost.write),
            _price(cost.read),
            _price(cost.random),
            _price(cost.month),
            _count(cost.write_requests),
            _count(cost.read_requests),
        )
        for cost in costs(run, sheet)
    ]
    columns = (
        TableColumn("images", grouped=True),
        TableColumn("method", right=False, wraps=True),
        TableColumn("write"),
        TableColumn("read"),
        TableColumn("at random"),
        TableColumn("a month"),
        TableColumn("requests to write", wide=True),
        TableColumn("to read", wide=True),
    )
    return Table(
        f"Cost in {sheet.currency}",
        columns,
        tuple(rows),
        f"All N images once, and kept for a month, at the prices of {sheet.service} as of {sheet.date} "
        f"({sheet.source}): {sheet.put_per_1000:g} for 1,000 requests that write, {sheet.get_per_1000:g} for 1,000 "
        f"that read, {sheet.gb_month:g} for a GB-month. What crosses the network is not in it.",
    )


def _price(value: float | None) -> TableEntry:
    return NOTHING if value is None else TableEntry(amount_text(value), value=value)


def _count(value: int | None) -> TableEntry:
    return NOTHING if value is None else TableEntry(format_count(value), value=value)
