"""``imgstore-tui delete``: forget a saved run."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.bench.journal import find_run, runs_folder
from imgstore_tui.bench.lock import RunLock
from imgstore_tui.cli.output import talk_console
from imgstore_tui.cli.parser import Parser
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.text import safe_text


def main(arguments: Sequence[str]) -> int:
    """Delete the journal of a run."""
    parser = Parser(prog="imgstore-tui delete", description="Delete a saved run. Exports of it stay.")
    parser.add_argument("run", metavar="RUN", help="a run id, or last")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    words = parser.parse_args(arguments)
    path = find_run(words.run)
    if path.parent != runs_folder():
        raise UsageError(f"{path} is no saved run of this program, and is not deleted. See imgstore-tui runs.")
    talk = talk_console()
    if not words.yes:
        talk.print(f"Delete {safe_text(path.stem)}? [y/N] ", end="")
        try:
            answer = input()
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            talk.print("Kept.")
            return 0
    # Held so that a run which is going on keeps its journal.
    with RunLock():
        path.unlink()
    talk.print(f"Deleted {safe_text(path.stem)}.")
    return 0
