"""``imgstore-tui datasets fetch``: downloads CIFAR; the only command that uses the network without a named server."""

from __future__ import annotations

import time
from collections.abc import Sequence

from imgstore_tui.cli.output import data_console, talk_console
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes

_PRINT_EVERY_S = 5.0


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    from imgstore_tui.jobs import fetch

    parser = CommandParser(
        prog="imgstore-tui datasets fetch",
        description=f"Download cifar10 or cifar100 (170 MB, python batches) from {fetch.BASE_URL} and check its sum.\n"
        f"{fetch.BASE_VARIABLE} names another place that has the same files.",
    )
    parser.add_argument("name", metavar="NAME", help="cifar10 or cifar100")
    parser.add_argument("--to", metavar="DIR", default=".", help="folder for the archive (default: here)")
    return parser


def main(argv: Sequence[str]) -> int:
    """Fetch a dataset and print how to use it."""
    from imgstore_tui.jobs import fetch

    arguments = make_parser().parse_args(argv)
    download = fetch.plan_download(arguments.name, expand_path(arguments.to))
    talk = talk_console()
    if fetch.is_downloaded(download):
        talk.print(
            f"{safe_text(str(download.destination))} is there already, and its checksum is right.", soft_wrap=True
        )
    else:
        talk.print(f"Fetching {safe_text(download.url)}", soft_wrap=True)
        last_print = time.monotonic()

        def progress(done: int, total: int | None) -> None:
            nonlocal last_print
            if time.monotonic() - last_print >= _PRINT_EVERY_S:
                last_print = time.monotonic()
                talk.print(f"{format_bytes(done)}{'' if total is None else f' of {format_bytes(total)}'}")

        fetch.fetch(download, progress)
        talk.print("Checksum right.")
    dataset = f"{arguments.name}:{download.destination}"
    quoted = f"'{arguments.name}:\"{download.destination}\"'" if {" ", ","} & set(dataset) else dataset
    data_console().print(f"imgstore-tui run -d {safe_text(quoted)}", soft_wrap=True)
    return 0
