"""Builds the table of what the whole set costs in an object store."""

from __future__ import annotations

from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.core.units import counted, format_bytes, format_count
from imgstore_tui.present.tables.table_model import Table, TableColumn, TableEntry
from imgstore_tui.present.text.advice_times import price_text, sheet_text


def set_cost_table(advice: DatasetAdvice) -> Table | None:
    """Return the price of keeping, uploading and reading the whole set with every method; None without a size."""
    if not advice.set_costs:
        return None
    sheet, epochs = advice.situation.prices, advice.situation.passes
    rows = tuple(
        (
            TableEntry(cost.spec, cell=cost.rows[0]),
            TableEntry(format_bytes(cost.size), value=cost.size),
            TableEntry(price_text(cost.month), value=cost.month),
            TableEntry(price_text(cost.write), value=cost.write),
            TableEntry(f"{price_text(cost.read)}{'' if cost.is_measured else ' ~'}", value=cost.read),
            TableEntry(format_count(cost.read_requests), value=cost.read_requests),
        )
        for cost in advice.set_costs
    )
    assumed = (
        ""
        if all(cost.is_measured for cost in advice.set_costs)
        else " ~ requests were not counted: every file of the local store is one object, fetched whole in each epoch."
    )
    return Table(
        f"In an object store, {counted(advice.images, 'image')}, in {sheet.currency}",
        (
            TableColumn("method", right=False, wraps=True),
            TableColumn("size"),
            TableColumn("a month"),
            TableColumn("to upload"),
            TableColumn(counted(epochs, "epoch") if epochs > 1 else "to read once"),
            TableColumn("requests", wide=True),
        ),
        rows,
        f"At the {sheet_text(sheet)} ({sheet.source}), in proportion to the largest store measured.{assumed} What "
        "crosses the network is not in it.",
    )
