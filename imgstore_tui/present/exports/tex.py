"""Exports LaTeX: advice and tables for a paper, in booktabs style, to be input into a document."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.advice_section import TITLE as ADVICE
from imgstore_tui.present.advice_section import advice_tables, report_advice
from imgstore_tui.present.results import RunResults, build_results
from imgstore_tui.present.tables.report_tables import all_tables, facts_table
from imgstore_tui.present.tables.table_model import Table, TableColumn
from imgstore_tui.present.text.advice import row_names, sentence_text, statements
from imgstore_tui.present.text.shared_options import short_names, short_table

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}", "-": "{-}",
    "µ": r"\ensuremath{\mu}", "[": "{[}", "]": "{]}", "*": r"\textasteriskcentered{}",
}  # fmt: skip
_LINE_LETTERS = 78
"""Letters of a line of small type in a page of LaTeX's own measures."""
_PAGE_LINES = 40
"""Lines of a table on such a page, below its caption."""
_FOOTNOTE = 1.12
"""How many times as many letters a line of footnote size has."""
_MOST_LETTERS = 24
"""Letters up to which a text is not folded."""
_RANGE = re.compile(r"^(\(?[\d.,]+)\{-\}([\d.,]+( \S+)?\)?)$")
_NUMBER = re.compile(r"^\d+\. ")
"""Number of an item in the article's order."""


class TexExporter(Exporter):
    r"""Tables as floats with captions; needs ``\usepackage[T1]{fontenc}``, ``\usepackage{array,booktabs,textcomp}``."""

    name = "tex"
    title = "advice and tables for a paper, in booktabs style"
    suffix = ".tex"

    def export(self, run: Run) -> bytes:
        """Return a fragment: the facts as comments, the advice as a section, then one float per table."""
        facts = facts_table(run)
        parts = [
            r"% Needs \usepackage[T1]{fontenc} and \usepackage{array,booktabs,textcomp}.",
            f"% {safe_text(f'Images stored and read back, run {run.id}')}",
            *(f"% {name.text}: {value.text}" for name, value in facts.rows),
        ]
        results = build_results(run)
        parts += _advice(results)
        for table in all_tables(results):
            parts += _floats(table) if table.title != facts.title else ()
        return ("\n".join(parts) + "\n").encode()


def _advice(results: RunResults) -> Iterator[str]:
    """Yield the advice on each dataset: a section with its sentences and the rows they rest on, and its tables."""
    plan = results.run.plan
    for advice in report_advice(results):
        data = f": {safe_text(advice.choice.dataset)}" if len(results.run.plan.datasets) > 1 else ""
        yield from ("", rf"\section*{{{escape(ADVICE + data)}}}", r"\begin{itemize}\raggedright")
        for statement in statements(advice):
            names = escape(short_names(row_names(statement.rows), plan))
            rows = rf" {{\small ({names})}}" if statement.rows else ""
            yield rf"\item {escape(sentence_text(statement, plan))}{rows}"
        yield r"\end{itemize}"
        for table in advice_tables(advice):
            yield from _floats(short_table(table, plan))


def escape(text: str) -> str:
    """Return text with the commands of LaTeX escaped; ranges of numbers get an en dash."""
    escaped = "".join(_SPECIAL.get(character, character) for character in text)
    return _RANGE.sub(r"\1--\2", escaped)


def _floats(table: Table) -> Iterator[str]:
    """Yield a table as floats, none of them longer than a page: LaTeX cuts off what is."""
    columns = [column for column in table.columns if not column.wide or column.title == "interval"]
    indexes = [table.columns.index(column) for column in columns]
    shares = _shares(table, indexes)
    heights = [
        max(1, *(math.ceil(len(row[index].text) / (share * _LINE_LETTERS)) for index, share in shares.items()), 1)
        for row in table.rows
    ]
    parts: list[list[int]] = [[]]
    height = 0
    for number, lines in enumerate(heights):
        if height + lines > _PAGE_LINES and parts[-1]:
            parts.append([])
            height = 0
        parts[-1].append(number)
        height += lines
    alignments = "".join(_alignment(table.columns[index], shares.get(index)) for index in indexes)
    for place, rows in enumerate(parts):
        yield _float(table, rows, indexes, alignments, continued=place > 0)


def _shares(table: Table, indexes: Sequence[int]) -> dict[int, float]:
    """Return the columns that fold, each with its share of the width by the length of its texts."""
    longest = {index: max((len(row[index].text) for row in table.rows), default=0) for index in indexes}
    folding = [
        index
        for index in indexes
        if table.columns[index].wraps and table.columns[index].title != "method" and longest[index] > _MOST_LETTERS
    ]
    letters = sum(max(longest[index], len(table.columns[index].title)) + 2 for index in indexes if index not in folding)
    room = max(0.3, 0.96 - letters / _LINE_LETTERS)
    weights = {index: math.sqrt(sum(len(row[index].text) for row in table.rows)) for index in folding}
    return {index: room * weight / sum(weights.values()) for index, weight in weights.items()}


def _float(table: Table, numbers: Sequence[int], indexes: Sequence[int], alignments: str, *, continued: bool) -> str:
    # The paper numbers its tables itself.
    title = escape(_NUMBER.sub("", table.title))
    caption = f"{title}, continued." if continued else f"{title}. {escape(table.caption)}"
    lines = [
        r"\begin{table}[htbp]", rf"\centering{_type_size(table, indexes)}\setlength{{\tabcolsep}}{{4pt}}",
        rf"\caption{{{caption}}}",
        rf"\begin{{tabular}}{{{alignments}}}", r"\toprule",
        " & ".join(escape(table.columns[index].title) for index in indexes) + r" \\", r"\midrule",
    ]  # fmt: skip
    for number in numbers:
        row = table.rows[number]
        before = table.rows[number - 1] if number != numbers[0] and number - 1 not in table.breaks else None
        cells = []
        for index in indexes:
            text = row[index].text
            repeats = table.columns[index].grouped and before is not None and before[index] == row[index]
            indent = r"\quad " if text.startswith("  ") else ""
            cells.append("" if repeats else indent + escape(text.strip()))
        lines.append(" & ".join(cells) + r" \\")
        if number in table.breaks and number != numbers[-1]:
            lines.append(r"\addlinespace")
    return "\n".join(["", *lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"])


def _type_size(table: Table, indexes: Sequence[int]) -> str:
    """Return the largest type in which the columns of a table fit beside each other; folded ones always do."""
    longest = [
        max(len(table.columns[index].title), *(len(row[index].text) for row in table.rows)) + 2
        for index in indexes
        if index not in _shares(table, indexes)
    ]
    over = sum(longest) / _LINE_LETTERS
    return r"\small" if over <= 1 else r"\footnotesize" if over <= _FOOTNOTE else r"\scriptsize"


def _alignment(column: TableColumn, share: float | None) -> str:
    if column.right:
        return "r"
    return "l" if share is None else rf">{{\raggedright\arraybackslash}}p{{{share:.2f}\linewidth}}"
