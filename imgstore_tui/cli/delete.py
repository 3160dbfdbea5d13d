"""``imgstore-tui delete``: deletes a saved run."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.bench.results.journal import find_run
from imgstore_tui.bench.results.saved_runs import check_ended, check_saved, delete, read_saved_run
from imgstore_tui.cli.output import talk_console
from imgstore_tui.cli.parser import RUN_HELP, CommandParser
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.text.saved_run import deletion_question


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(prog="imgstore-tui delete", description="Delete a saved run. Exports of it stay.")
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    return parser


def main(argv: Sequence[str]) -> int:
    """Delete the journal of a run."""
    arguments = make_parser().parse_args(argv)
    path = find_run(arguments.run)
    check_saved(path, "deleted")
    check_ended(path)
    talk = talk_console()
    if not arguments.yes:
        talk.print(f"{deletion_question(read_saved_run(path))} [y/N] ", end="", soft_wrap=True)
        try:
            answer = input()
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            talk.print("Kept.")
            return 0
    delete(path)
    talk.print(f"Deleted {safe_text(path.stem)}.")
    return 0
