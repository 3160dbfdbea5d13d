"""``imgstore-tui resume``: completes a run that was stopped, interrupted, or ran out of its budget."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.bench.results.journal import SUFFIX, find_run
from imgstore_tui.bench.run.runner import resume_run
from imgstore_tui.cli.measure import measure, show_answer
from imgstore_tui.cli.output import data_console
from imgstore_tui.cli.parser import RUN_HELP, CommandParser
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.units import parse_duration


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(prog="imgstore-tui resume", description="Finish a run: only what is missing is measured.")
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument("--budget", metavar="TIME", help="start no new trial after this time (default: no limit)")
    parser.add_argument("--quiet", action="store_true", help="no progress and no warnings")
    parser.add_argument("--json", action="store_true", help="print the run as JSON instead of tables")
    return parser


def main(argv: Sequence[str]) -> int:
    """Resume a run and print its tables."""
    arguments = make_parser().parse_args(argv)
    path = find_run(arguments.run)
    if path.suffix != SUFFIX:
        raise UsageError(f"{path} is no journal; an export cannot be resumed. See imgstore-tui runs.")
    budget = None if arguments.budget in (None, "none") else parse_duration(arguments.budget)
    run, code = measure(
        lambda cancel, listen: resume_run(path, budget_s=budget, cancel=cancel, listen=listen), quiet=arguments.quiet
    )
    if arguments.json:
        from imgstore_tui.present import exports

        data_console().file.write(exports.get("json").export(run).decode())
    else:
        show_answer(run)
    return code
