"""Renders tables with Rich, for the terminal."""

from __future__ import annotations

from rich import box
from rich.cells import cell_len
from rich.table import Table as RichTable
from rich.text import Text

from imgstore_tui.present.tables.table_model import Emphasis, Table, TableEntry
from imgstore_tui.present.text.ascii import ascii_text

WIDE = 130
"""Columns of a terminal from which a table shows all its columns."""

_ASCII_HEAD = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
_STYLES = {
    Emphasis.PLAIN: "",
    Emphasis.BEST: "bold green",
    Emphasis.TIE: "green",
    Emphasis.BAD: "red",
    Emphasis.QUIET: "dim",
}


def rich_table(table: Table, width: int = 80, *, ascii_only: bool = False) -> RichTable:
    """Return a table for a terminal of this many columns; no text in it is markup.

    Args:
        table: The table.
        width: Columns of the terminal; from ``WIDE`` all columns of the table are shown.
        ascii_only: Whether lines are drawn with ``-``, and microseconds written ``us``.
    """
    indexes = [index for index, column in enumerate(table.columns) if width >= WIDE or not column.wide]
    headed = any(column.title for column in table.columns)
    caption = ascii_text(table.caption) if ascii_only else table.caption
    rich = RichTable(
        box=(_ASCII_HEAD if ascii_only else box.SIMPLE_HEAD) if headed else None,
        title=Text(table.title, style="bold"),
        title_justify="left",
        caption=Text(caption, style="dim") if caption else None,
        caption_justify="left",
        show_header=headed,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    for index in indexes:
        column = table.columns[index]
        rich.add_column(
            Text(column.title, justify="right" if column.right else "left"),
            justify="left",
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
            min_width=8 if column.wraps else None,
        )
    widths = {index: max([cell_len(table.columns[index].title), *(cell_len(row[index].text) for row in table.rows)])
              for index in indexes if table.columns[index].right}  # fmt: skip
    last = len(table.rows) - 1
    for number, row in enumerate(table.rows):
        follows = number > 0 and number - 1 not in table.breaks
        entries = [
            Text("")
            if follows and table.columns[index].grouped and row[index] == table.rows[number - 1][index]
            else _text(row[index], widths.get(index, 0), ascii_only=ascii_only)
            for index in indexes
        ]
        rich.add_row(*entries, end_section=number in table.breaks and number != last)
    return rich


def _text(cell: TableEntry, width: int, *, ascii_only: bool) -> Text:
    # Padded here, as Rich drops the trailing spaces that stand where other rows have a sign.
    text = f"{' ' * (width - cell_len(cell.text))}{cell.text}"
    return Text(ascii_text(text) if ascii_only else text, style=_STYLES[cell.emphasis])
