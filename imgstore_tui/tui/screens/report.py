"""Shows the full report of a run."""

from __future__ import annotations

from typing import ClassVar

from rich.console import RenderableType
from textual.binding import Binding, BindingType

from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.full_report import full_report
from imgstore_tui.present.results import RunResults
from imgstore_tui.tui.screens.page_dialog import PageDialog


class ReportScreen(PageDialog):
    """The article's items and claims if the run is its experiment; ranking, verdicts and notes of any run.

    It does not change while a run goes on: the reader keeps the line, and no charts are drawn for nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close", key_display="esc", tooltip="Close the report"),
    ]

    def __init__(self, results: RunResults, cutoff: int | None, colours: ChartColours, *, ascii_only: bool) -> None:
        run = results.run
        super().__init__(
            f"Report: run {run.id}", "as of now; open it again for more" if run.status == "running" else ""
        )
        self._results = results
        self._cutoff = cutoff
        self._colours = colours
        self._ascii = ascii_only

    def page_text(self, width: int) -> RenderableType:
        """Return the report."""
        return full_report(self._results, width, cutoff=self._cutoff, colours=self._colours, ascii_only=self._ascii)
