"""Exports HTML: a report in one file that opens offline, loads nothing and runs no script."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from itertools import groupby

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.advice_section import TITLE as ADVICE
from imgstore_tui.present.advice_section import advice_tables, report_advice
from imgstore_tui.present.article import article_report, further_charts
from imgstore_tui.present.charts.chart_list import Chart
from imgstore_tui.present.charts.colours import ON_DARK, ON_LIGHT
from imgstore_tui.present.charts.pareto import pareto_chart
from imgstore_tui.present.charts.pareto_svg import pareto_svg
from imgstore_tui.present.charts.standings_svg import standings_svg
from imgstore_tui.present.charts.svg import figure_svg
from imgstore_tui.present.results import RunResults, build_results
from imgstore_tui.present.tables.report_tables import facts_table, further_tables
from imgstore_tui.present.tables.table_model import Emphasis, Table
from imgstore_tui.present.text.advice import row_names, sentence_text, statements
from imgstore_tui.present.text.narrative import verdict_lines
from imgstore_tui.present.text.recommendation import TITLE, RecommendationLine, recommendation_lines
from imgstore_tui.present.text.shared_options import short_names, short_table
from imgstore_tui.present.text.standings import TITLE as STANDINGS
from imgstore_tui.present.text.standings import standings_lines

_ITEM = "- "


def _variables(colours: tuple[str, ...]) -> str:
    """Return the colours of methods as variables of CSS."""
    return " ".join(f"--s{index}: {colour};" for index, colour in enumerate(colours))


_COLOURS = f"""
:root {{ color-scheme: light dark; --ink: #1c2024; --quiet: #646b73; --line: #d9dde1; --paper: #ffffff;
  {_variables(ON_LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e6e8ea; --quiet: #9aa2aa; --line: #3a4047; --paper: #16191c;
  {_variables(ON_DARK)} }} }}
"""
_STYLE = (
    _COLOURS
    + """\
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 120rem;
  margin: 2rem auto; padding: 0 1rem; }
