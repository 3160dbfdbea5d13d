"""``imgstore-tui runs``: lists the saved runs, oldest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imgstore_tui.bench.results.saved_runs import SavedRun, newest_first
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.cli import listing
from imgstore_tui.cli.output import talk_console
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.units import format_bytes
from imgstore_tui.present.text.saved_run import completed_text, description_text, failed_text, started_text, status_text


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(prog="imgstore-tui runs", description=f"List the saved runs in {runs_folder()}.")
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser


def main(argv: Sequence[str]) -> int:
    """List the saved runs."""
    arguments = make_parser().parse_args(argv)
    # The newest comes last, next to the prompt.
    runs = list(newest_first())[::-1]
    if arguments.json:
        return listing.print_json(list(map(_facts, runs)))
    if not runs:
        talk_console().print("There is no saved run yet. Start one with: imgstore-tui run")
        return 0
    rows = [
        (saved.id, started_text(saved.run), status_text(saved), completed_text(saved), failed_text(saved),
         format_bytes(saved.size_bytes), description_text(saved))
        for saved in runs
    ]  # fmt: skip
    return listing.print_table(("run", "started (UTC)", "status", "trials", "failed", "size", "what"), rows)


def _facts(saved: SavedRun) -> dict[str, Any]:
    """Return a saved run as JSON values; ``problem`` says why one cannot be read."""
    run = saved.run
    return {
        "id": saved.id,
        "title": run.title if run else "",
        "status": saved.status,
        "problem": saved.problem,
        "started_at": run.started_at if run else None,
        "plan": run.plan.name if run else None,
        "datasets": list(run.plan.datasets) if run else [],
        "specs": [spec.label for spec in run.plan.specs] if run else [],
        "cutoffs": list(run.plan.cutoffs) if run else [],
        "trials": saved.trials,
        "measured": saved.measured,
        "failed": saved.failed,
        "size_bytes": saved.size_bytes,
        "path": str(saved.path),
    }
