"""``imgstore-tui rename``: gives a saved run a name."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.bench.results.journal import find_run
from imgstore_tui.bench.results.saved_runs import rename
from imgstore_tui.cli.output import talk_console
from imgstore_tui.cli.parser import RUN_HELP, CommandParser
from imgstore_tui.core.text import safe_text


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="imgstore-tui rename", description="Give a saved run a name, which commands then take for RUN."
    )
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument("name", metavar="NAME", help="the name; an empty one removes it")
    return parser


def main(argv: Sequence[str]) -> int:
    """Write the name into the run's journal."""
    arguments = make_parser().parse_args(argv)
    path = find_run(arguments.run)
    title = rename(path, arguments.name)
    result = f"is now called '{title}'" if title else "has no name but its id"
    talk_console().print(f"Run {safe_text(path.stem)} {result}.", soft_wrap=True)
    return 0
