"""Shortens names of methods by the options that all methods of a run share: those are said once, with the plan."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.core.model import Plan
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.tables.table_model import Table


def shared_options(plan: Plan) -> str:
    """Return the options that two or more methods all have alike, such as ``preset=article``; else empty."""
    options = {spec.label.partition(":")[2] for spec in plan.specs}
    return next(iter(options)) if len(plan.specs) > 1 and len(options) == 1 else ""


def short_names(text: str, plan: Plan) -> str:
    """Return a text for readers, without the shared options behind each name. Commands need the whole names."""
    if shared_options(plan):
        for spec in plan.specs:
            label = safe_text(spec.label)
            text = text.replace(label, label.partition(":")[0])
    return text


def short_table(table: Table, plan: Plan) -> Table:
    """Return a table without the shared options behind the names of its methods."""
    if not shared_options(plan):
        return table
    rows = (tuple(replace(entry, text=short_names(entry.text, plan)) for entry in row) for row in table.rows)
    return replace(table, rows=tuple(rows), caption=short_names(table.caption, plan))
