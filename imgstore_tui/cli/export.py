"""``imgstore-tui export``: exports a run to a file or to standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from imgstore_tui.cli.load_run import read_run
from imgstore_tui.cli.output import talk_console
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.errors import FileTakenError, UsageError
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.text import safe_text


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    from imgstore_tui.present import exports

    parser = CommandParser(prog="imgstore-tui export", description="Export a run to a file, or to standard output.")
    parser.add_optional_run()
    parser.add_argument(
        "-f", "--format", metavar="FORMAT", help=f"{', '.join(exports.names())} (default: by FILE's extension)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="default: standard output")
    parser.add_argument(
        "--anonymous",
        action="store_true",
        help="leave out names of host, user, paths, files and servers; names of classes and plans stay",
    )
    parser.add_argument(
        "--chart", metavar="KIND", help="one chart alone, as svg, png or pdf: read-many, or read-many:cold for a level"
    )
    parser.add_argument(
        "--size", metavar="PLACE", help="of the chart in a paper: column (84 mm) or page (174 mm), without its title"
    )
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")
    return parser


def main(argv: Sequence[str]) -> int:
    """Write a run in a format, to standard output or a file."""
    from imgstore_tui.present import exports

    arguments = make_parser().parse_args(argv)
    name = arguments.format or _format_by_suffix(arguments.output)
    exporter = exports.get(name)
    run = read_run(arguments.run)
    if arguments.anonymous:
        from imgstore_tui.present.anonymous import anonymous_run

        run = anonymous_run(run)
    if arguments.size is not None and arguments.chart is None:
        raise UsageError("--size is that of a chart. Name one with --chart, e.g. --chart read-many.")
    make = partial(exporter.export, run)
    if arguments.chart is not None:
        from imgstore_tui.present.exports.one_figure import export_figure

        make = partial(export_figure, run, arguments.chart, name, arguments.size)
    if arguments.output == "-":
        sys.stdout.buffer.write(make())
        sys.stdout.buffer.flush()
        return 0
    from imgstore_tui.present.exports.write import file_name, write_new

    path = expand_path(arguments.output)
    if path.is_dir():
        path /= file_name(run, exporter.suffix, (arguments.chart or "").replace(":", "-"))
    try:
        path = write_new(path, make, overwrite=arguments.force)
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
