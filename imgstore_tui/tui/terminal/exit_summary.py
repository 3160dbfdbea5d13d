"""What stays on the terminal after the screen is gone: the summary, and where everything was saved."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

from imgstore_tui.core.events import RunFinished
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.present.tables.timings import overview_tables
from imgstore_tui.present.text.ascii import ascii_text
from imgstore_tui.present.text.log_line import log_line
from imgstore_tui.present.text.narrative import recommendation_text
from imgstore_tui.present.text.standings import standings_text


def print_exit_summary(
    stream: TextIO, run: Run | None, journal: str | None, saved: Sequence[str], *, ascii_only: bool
) -> None:
    """Print a run's overview, which to take and the paths of what was saved; nothing where nothing was run or saved.

    An SSH session keeps what stands on standard output; the alternate screen keeps nothing.

    Args:
        stream: Where to print.
        run: The last run, whole or in part.
        journal: Path of its journal.
        saved: Paths of the files exported.
        ascii_only: Whether lines are drawn with ``-`` and ``+``.
    """
    # A terminal that hung up takes no words any more; what they would say is in the journal.
    with contextlib.suppress(OSError):
        _say(Console(file=stream, highlight=False), run, journal, saved, ascii_only=ascii_only)
        stream.flush()


def _say(console: Console, run: Run | None, journal: str | None, saved: Sequence[str], *, ascii_only: bool) -> None:
    if run is not None:
        results = build_results(run)
        for table in overview_tables(results) if run.measurements else []:
            console.print(rich_table(table, console.width, ascii_only=ascii_only))
        for text in (
            standings_text(results, width=console.width),
            recommendation_text(results, width=console.width),
        ):
            text.plain = ascii_text(text.plain) if ascii_only else text.plain
            if text:
                console.print(Text("\n").append_text(text), soft_wrap=True)
        line = log_line(RunFinished(run))
        if line is not None:
            console.print(line, soft_wrap=True)
    if journal is not None:
        console.print(Text(f"journal {safe_text(journal)}"), soft_wrap=True)
    for path in saved:
        console.print(Text(f"saved {safe_text(path)}"), soft_wrap=True)


def crash_report(traceback: str) -> Text:
    """Return a traceback as text that no terminal obeys; it holds no local variables, which may be secret."""
    return Text("\n".join(map(safe_text, traceback.splitlines())))
