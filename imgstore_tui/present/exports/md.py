"""Exports Markdown: tables for a README, an issue or a pull request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from rich.cells import cell_len

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.advice_section import TITLE as ADVICE
from imgstore_tui.present.advice_section import advice_tables, report_advice
from imgstore_tui.present.article import article_report
from imgstore_tui.present.charts.chart_list import Chart
from imgstore_tui.present.results import RunResults, build_results
from imgstore_tui.present.tables.report_tables import facts_table, further_tables
from imgstore_tui.present.tables.table_model import Table
from imgstore_tui.present.text.advice import row_names, sentence_text, statements
from imgstore_tui.present.text.narrative import verdict_lines
from imgstore_tui.present.text.recommendation import TITLE, recommendation_lines
from imgstore_tui.present.text.shared_options import short_names, short_table
from imgstore_tui.present.text.standings import TITLE as STANDINGS
from imgstore_tui.present.text.standings import standings_lines, standings_text

COLUMNS, ROWS, PARETO_ROWS = 92, 22, 14
"""Size of a chart drawn with characters."""

_SPECIAL = re.compile(r"([\\`*_\[\]|~#])")


class MarkdownExporter(Exporter):
    """GitHub-flavoured Markdown: facts, recommendation, every verdict, every table."""

    name = "md"
    title = "tables for a README, an issue or a pull request"
    suffix = ".md"

    def export(self, run: Run) -> bytes:
        """Return a document of a heading for each table."""
        results = build_results(run)
        facts = facts_table(run)
        parts = [f"# Images stored and read back, run {escape(safe_text(run.id))}"]
        parts.append("\n".join(f"- **{escape(name.text)}**: {escape(value.text)}" for name, value in facts.rows))
        if recommendation := recommendation_lines(results):
            parts.append(f"## {TITLE}")
            # Only a line of backticks would end the fence, which no command is.
            parts += [
                f"```sh\n{line.text}\n```" if line.command
                else f"**{escape(line.text)}**" if line.headline
                else escape(line.text)
                for line in recommendation
            ]  # fmt: skip
        if standings := standings_lines(results):
            # The bars first: below a list, indented lines would belong to its last entry.
            bars = standings_text(results, width=COLUMNS).plain.splitlines()[2:]
            listed = "\n".join(f"- {escape(line)}" for line in standings)
            parts += [f"## {STANDINGS}", _indented(bars), listed]
        lines = verdict_lines(results)
        if lines:
            parts += ["## Verdicts", "\n".join(f"- {escape(line)}" for line in lines)]
        parts += _advice_parts(results)
        for item in (*article_report(results), *further_tables(results)):
            parts += _table_parts(item) if isinstance(item, Table) else _chart_parts(item)
        return ("\n\n".join(parts) + "\n").encode()


def _advice_parts(results: RunResults) -> list[str]:
    """Return the advice on each dataset: its sentences with the rows they rest on, its chart and its tables."""
    from imgstore_tui.present.charts.pareto import pareto_chart, pareto_text

    parts = []
    plan = results.run.plan
    for advice in report_advice(results):
        data = f": {advice.choice.dataset}" if len(results.run.plan.datasets) > 1 else ""
        parts.append(f"## {ADVICE}{escape(safe_text(data))}")
        listed = []
        for number, statement in enumerate(statements(advice)):
            mark = "**" if number == 0 else ""
            rows = f" ({escape(short_names(row_names(statement.rows), plan))})" if statement.rows else ""
            listed.append(f"- {mark}{escape(sentence_text(statement, plan))}{mark}{rows}")
        parts.append("\n".join(listed))
        if (chart := pareto_chart(advice, results.run)) is not None:
            parts.append(_indented(pareto_text(chart, COLUMNS, PARETO_ROWS).plain.splitlines()))
        parts += [part for table in advice_tables(advice) for part in _table_parts(short_table(table, plan))]
    return parts


def _table_parts(table: Table) -> list[str]:
    return [f"## {escape(table.title)}", markdown_table(table), *([escape(table.caption)] if table.caption else [])]


def _chart_parts(chart: Chart) -> list[str]:
    """Return a chart of the article report as plain text, which every reader of Markdown can show."""
    if chart.figure.empty:
        return []
    from imgstore_tui.present.charts.text_chart import draw_figure

    drawn = draw_figure(replace(chart.figure, title=""), COLUMNS, ROWS, scales=chart.scales).plain
    return [f"## {escape(chart.title)}", _indented(drawn.splitlines())]


def _indented(lines: Sequence[str]) -> str:
    """Return lines as a code block. An indented line cannot end it, whatever its text."""
    return "\n".join(f"    {line.rstrip()}" if line.strip() else "" for line in lines)


def escape(text: str) -> str:
    """Return text in which Markdown, HTML, links and mentions are escaped."""
    text = _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return text.replace("://", "&#58;//").replace("@", "&#64;").replace("www.", "www&#46;")


def markdown_table(table: Table) -> str:
    """Return a table whose columns are aligned in the source too; numbers are aligned right."""
    head = [escape(column.title) for column in table.columns]
    rows = [[escape(cell.text.strip()) for cell in row] for row in table.rows]
    # Markdown drops leading spaces: no-break spaces keep indented names apart from headings.
    for row, cells in zip(rows, table.rows, strict=True):
        if cells and cells[0].text.startswith("  "):
            row[0] = f"&nbsp;&nbsp;{row[0]}"
    widths = [max(3, *(cell_len(row[index]) for row in [head, *rows])) for index in range(len(head))]
    rule = [
        "-" * (width - 1) + ":" if column.right else "-" * width
        for column, width in zip(table.columns, widths, strict=True)
    ]
    return "\n".join(_line(row, widths, table) for row in [head, rule, *rows])


def _line(row: list[str], widths: list[int], table: Table) -> str:
    cells = []
    for text, width, column in zip(row, widths, table.columns, strict=True):
        gap = " " * (width - cell_len(text))
        cells.append(gap + text if column.right else text + gap)
    return f"| {' | '.join(cells)} |"
