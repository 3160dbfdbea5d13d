"""Shows the advice on a run: its sentences, its chart and its tables."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from imgstore_tui.core.text import safe_text
from imgstore_tui.present.advice_section import advice_tables, report_advice
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.charts.pareto import pareto_chart, pareto_text
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.present.text.advice import statements
from imgstore_tui.present.text.ascii import ascii_text
from imgstore_tui.present.text.text_page import folded_line
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar

CHART_COLUMNS, CHART_ROWS = 72, 12


class AdviceScreen(Dialog[None]):
    """The advice for the use that the plan of the run is named after, else for training."""

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close", key_display="esc", tooltip="Close the advice"),
    ]

    body = getters.query_one(".report", Static)
    page = getters.query_one(VerticalScroll)

    def __init__(self, results: RunResults, colours: ChartColours, *, ascii_only: bool) -> None:
        """Take the run as it is now.

        Args:
            results: The run.
            colours: Styles of the methods.
            ascii_only: Whether only ASCII is drawn.
        """
        super().__init__()
        self._results = results
        self._colours = colours
        self._ascii = ascii_only
        self._width = 0

    def compose(self) -> ComposeResult:
        """Lay out the text and the keys."""
        with Vertical(classes="dialog page") as dialog:
            dialog.border_title = Text(safe_text(f"Advice: run {self._results.run.id}"))
            dialog.border_subtitle = "for another use: imgstore-tui advise RUN --for USE"
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
        """Close the advice."""
        self.dismiss()

    def _show(self) -> None:
        width = self.page.scrollable_content_region.width - 1 if self.is_mounted else 0
        if width > 0 and width != self._width:
            self._width = width
            self.body.update(advice_page(self._results, width, self._colours, ascii_only=self._ascii))


def advice_page(results: RunResults, width: int, colours: ChartColours, *, ascii_only: bool) -> Group:
    """Return the advice on each dataset of a run, or why there is none yet."""
    parts: list[RenderableType] = []
    for given in report_advice(results):
        if len(results.run.plan.datasets) > 1:
            parts.append(Text(safe_text(given.advice.dataset), style="bold"))
        for number, statement in enumerate(statements(given)):
            text = ascii_text(statement.text) if ascii_only else statement.text
            style = "" if number else "bold green"
            line = folded_line("" if number == 0 else "- ", "dim", text, width, indent=2, style=style)
            line.rstrip()
            parts.append(line)
        parts.append(Text())
        if (chart := pareto_chart(given)) is not None:
            columns = min(width, CHART_COLUMNS)
            parts.append(pareto_text(chart, columns, CHART_ROWS, colours=colours, ascii_only=ascii_only))
        for table in advice_tables(given):
            parts += [rich_table(table, width, ascii_only=ascii_only), Text()]
    if not parts:
        why = "the run goes on" if results.run.status == "running" else "too little was measured for one"
        parts.append(Text(f"No advice yet: {why}. imgstore-tui advise says what is missing.", style="dim"))
    return Group(*parts)
