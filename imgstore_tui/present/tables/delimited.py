"""Values as cells of a text table that programs read: CSV and TSV share it."""

from __future__ import annotations

from imgstore_tui.core.text import safe_text
from imgstore_tui.present.tables.table_model import Value

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the start of a formula, wide forms included (OWASP, CSV injection)."""


def cell_text(value: Value) -> str:
    """Return a value as a cell: numbers as Python writes them, truth as true or false, nothing as nothing.

    Text is made harmless, so that it has neither line breaks nor tabs; where a spreadsheet would read it as a
    formula, an apostrophe stands before it.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = safe_text(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
