"""``imgstore-tui runs``: the saved runs, oldest first."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.bench.journal import read_journal, runs_folder, saved_runs
from imgstore_tui.cli import listing
from imgstore_tui.cli.output import talk_console
from imgstore_tui.cli.parser import Parser
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count


def main(arguments: Sequence[str]) -> int:
    """List the saved runs."""
    Parser(prog="imgstore-tui runs", description=f"List the saved runs in {runs_folder()}.").parse_args(arguments)
    rows = []
    for path in saved_runs():
        try:
            run = read_journal(path)
        except DataError as error:
            rows.append((path.stem, "", "unreadable", "", safe_text(str(error))))
            continue
        specs = ", ".join(spec.label for spec in run.plan.specs)
        data = ", ".join(safe_text(facts.summary) for facts in run.datasets)
        rows.append((run.id, run.started_at[:16].replace("T", " "), run.status, format_count(len(run.measurements)),
                     f"{specs} on {data}"))  # fmt: skip
    if not rows:
        talk_console().print("There is no saved run yet. Start one with: imgstore-tui run")
        return 0
    return listing.print_table(("run", "started (UTC)", "status", "trials", "what"), rows)
