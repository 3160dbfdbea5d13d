"""Markdown: tables for a README, an issue or a pull request."""

from __future__ import annotations

import re
from dataclasses import replace

from rich.cells import cell_len

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.article import article_report
from imgstore_tui.present.charts.chart_list import Chart
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.report_tables import facts_table, further_tables
from imgstore_tui.present.tables.table_model import Table
from imgstore_tui.present.text.narrative import verdict_lines
from imgstore_tui.present.text.recommendation import TITLE, recommendation_lines

COLUMNS, ROWS = 92, 22
"""Of a figure drawn with characters."""

_SPECIAL = re.compile(r"([\\`*_\[\]|~#])")


class MarkdownExporter(Exporter):
    """GitHub-flavoured Markdown: what was measured, every table, every verdict."""

    name = "md"
    title = "tables for a README, an issue or a pull request"
    suffix = ".md"

    def export(self, run: Run) -> bytes:
        """Return a document of a heading for each table."""
        results = build_results(run)
        facts = facts_table(run)
        parts = [f"# Images stored and read back, run {escape(safe_text(run.id))}"]
        parts.append("\n".join(f"- **{escape(name.text)}**: {escape(value.text)}" for name, value in facts.rows))
        if said := recommendation_lines(results):
            parts.append(f"## {TITLE}")
            # A fence ends at a line of nothing but its own marks, which no command is.
            parts += [f"```sh\n{line.text}\n```" if line.command else escape(line.text) for line in said]
        lines = verdict_lines(results)
        if lines:
            parts += ["## Verdicts", "\n".join(f"- {escape(line)}" for line in lines)]
        for item in (*article_report(results), *further_tables(results)):
            parts += _table_parts(item) if isinstance(item, Table) else _figure_parts(item)
        return ("\n\n".join(parts) + "\n").encode()


def _table_parts(table: Table) -> list[str]:
    return [f"## {escape(table.title)}", markdown_table(table), *([escape(table.caption)] if table.caption else [])]


def _figure_parts(drawing: Chart) -> list[str]:
    """Return a figure of a report as plain text, which every reader of Markdown can show."""
    if drawing.figure.empty:
        return []
    from imgstore_tui.present.charts.text_chart import draw_figure

    drawn = draw_figure(replace(drawing.figure, title=""), COLUMNS, ROWS, scales=drawing.scales).plain
    lines = [line.rstrip() for line in drawn.splitlines()]
    # Indented, a line cannot end the block that it stands in, whatever it says.
    return [f"## {escape(drawing.title)}", "\n".join(f"    {line}" if line else "" for line in lines)]


def escape(text: str) -> str:
    """Return harmless text in which Markdown, HTML, links and mentions find nothing to act on."""
    text = _SPECIAL.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return text.replace("://", "&#58;//").replace("@", "&#64;").replace("www.", "www&#46;")


def markdown_table(table: Table) -> str:
    """Return a table in columns that line up in the source too; numbers stand right."""
    head = [escape(column.title) for column in table.columns]
    rows = [[escape(cell.text.strip()) for cell in row] for row in table.rows]
    # A heading row's indented names would lose their spaces: a no-break space keeps them apart from headings.
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
