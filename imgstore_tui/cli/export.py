"""``imgstore-tui export``: exports a run to a file or to standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.cli.load_run import read_run
from imgstore_tui.cli.output import talk_console
from imgstore_tui.cli.parser import RUN_HELP, CommandParser
from imgstore_tui.core.errors import FileTakenError, UsageError
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.text import safe_text


def main(argv: Sequence[str]) -> int:
    """Write a run in a format, to standard output or a file."""
    from imgstore_tui.present import exports

    parser = CommandParser(prog="imgstore-tui export", description="Export a run to a file, or to standard output.")
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument(
        "-f", "--format", metavar="FORMAT", help=f"{', '.join(exports.names())} (default: by FILE's extension)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="default: standard output")
    parser.add_argument(
        "--anonymous",
        action="store_true",
        help="leave out names of host, user, paths, files and servers; names of classes and plans stay",
    )
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")
    arguments = parser.parse_args(argv)
    name = arguments.format or _format_by_suffix(arguments.output)
    exporter = exports.get(name)
    run = read_run(arguments.run)
    if arguments.anonymous:
        from imgstore_tui.present.anonymous import anonymous_run

        run = anonymous_run(run)
    if arguments.output == "-":
        sys.stdout.buffer.write(exporter.export(run))
        sys.stdout.buffer.flush()
        return 0
    from imgstore_tui.present.exports.write import write_export

    try:
        path = write_export(run, name, expand_path(arguments.output), overwrite=arguments.force)
    except FileTakenError:
        raise UsageError(f"{arguments.output} exists already. Name another file, or replace it with --force.") from None
    talk_console().print(f"Wrote {safe_text(str(path))}", soft_wrap=True)
    return 0


def _format_by_suffix(output: str) -> str:
    """Return the format that has the suffix of the file.

    Raises:
        UsageError: If no format has it.
    """
    from imgstore_tui.present import exports

    suffix = Path(output).suffix.lower()
    for name, exporter in exports.all_exporters().items():
        if suffix and exporter.suffix == suffix:
            return name
    raise UsageError(f"Name a format with -f: {', '.join(exports.names())}. None follows from the file's name.")
