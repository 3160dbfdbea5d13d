"""Shows the advice on a run: its sentences, its chart and its tables."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual.binding import Binding, BindingType

from imgstore_tui.core.text import safe_text
from imgstore_tui.present.advice_section import advice_tables, run_advice
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.charts.pareto import pareto_chart, pareto_text
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.present.text.advice import sentence_text, statements
from imgstore_tui.present.text.ascii import ascii_text
from imgstore_tui.present.text.shared_options import shared_options, short_table
from imgstore_tui.present.text.text_page import folded_line
from imgstore_tui.tui.screens.page_dialog import PageDialog

CHART_COLUMNS, CHART_ROWS = 72, 12


class AdviceScreen(PageDialog):
    """The advice for the use that the plan of the run is named after, else for training."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close", key_display="esc", tooltip="Close the advice"),
    ]

    def __init__(self, results: RunResults, colours: ChartColours, *, ascii_only: bool) -> None:
        """Take the run as it is now.

        Args:
            results: The run.
            colours: Styles of the methods.
            ascii_only: Whether only ASCII is drawn.
        """
        super().__init__(f"Advice: run {results.run.id}", "for another use: imgstore-tui advise RUN --for USE")
        self._results = results
        self._colours = colours
        self._ascii = ascii_only

    def page_text(self, width: int) -> RenderableType:
        """Return the advice."""
        return advice_page(self._results, width, self._colours, ascii_only=self._ascii)


def advice_page(results: RunResults, width: int, colours: ChartColours, *, ascii_only: bool) -> Group:
    """Return the advice on each dataset of a run, or why there is none yet."""
    parts: list[RenderableType] = []
    plan = results.run.plan
    if shared := shared_options(plan):
        parts.append(Text(f"All methods with {safe_text(shared)}.", style="dim"))
    for advice in run_advice(results):
        if len(results.run.plan.datasets) > 1:
            parts.append(Text(safe_text(advice.choice.dataset), style="bold"))
        for number, statement in enumerate(statements(advice)):
            text = sentence_text(statement, plan)
            text = ascii_text(text) if ascii_only else text
            style = "" if number else "bold green"
            line = folded_line("" if number == 0 else "- ", "dim", text, width, indent=2, style=style)
            line.rstrip()
            parts.append(line)
        parts.append(Text())
        if (chart := pareto_chart(advice, results.run)) is not None:
            columns = min(width, CHART_COLUMNS)
            parts.append(pareto_text(chart, columns, CHART_ROWS, colours=colours, ascii_only=ascii_only))
        for table in advice_tables(advice):
            parts += [rich_table(short_table(table, plan), width, ascii_only=ascii_only), Text()]
    if len(parts) <= bool(shared):
        why = "the run goes on" if results.run.status == "running" else "nothing was measured"
        parts.append(Text(f"No advice yet: {why}.", style="dim"))
    return Group(*parts)
