"""A run on standard output: its tables, and its charts where they stand."""

from __future__ import annotations

from dataclasses import replace
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from imgstore_tui.cli.output import output_width
from imgstore_tui.core.model import Run
from imgstore_tui.present.article import article_report
from imgstore_tui.present.charts.axes import LOG
from imgstore_tui.present.charts.chart_list import Chart
from imgstore_tui.present.results import RunResults, build_results
from imgstore_tui.present.tables.report_tables import brief_tables, facts_table, further_tables
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.present.tables.table_model import Table
from imgstore_tui.present.text.ascii import ascii_text
from imgstore_tui.present.text.narrative import operation_verdicts_text, recommendation_text

CHART_ROWS = 22
MOST_COLUMNS = 120


def print_run(console: Console, run: Run, *, plain: bool, brief: bool = False) -> None:
    """Print what was measured, the article's report where there is one, the other tables, verdicts, which to take.

    Args:
        console: Where to print.
        run: The run.
        plain: Whether only ASCII is printed.
        brief: Leave out the tables that go into detail.
    """
    print_verdicts(console, print_tables(console, run, plain=plain, brief=brief), plain=plain)


def print_tables(console: Console, run: Run, *, plain: bool, brief: bool = False, charts: bool = True) -> RunResults:
    """Print what was measured, the article's report where there is one, and the other tables.

    Args:
        console: Where to print.
        run: The run.
        plain: Whether only ASCII is printed.
        brief: Leave out the tables that go into detail.
        charts: Print the figures of the report, too.

    Returns:
        What was made of the run.
    """
    found = build_results(run)
    told = article_report(found)
    rest = brief_tables(found) if brief else further_tables(found)
    skipped = {item.title for item in told if isinstance(item, Table)} | {facts_table(run).title}
    for item in (facts_table(run), *told, *(table for table in rest if table.title not in skipped)):
        if isinstance(item, Table):
            console.print(rich_table(item, output_width(), ascii_only=plain), Text(), sep="\n")
        elif charts and not item.figure.empty:
            print_drawing(console, item, plain=plain)
    return found


def print_verdicts(console: Console, found: RunResults, *, plain: bool) -> None:
    """Print who is first, as far as it can be said, and in a few lines which to take."""
    judged = operation_verdicts_text(found)
    if not judged:
        return
    console.print(Text("Verdicts", style="bold"))
    for line in judged.plain.splitlines():
        _print_hanging(console, line, "bold" if not line.startswith(" ") else "", plain=plain)
    told = recommendation_text(found, width=min(output_width(), MOST_COLUMNS))
    told.plain = ascii_text(told.plain) if plain else told.plain
    console.print()
    if told:
        console.print(told, soft_wrap=True)


def _print_hanging(console: Console, line: str, style: str, *, plain: bool) -> None:
    """Print a sentence, its further lines indented, so that each is found by its beginning."""
    for part in wrap(
        ascii_text(line) if plain else line,
        min(output_width(), MOST_COLUMNS),
        subsequent_indent=" " * 8,
        break_on_hyphens=False,
    ):
        console.print(Text(part, style=style), soft_wrap=True)


def print_drawing(console: Console, drawing: Chart, *, plain: bool) -> None:
    """Print one chart."""
    from imgstore_tui.present.charts.text_chart import draw_figure

    figure = drawing.figure
    if drawing.heading:
        # Numbered figures say their axes, since each comes twice.
        figure = replace(
            figure,
            title=drawing.heading + figure.title + ("" if drawing.scales == LOG else f", {drawing.scales.text}"),
        )
    width = min(output_width(), MOST_COLUMNS)
    chart = draw_figure(figure, width, CHART_ROWS, scales=drawing.scales, ascii_only=plain)
    chart.rstrip()
    console.print(chart, Text(), sep="\n", soft_wrap=True)
