"""Rows of tables in Markdown, as RESULTS.md has them: a command prints what is kept, and nobody copies a figure."""

from __future__ import annotations

from collections.abc import Iterable

from imgstore_tui.stats.intervals import Interval


def row_of(cells: Iterable[object]) -> str:
    """Return a row; an interval is its median and its ends, None a dash."""
    return f"| {' | '.join(_text(cell) for cell in cells)} |"


def table_head(columns: Iterable[str]) -> str:
    """Return the two lines above the rows."""
    names = list(columns)
    return f"{row_of(names)}\n{row_of(['---'] * len(names))}"


def code_block(*sources: str) -> str:
    """Return pieces of Python code as one block."""
    code = "\n\n".join(source.strip("\n") for source in sources)
    return f"```python\n{code}\n```"


def number(value: float) -> str:
    """Return a ratio with two or three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 9.95 else f"{value:.2g}"


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    if not isinstance(cell, Interval):
        return str(cell)
    if cell.n == 1:
        return f"{number(cell.median)} (once)"
    return f"{number(cell.median)} [{number(cell.low)}, {number(cell.high)}]{' range' if cell.is_range else ''}"