p, ul { margin: .5rem 0; } p, ul, dl { max-width: 70rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; } dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1.5rem; }
.answer { font-size: 1.3rem; font-weight: 600; }
figure { margin: 0; max-width: 46rem; } figcaption { font-weight: 600; margin-bottom: .4rem; }
svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; } svg text { fill: var(--ink); }
svg .quiet { fill: var(--quiet); } svg .grid { stroke: var(--line); } svg .axis { stroke: var(--quiet); }
svg .over { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
pre { overflow-x: auto; padding: .5rem .8rem; border: 1px solid var(--line); border-radius: .3rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .15rem .9rem .15rem 0; white-space: nowrap; vertical-align: top; }
th { border-bottom: 1px solid var(--line); font-weight: 600; } .n { text-align: right; } .w { white-space: normal; }
tr.end td { border-bottom: 1px solid var(--line); padding-bottom: .35rem; }
.caption { color: var(--quiet); font-size: .9rem; max-width: 60rem; }
.best { font-weight: 700; color: var(--s2); } .tie { color: var(--s2); } .bad { color: var(--s5); }
.quiet { color: var(--quiet); }
.s0 { color: var(--s0); } .s1 { color: var(--s1); } .s2 { color: var(--s2); } .s3 { color: var(--s3); }
.s4 { color: var(--s4); } .s5 { color: var(--s5); } .source { color: inherit; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } figure { break-inside: avoid; } }
"""
)


class HtmlExporter(Exporter):
    """A report with charts and every table; its content security policy allows nothing but its own style."""

    name = "html"
    title = "a report with charts, in one file, for a browser"
    suffix = ".html"

    def export(self, run: Run) -> bytes:
        """Return a page without scripts, links or remote parts."""
        results = build_results(run)
        facts = facts_table(run)
        name = escape(safe_text(f"Images stored and read back, run {run.id}"))
        own = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
        parts = [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{own}'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{name}</title><style>{_STYLE}</style></head><body><h1>{name}</h1>",
            "<dl>",
            *(f"<dt>{escape(name.text)}</dt><dd>{escape(value.text)}</dd>" for name, value in facts.rows),
            "</dl>",
            *_recommendation(results),
            *_standings(results),
            *_advice(results),
            *(_table(item) if isinstance(item, Table) else _headed(item) for item in article_report(results)),
            *_charts(results),
            *_sentences("Verdicts", verdict_lines(results)),
            *(_table(table) for table in further_tables(results)),
            "</body></html>",
        ]
        return ("\n".join(part for part in parts if part) + "\n").encode()


def _recommendation(results: RunResults) -> list[str]:
    parts: list[str] = []
    lines = recommendation_lines(results)
    for of_fastest, group in groupby(lines, key=lambda line: line.fastest and line.text.startswith(_ITEM)):
        if of_fastest:
            items = (f"<li>{escape(line.text.removeprefix(_ITEM))}</li>" for line in group)
            parts.append(f"<ul>{''.join(items)}</ul>")
        else:
            parts += map(_recommended, group)
    return [f"<h2>{TITLE}</h2>", *parts] if parts else []


def _recommended(line: RecommendationLine) -> str:
    text = escape(line.text)
    if line.command:
        return f"<pre>{text}</pre>"
    return f'<p class="answer">{text}</p>' if line.headline else f"<p>{text}</p>"


def _advice(results: RunResults) -> list[str]:
    """Return the advice on each dataset: its sentences with the rows they rest on, its chart and its tables."""
    parts = []
    plan = results.run.plan
    for advice in report_advice(results):
        data = f": {escape(safe_text(advice.choice.dataset))}" if len(results.run.plan.datasets) > 1 else ""
        first, *others = statements(advice)
        parts.append(f'<h2>{ADVICE}{data}</h2><p class="answer">{escape(sentence_text(first, plan))}</p><ul>')
        for statement in others:
            names = escape(short_names(row_names(statement.rows), plan))
            rows = f'<div class="caption">{names}</div>' if statement.rows else ""
            parts.append(f"<li>{escape(sentence_text(statement, plan))}{rows}</li>")
        parts.append("</ul>")
        if (chart := pareto_chart(advice, results.run)) is not None:
            caption = escape(f"{chart.title}. {chart.caption}")
            svg = pareto_svg(chart)
            parts.append(f'<div class="charts"><figure><figcaption>{caption}</figcaption>{svg}</figure></div>')
        parts += (_table(short_table(table, plan)) for table in advice_tables(advice))
    return parts


def _standings(results: RunResults) -> list[str]:
    *lines, needs = standings_lines(results) or [""]
    if not needs:
        return []
    return [
        *_sentences(STANDINGS, lines),
        f'<p class="caption">{escape(needs)} Bars end at the median of the rounds; lines show what surrounds it.</p>',
        '<div class="charts">', *standings_svg(results), "</div>",
    ]  # fmt: skip


def _sentences(title: str, lines: list[str]) -> list[str]:
    return [f"<h2>{title}</h2><ul>", *(f"<li>{escape(line)}</li>" for line in lines), "</ul>"] if lines else []


def _charts(results: RunResults) -> list[str]:
    figures = [figure for chart in further_charts(results) if (figure := _figure(chart))]
    return ['<h2>Charts</h2><div class="charts">', *figures, "</div>"] if figures else []


def _headed(chart: Chart) -> str:
    """Return a chart of the article report with a heading like those of the tables around it."""
    svg = figure_svg(chart.figure, scales=chart.scales)
    return f'<h2>{escape(chart.title)}</h2><div class="charts"><figure>{svg}</figure></div>' if svg else ""


def _figure(chart: Chart) -> str:
    svg = figure_svg(chart.figure, scales=chart.scales)
    return f"<figure><figcaption>{escape(chart.title)}</figcaption>{svg}</figure>" if svg else ""


def _table(table: Table) -> str:
    head = "".join(
        f'<th scope="col"{_class("n" * column.right)}>{escape(column.title)}</th>' for column in table.columns
    )
    rows = []
    for number, row in enumerate(table.rows):
        cells = []
        for entry, column in zip(row, table.columns, strict=True):
            emphasis = "" if entry.emphasis is Emphasis.PLAIN else entry.emphasis.value
            classes = _class("n" * column.right, "w" * column.wraps, emphasis)
            indent = "&emsp;" if entry.text.startswith("  ") else ""
            cells.append(f"<td{classes}>{indent}{escape(entry.text.strip())}</td>")
        rows.append(f"<tr{_class('end' * (number in table.breaks))}>{''.join(cells)}</tr>")
    caption = f'<p class="caption">{escape(table.caption)}</p>' if table.caption else ""
    return (
        f'<h2>{escape(table.title)}</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>\n'
        + "\n".join(rows)
        + f"\n</tbody></table></div>{caption}"
    )


def _class(*names: str) -> str:
    classes = " ".join(name for name in names if name)
    return f' class="{classes}"' if classes else ""
