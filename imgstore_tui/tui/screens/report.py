"""Shows the full report of a run."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from imgstore_tui.core.text import safe_text
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.full_report import full_report
from imgstore_tui.present.results import RunResults
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar


class ReportScreen(Dialog[None]):
    """The article's items and claims if the run is its experiment; ranking, verdicts and notes of any run.

    It does not change while a run goes on: the reader keeps the line, and no charts are drawn for nothing.
    """

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close", key_display="esc", tooltip="Close the report"),
    ]

    body = getters.query_one(".report", Static)
    page = getters.query_one(VerticalScroll)

    def __init__(self, results: RunResults, cutoff: int | None, colours: ChartColours, *, ascii_only: bool) -> None:
        super().__init__()
        self._results = results
        self._cutoff = cutoff
        self._colours = colours
        self._ascii = ascii_only
        self._width = 0

    def compose(self) -> ComposeResult:
        """Lay out the text and the keys."""
        run = self._results.run
        with Vertical(classes="dialog page") as dialog:
            dialog.border_title = Text(safe_text(f"Report: run {run.id}"))
            dialog.border_subtitle = "as of now; open it again for more" if run.status == "running" else ""
            with VerticalScroll():
                yield Static(classes="report")
            yield KeyBar()

    def on_mount(self) -> None:
        """Show the text once the width is known."""
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Show the text for another width."""
        self.call_after_refresh(self._show)

    def action_close(self) -> None:
        """Close the report."""
        self.dismiss()

    def _show(self) -> None:
        width = self.page.scrollable_content_region.width - 1 if self.is_mounted else 0
        if width > 0 and width != self._width:
            self._width = width
            report = full_report(
                self._results, width, cutoff=self._cutoff, colours=self._colours, ascii_only=self._ascii
            )
            self.body.update(report)
