"""``imgstore-tui sweep``: removes the stores that killed runs have left in scratch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imgstore_tui.cli.listing import print_json
from imgstore_tui.cli.output import data_console, talk_console
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.errors import ExitCode, ImgstoreError, UnavailableError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.jobs.sweep import ServerLeftover, WeighedLeftover, find_leftovers, forget, sweep

_NOTHING = (
    "Nothing is left of any run or server. An unfinished conversion lies beside its destination, as NAME.converting: "
    "imgstore-tui help sweep."
)
MANY_FILES = 5_000
"""From this many files on, removing takes seconds and its progress is shown."""


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="imgstore-tui sweep", description="Remove what killed runs and servers have left behind."
    )
    parser.add_argument("--list", action="store_true", help="only list them")
    parser.add_argument(
        "--forget", action="store_true", help="strike stores from the list whose server does not answer any more"
    )
    parser.add_argument("--json", action="store_true", help="only list them, as JSON")
    return parser


def main(argv: Sequence[str]) -> int:
    """List or remove leftovers."""
    arguments = make_parser().parse_args(argv)
    leftovers = find_leftovers()
    if arguments.json:
        return print_json(list(map(_facts, leftovers)))
    if not leftovers:
        talk_console().print(_NOTHING, soft_wrap=True)
    code = ExitCode.OK
    for entry in leftovers:
        path = safe_text(str(entry.leftover.path))
        line = f"{path}: {entry.size}"
        if arguments.list:
            data_console().print(line, soft_wrap=True)
            continue
        try:
            _sweep(entry)
        except ImgstoreError as error:
            if arguments.forget and isinstance(error, UnavailableError) and isinstance(entry.leftover, ServerLeftover):
                forget(entry.leftover)
                data_console().print(f"struck from the list: {line}", soft_wrap=True)
                continue
            talk_console().print(safe_text(str(error)), soft_wrap=True)
            code = ExitCode.ENVIRONMENT
        except OSError as error:
            talk_console().print(f"{path} was not removed: {error.strerror}.", soft_wrap=True)
            code = ExitCode.ENVIRONMENT
        else:
            data_console().print(f"removed {line}", soft_wrap=True)
    return code


def _facts(entry: WeighedLeftover) -> dict[str, Any]:
    """Return a leftover as JSON values; what does not apply to a folder or a server is null."""
    folder = entry.stores is None and entry.files > 0
    return {
        "run": getattr(entry.leftover, "run_id", None),
        "path": str(entry.leftover.path),
        "allocated_bytes": entry.allocated_bytes if folder else None,
        "files": entry.files if folder else None,
        "stores": entry.stores,
    }


def _sweep(entry: WeighedLeftover) -> None:
    """Remove a leftover; show the progress on a terminal if it has many files."""
    talk = talk_console()
    if not talk.is_terminal or entry.files < MANY_FILES:
        sweep(entry.leftover)
        return
    with talk.status("") as status:

        def show(count: int) -> None:
            status.update(f"{format_count(count)} of {format_count(entry.files)} files removed; Ctrl-C leaves the rest")

        sweep(entry.leftover, show)
