"""Prints the tables, charts and verdicts of a run on standard output."""

from __future__ import annotations

from dataclasses import replace
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from imgstore_tui.cli.output import output_width
from imgstore_tui.present.article import article_report
from imgstore_tui.present.charts.axes import LOG
from imgstore_tui.present.charts.chart_list import Chart
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.report_tables import answer_tables, facts_table, further_tables
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.present.tables.table_model import Table
from imgstore_tui.present.text.ascii import ascii_text
from imgstore_tui.present.text.clients import clients_text
from imgstore_tui.present.text.narrative import operation_verdicts_text, recommendation_text, warnings_text
from imgstore_tui.present.text.standings import standings_text

CHART_ROWS = 22
MOST_COLUMNS = 120
MOST_STANDINGS = 6
"""Most operations whose standings a page that ends in the answer shows."""


def print_answer(console: Console, results: RunResults, *, plain: bool) -> None:
    """Print a page that ends in what a run answers: main facts, medians, warnings, standings, which to take.

    Args:
        console: Where to print.
        results: The results of the run.
        plain: Whether only ASCII is printed.
    """
    for table in answer_tables(results):
        console.print(rich_table(table, output_width(), ascii_only=plain), Text(), sep="\n")
    width = min(output_width(), MOST_COLUMNS)
    for text in (
        warnings_text(results, width),
        standings_text(results, width=width, most=MOST_STANDINGS),
        clients_text(results.run, width),
        recommendation_text(results, width=width, brief=True),
    ):
        if text:
            text.plain = ascii_text(text.plain) if plain else text.plain
            console.print(text, soft_wrap=True)


def print_tables(console: Console, results: RunResults, *, plain: bool, charts: bool = True) -> None:
    """Print the facts of a run, the article's report if the run has one, and the other tables.

    Args:
        console: Where to print.
        results: The results of the run.
        plain: Whether only ASCII is printed.
        charts: Whether the figures of the report are printed.
    """
    facts = facts_table(results.run)
    items = article_report(results)
    skipped = {item.title for item in items if isinstance(item, Table)} | {facts.title}
    for item in (facts, *items, *(table for table in further_tables(results) if table.title not in skipped)):
        if isinstance(item, Table):
            console.print(rich_table(item, output_width(), ascii_only=plain), Text(), sep="\n")
        elif charts and not item.figure.empty:
            print_chart(console, item, plain=plain)


def print_article_charts(console: Console, results: RunResults, *, plain: bool) -> None:
    """Print the figures of the article's report, if the run has one."""
    for item in article_report(results):
        if not isinstance(item, Table) and not item.figure.empty:
            print_chart(console, item, plain=plain)


def print_verdicts(console: Console, results: RunResults, *, plain: bool) -> None:
    """Print the standings, the verdicts and, in a few lines, the recommendation."""
    standings = standings_text(results, width=min(output_width(), MOST_COLUMNS))
    if standings:
        standings.plain = ascii_text(standings.plain) if plain else standings.plain
        console.print(standings, soft_wrap=True)
    judged = operation_verdicts_text(results)
    if not judged:
        return
    console.print(Text("Verdicts", style="bold"))
    for line in judged.plain.splitlines():
        _print_hanging(console, line, "bold" if not line.startswith(" ") else "", plain=plain)
    advice = recommendation_text(results, width=min(output_width(), MOST_COLUMNS))
    advice.plain = ascii_text(advice.plain) if plain else advice.plain
    console.print()
    if advice:
        console.print(advice, soft_wrap=True)


def _print_hanging(console: Console, line: str, style: str, *, plain: bool) -> None:
    """Print a sentence with its continuation lines indented."""
    for part in wrap(
        ascii_text(line) if plain else line,
        min(output_width(), MOST_COLUMNS),
        subsequent_indent=" " * 8,
        break_on_hyphens=False,
    ):
        console.print(Text(part, style=style), soft_wrap=True)


def print_chart(console: Console, chart: Chart, *, plain: bool) -> None:
    """Print one chart."""
    from imgstore_tui.present.charts.text_chart import draw_figure

    figure = chart.figure
    if chart.heading:
        # Numbered figures name their axes, since each comes twice.
        figure = replace(
            figure,
            title=chart.heading + figure.title + ("" if chart.scales == LOG else f", {chart.scales.text}"),
        )
    width = min(output_width(), MOST_COLUMNS)
    drawing = draw_figure(figure, width, CHART_ROWS, scales=chart.scales, ascii_only=plain)
    drawing.rstrip()
    console.print(drawing, Text(), sep="\n", soft_wrap=True)
