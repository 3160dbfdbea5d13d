"""``imgstore-tui replay``: parses its arguments and reads the run, which the screen then plays as it went."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from imgstore_tui.bench.results.journal import find_run
from imgstore_tui.bench.run.replay import DEFAULT_SPEED, Replay, ReplayControls
from imgstore_tui.cli.load_run import read_run
from imgstore_tui.cli.parser import RUN_HELP, CommandParser
from imgstore_tui.core.errors import UsageError


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="imgstore-tui replay",
        description="Play a saved run on the screen as it went. Nothing is measured.\n"
        "Keys: z pause and continue, k one trial further, < slower, > faster, s end.",
    )
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument(
        "--speed", type=float, default=DEFAULT_SPEED, metavar="N", help=f"times as fast (default {DEFAULT_SPEED:g})"
    )
    parser.add_argument("--theme", metavar="NAME", help="colour theme of the screen")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    return parser


def parse_replay(argv: Sequence[str]) -> tuple[Namespace, Replay]:
    """Return the arguments of the command, and what is to be played.

    Raises:
        UsageError: If there is no such run, it is being measured, or it has nothing to play.
        DataError: If its file cannot be read.
    """
    arguments = make_parser().parse_args(argv)
    controls = ReplayControls(arguments.speed)
    run = read_run(arguments.run)
    if run.status == "running":
        raise UsageError(f"Run {run.id} is being measured now. Watch it with: imgstore-tui show {run.id} --follow")
    if not run.measurements:
        raise UsageError(f"Run {run.id} has no measurement to play.")
    return arguments, Replay(run, str(find_run(arguments.run)), controls)
