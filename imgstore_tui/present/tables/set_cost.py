"""Builds the table of what the whole set costs in an object store."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.analysis.prices import PriceSheet
from imgstore_tui.analysis.set_costs import SetCost
from imgstore_tui.core.units import counted, format_bytes, format_count
from imgstore_tui.present.tables.cost import amount_text
from imgstore_tui.present.tables.table_model import Table, TableColumn, TableEntry

LEAST = 0.01
"""Amount below which no figure is shown."""


def set_cost_table(found: Sequence[SetCost], sheet: PriceSheet, images: int, epochs: int) -> Table:
    """Return the price of keeping, uploading and reading the whole set with every method.

    Args:
        found: The costs.
        sheet: The prices.
        images: Images of the set.
        epochs: How often it is read.
    """
    rows = tuple(
        (
            TableEntry(cost.spec, cell=cost.rows[0]),
            TableEntry(format_bytes(cost.size), value=cost.size),
            TableEntry(_price(cost.month), value=cost.month),
            TableEntry(_price(cost.write), value=cost.write),
            TableEntry(f"{_price(cost.read)}{'' if cost.is_measured else ' ~'}", value=cost.read),
            TableEntry(format_count(cost.read_requests), value=cost.read_requests),
        )
        for cost in found
    )
    times = "epoch" if epochs == 1 else "epochs"
    return Table(
        f"In an object store, {counted(images, 'image')}, in {sheet.currency}",
        (
            TableColumn("method", right=False, wraps=True),
            TableColumn("size"),
            TableColumn("a month"),
            TableColumn("to upload"),
            TableColumn(f"{format_count(epochs)} {times}"),
            TableColumn("requests", wide=True),
        ),
        rows,
        f"At the prices of {sheet.service} as of {sheet.date} ({sheet.source}), in proportion to the largest store "
        "measured. ~ requests were not counted: every file of the local store is one object, fetched whole in each "
        "epoch. What crosses the network is not in it.",
    )


def _price(value: float) -> str:
    """Return an amount; below a hundredth nobody counts."""
    return "<0.01" if 0 < value < LEAST else amount_text(value)
