"""Exports LaTeX: tables for a paper, in booktabs style, to be input into a document."""

from __future__ import annotations

import re

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.report_tables import all_tables, facts_table
from imgstore_tui.present.tables.table_model import Table, TableColumn

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}", "-": "{-}",
    "µ": r"\ensuremath{\mu}", "[": "{[}", "]": "{]}", "*": r"\textasteriskcentered{}",
}  # fmt: skip
_RANGE = re.compile(r"^(\(?[\d.,]+)\{-\}([\d.,]+\)?)$")


class TexExporter(Exporter):
    r"""Tables as floats with captions; needs ``\usepackage[T1]{fontenc}`` and ``\usepackage{booktabs,textcomp}``."""

    name = "tex"
    title = "tables for a paper, in booktabs style"
    suffix = ".tex"

    def export(self, run: Run) -> bytes:
        """Return a fragment: the facts as comments, then one float per table."""
        facts = facts_table(run)
        parts = [
            r"% Needs \usepackage[T1]{fontenc} and \usepackage{booktabs,textcomp}.",
            f"% {safe_text(f'Images stored and read back, run {run.id}')}",
            *(f"% {name.text}: {value.text}" for name, value in facts.rows),
        ]
        parts += [_float(table) for table in all_tables(build_results(run)) if table.title != facts.title]
        return ("\n".join(parts) + "\n").encode()


def escape(text: str) -> str:
    """Return text with the commands of LaTeX escaped; ranges of numbers get an en dash."""
    escaped = "".join(_SPECIAL.get(character, character) for character in text)
    return _RANGE.sub(r"\1--\2", escaped)


def _float(table: Table) -> str:
    kept = [index for index, column in enumerate(table.columns) if not column.wide or column.title == "interval"]
    columns = [table.columns[index] for index in kept]
    # Folding columns share the width that the others leave, at about fourteen letters each.
    folding = sum(map(_folds, columns))
    share = (1.0 - 0.16 * (len(columns) - folding)) / folding if folding else 0.0
    alignments = "".join(_alignment(column, share) for column in columns)
    lines = [
        r"\begin{table}[htbp]", r"\centering\small",
        rf"\caption{{{escape(table.title)}. {escape(table.caption)}}}",
        rf"\begin{{tabular}}{{{alignments}}}", r"\toprule",
        " & ".join(escape(column.title) for column in columns) + r" \\", r"\midrule",
    ]  # fmt: skip
    last = len(table.rows) - 1
    for number, row in enumerate(table.rows):
        before = table.rows[number - 1] if number and number - 1 not in table.breaks else None
        cells = []
        for index in kept:
            text = row[index].text
            repeats = table.columns[index].grouped and before is not None and before[index] == row[index]
            indent = r"\quad " if text.startswith("  ") else ""
            cells.append("" if repeats else indent + escape(text.strip()))
        lines.append(" & ".join(cells) + r" \\")
        if number in table.breaks and number != last:
            lines.append(r"\addlinespace")
    return "\n".join(["", *lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"])


def _alignment(column: TableColumn, share: float) -> str:
    if column.right:
        return "r"
    return f"p{{{max(0.2, share):.2f}\\linewidth}}" if _folds(column) else "l"


def _folds(column: TableColumn) -> bool:
    return column.wraps and column.title != "method"
