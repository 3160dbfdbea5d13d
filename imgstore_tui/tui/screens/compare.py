"""Compares two saved runs side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.worker import get_current_worker

from imgstore_tui.analysis.compare import RunComparison, compare_runs
from imgstore_tui.bench.results.journal import read_journal
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.tables.comparison import (
    comparison_caption,
    comparison_lines,
    comparison_tables,
    comparison_title,
    comparison_verdict,
)
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar

FRAME_COLUMNS = 5
"""Columns that the frame of the dialog takes."""


class ComparisonView(Widget):
    """The comparison, laid out for the width of the terminal."""

    DEFAULT_CSS = "ComparisonView { height: auto; }"

    comparison: reactive[RunComparison | None] = reactive(None, layout=True)
    problem: reactive[str] = reactive("", layout=True)

    def render(self) -> Group | Text:
        """Draw lines and table."""
        if self.problem:
            return Text(safe_text(self.problem), style="bold red")
        if self.comparison is None:
            return Text("Reading both runs ...", style="dim")
        parts: list[Text | Table] = [Text(comparison_title(self.comparison), style="bold")]
        parts += [Text(line, style="bold yellow" if bad else "") for line, bad in comparison_lines(self.comparison)]
        width = self.app.size.width - FRAME_COLUMNS
        for table in comparison_tables(self.comparison):
            parts += [Text(), rich_table(table, width)]
        verdict = Text(comparison_verdict(self.comparison), style="bold red" if self.comparison.worse else "bold")
        return Group(*parts, Text(), verdict, Text(), Text(comparison_caption(self.comparison), style="dim"))


class CompareScreen(Dialog[None]):
    """What both runs measured, in one table: the second run against the first."""

    @dataclass
    class Compared(Message):
        """Both runs were compared, or a problem prevented it."""

        comparison: RunComparison | None
        problem: str = ""

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "swap", "Swap", tooltip="Compare the first with the second instead"),
        Binding("escape,q,c", "dismiss", "Close", key_display="esc", tooltip="Close the comparison"),
    ]

    body = getters.query_one(ComparisonView)

    def __init__(self, base: Path, run: Path) -> None:
        """Create the dialog.

        Args:
            base: Journal of the run that the other is compared with.
            run: Journal of the other run.
        """
        super().__init__()
        self._paths = (base, run)

    def compose(self) -> ComposeResult:
        """Lay out the table."""
        with Vertical(classes="dialog widest") as dialog:
            dialog.border_title = "Side by side"
            with VerticalScroll():
                yield ComparisonView()
            yield KeyBar()

    def on_mount(self) -> None:
        """Compare in a thread: both runs may be long."""
        self._compare()

    def _compare(self) -> None:
        self.run_worker(self._read, thread=True, exclusive=True, exit_on_error=False)

    def _read(self) -> None:
        worker = get_current_worker()
        try:
            base, run = map(read_journal, self._paths)
            message = self.Compared(compare_runs([base], run))
        except ImgstoreError as error:
            message = self.Compared(None, str(error))
        except Exception as error:  # no error in the files ends the screen
            message = self.Compared(None, f"The runs cannot be compared: {type(error).__name__}: {error}")
        if not worker.is_cancelled:  # else the runs were swapped in between
            self.post_message(message)

    @on(Compared)
    def _compared(self, event: Compared) -> None:
        self.body.comparison, self.body.problem = event.comparison, event.problem

    def action_swap(self) -> None:
        """Compare the first with the second instead."""
        self._paths = (self._paths[1], self._paths[0])
        self._compare()
