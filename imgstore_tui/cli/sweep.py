"""``imgstore-tui sweep``: remove what runs that died have left in scratch."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.cli.output import data_console, talk_console
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.errors import ExitCode, ImgstoreError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes, format_count
from imgstore_tui.jobs.sweep import WeighedLeftover, find_leftovers, sweep

MANY_FILES = 5_000
"""More than this take seconds to remove."""


def main(arguments: Sequence[str]) -> int:
    """List or remove leftovers."""
    parser = CommandParser(
        prog="imgstore-tui sweep", description="Remove the stores that killed runs have left behind."
    )
    parser.add_argument("--list", action="store_true", help="only list them")
    words = parser.parse_args(arguments)
    found = find_leftovers()
    if not found:
        talk_console().print("Nothing is left of any run.")
    code = ExitCode.OK
    for entry in found:
        place = safe_text(str(entry.leftover.path))
        told = f"{place}: {format_bytes(entry.allocated_bytes)} in {format_count(entry.files)} files"
        if words.list:
            data_console().print(told, soft_wrap=True)
            continue
        try:
            _sweep(entry)
        except ImgstoreError as error:
            talk_console().print(safe_text(str(error)), soft_wrap=True)
            code = ExitCode.ENVIRONMENT
        except OSError as error:
            talk_console().print(f"{place} was not removed: {error.strerror}.", soft_wrap=True)
            code = ExitCode.ENVIRONMENT
        else:
            data_console().print(f"removed {told}", soft_wrap=True)
    return code


def _sweep(entry: WeighedLeftover) -> None:
    """Remove a leftover; where that takes its time, a terminal is told how far it is."""
    talk = talk_console()
    if not talk.is_terminal or entry.files < MANY_FILES:
        sweep(entry.leftover)
        return
    with talk.status("") as status:

        def heard(count: int) -> None:
            gone = f"{format_count(count)} of {format_count(entry.files)} files removed; Ctrl-C leaves the rest"
            status.update(gone)

        sweep(entry.leftover, heard)
