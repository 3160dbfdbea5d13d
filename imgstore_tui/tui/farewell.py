"""What stays on the terminal after the screen is gone: the summary, and where everything was saved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

from imgstore_tui.core.events import RunFinished
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.log import log_line
from imgstore_tui.present.sections import digest, overview_tables
from imgstore_tui.present.tables import rich_table


def say_goodbye(
    stream: TextIO, run: Run | None, journal: str | None, saved: Sequence[str], *, ascii_only: bool
) -> None:
    """Print a run's overview and the paths of what was saved; nothing where nothing was run or saved.

    An SSH session keeps what stands on standard output; the alternate screen keeps nothing.

    Args:
        stream: Where to print.
        run: The last run, whole or in part.
        journal: Path of its journal.
        saved: Paths of the files exported.
        ascii_only: Whether lines are drawn with ``-`` and ``+``.
    """
    console = Console(file=stream, highlight=False)
    if run is not None:
        for table in overview_tables(digest(run)) if run.measurements else []:
            console.print(rich_table(table, console.width, ascii_only=ascii_only))
        line = log_line(RunFinished(run))
        if line is not None:
            console.print(line, soft_wrap=True)
    if journal is not None:
        console.print(Text(f"journal {safe_text(journal)}"), soft_wrap=True)
    for path in saved:
        console.print(Text(f"saved {safe_text(path)}"), soft_wrap=True)
