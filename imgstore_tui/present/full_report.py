"""Renders the full report of a run for a terminal: the article's items, ranking, verdicts, methods."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Group, RenderableType
from rich.text import Text

from imgstore_tui.present.article import article_report
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.charts.text_chart import draw_figure
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.ranking import ranking_table
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.present.tables.table_model import Table
from imgstore_tui.present.text.methods import methods_text
from imgstore_tui.present.text.narrative import verdict_text

CHART_ROWS = 18


def full_report(
    results: RunResults,
    width: int,
    *,
    cutoff: int | None = None,
    colours: ChartColours | None = None,
    ascii_only: bool = False,
) -> Group:
    """Return the full report of a run; for the plan ``article`` the article's items and claims come first.

    Args:
        results: The run.
        width: Columns available.
        cutoff: Number of images of ranking and verdicts; None for the ranking of the largest and all verdicts.
        colours: Styles of charts; None for colours that any terminal has.
        ascii_only: Whether only ASCII is used.
    """
    parts: list[RenderableType] = []
    for item in article_report(results):
        if isinstance(item, Table):
            parts += [rich_table(item, width, ascii_only=ascii_only), Text()]
        elif not item.figure.empty:
            parts.append(Text(item.title, style="bold"))
            figure = draw_figure(
                replace(item.figure, title=""),
                width,
                CHART_ROWS,
                scales=item.scales,
                colours=colours,
                ascii_only=ascii_only,
            )
            # The first of the two ends the last line of the chart.
            parts += [figure, Text(), Text()]
    parts += [rich_table(ranking_table(results, cutoff), width, ascii_only=ascii_only), Text()]
    parts += [Text("Verdicts", style="bold"), verdict_text(results, cutoff, width=width), Text()]
    parts += [Text("Storage methods", style="bold"), methods_text(results, width=width)]
    return Group(*parts)
