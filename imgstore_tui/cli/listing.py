"""Prints the lists of backends, codecs and datasets, and the details of one of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from imgstore_tui.cli.output import data_console
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.options import Option, option_text
from imgstore_tui.plugins import registry

_MIN_SENTENCE = 24
"""Columns of the terminal below which a sentence is not shown."""
_MIN_WRAPPED = 8
"""Columns of the terminal that a wrapped column has at least."""


def make_parser(command: str, thing: str) -> CommandParser:
    """Return the parser of ``[NAME] [--json]``.

    Args:
        command: Name of the command: ``backends``.
        thing: What it lists, in the singular: ``backend``.
    """
    parser = CommandParser(prog=f"imgstore-tui {command}", description=f"List the {command}, or describe one.")
    parser.add_argument("name", nargs="?", metavar="NAME", help=f"one {thing}")
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser


def availability(plugin: Any) -> str:
    """Return ``available``, or the command or setting that makes it so."""
    return registry.way_to_use(plugin) or "available"


def option_facts(options: Iterable[Option]) -> list[dict[str, Any]]:
    """Return options as JSON values."""
    return [
        {"name": option.name, "default": option.default, "choices": list(option.choices), "summary": option.summary}
        for option in options
    ]


def print_json(values: Any) -> int:
    """Print values as JSON."""
    data_console().file.write(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
    return 0


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, give_way: Sequence[str] = ()) -> int:
    """Print a list.

    Args:
        columns: Their names.
        rows: One text per column.
        give_way: Columns that are wrapped when the table is too wide; by default the last. The others are not cut, so
            that commands can be copied; if they alone are too wide, the widest is wrapped as well. If several give
            way, the last one is left out when it would become too narrow to read.
    """
    console, lines = data_console(), [list(row) for row in rows]
    give_way = give_way or columns[-1:]
    if len(give_way) > 1:
        other_widths = [max(map(cell_len, column)) for column in zip(columns, *lines, strict=True)][:-1]
        if console.width - sum(other_widths) - 2 * len(other_widths) < _MIN_SENTENCE:
            columns, lines = columns[:-1], [line[:-1] for line in lines]
    widths = [max(map(cell_len, column)) for column in zip(columns, *lines, strict=True)]
    fixed = {name: width for name, width in zip(columns, widths, strict=True) if name not in give_way}
    gaps, narrow = 2 * (len(columns) - 1), _MIN_WRAPPED * (len(columns) - len(fixed))
    if sum(fixed.values()) + gaps + narrow > console.width:
        del fixed[max(fixed, key=lambda name: fixed[name])]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        table.add_column(name, no_wrap=name in fixed, min_width=fixed.get(name), overflow="fold")
    for line in lines:
        table.add_row(*(Text(text) for text in line))
    console.print(table)
    return 0


def print_details(title: str, facts: Iterable[tuple[str, str]], options: Sequence[Option]) -> int:
    """Print the details of one plug-in.

    Args:
        title: Its name and what it is.
        facts: Name and text of each fact.
        options: The options that it declares.
    """
    console = data_console()
    console.print(Text(title, style="bold"))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, text in facts:
        table.add_row(name, Text(text))
    console.print(table)
    for option in options:
        choices = f" ({', '.join(option.choices)})" if option.choices else ""
        console.print(
            Text.assemble(("option ", "dim"), (option.name, "bold"), f"={option_text(option.default)}{choices}")
        )
        console.print(Padding(Text(option.summary), (0, 0, 0, 7)))
    return 0
