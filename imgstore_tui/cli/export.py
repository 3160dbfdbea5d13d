"""``imgstore-tui export``: a run as a file for other programs and for people."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.cli.output import talk_console
from imgstore_tui.cli.parser import Parser
from imgstore_tui.cli.saved import read_run
from imgstore_tui.core.text import safe_text


def main(arguments: Sequence[str]) -> int:
    """Write a run in a format, to standard output or a file."""
    from imgstore_tui.present import exports

    parser = Parser(prog="imgstore-tui export", description="Write a run for other programs, or for a text.")
    parser.add_argument("run", metavar="RUN", help="a run id, a file, or last")
    parser.add_argument("-f", "--format", required=True, metavar="FORMAT", help=", ".join(exports.names()))
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="default: standard output")
    parser.add_argument("--force", action="store_true", help="replace FILE if it exists")
    words = parser.parse_args(arguments)
    exporter = exports.get(words.format)
    run = read_run(words.run)
    if words.output == "-":
        sys.stdout.buffer.write(exporter.export(run))
        sys.stdout.buffer.flush()
        return 0
    from imgstore_tui.present.exports.write import write_export

    path = write_export(run, words.format, Path(words.output).expanduser(), overwrite=words.force)
    talk_console().print(f"Wrote {safe_text(str(path))}", soft_wrap=True)
    return 0
