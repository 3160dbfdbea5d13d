"""``imgstore-tui show``: tables and charts of a saved run."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from imgstore_tui.cli.output import ascii_only, data_console, output_width
from imgstore_tui.cli.parser import Parser, choice
from imgstore_tui.cli.saved import read_run
from imgstore_tui.core.model import Run

CHART_ROWS = 22
MOST_COLUMNS = 120


def main(arguments: Sequence[str]) -> int:
    """Print a run's tables and charts."""
    parser = Parser(prog="imgstore-tui show", description="Tables and charts of a saved run.")
    parser.add_argument("run", metavar="RUN", help="a run id, a file, or last")
    parser.add_argument("--chart", metavar="KIND", help="this chart only")
    parser.add_argument("--no-charts", action="store_true", help="tables only")
    parser.add_argument("--linear", action="store_true", help="linear axes instead of log-log")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument("--follow", action="store_true", help="watch a run that is going on until it ends")
    words = parser.parse_args(arguments)
    if words.follow:
        from imgstore_tui.cli.follow import follow

        follow(words.run)
    run = read_run(words.run)
    console = data_console()
    plain = words.ascii or ascii_only()
    if words.chart is None:
        from imgstore_tui.present.sections import digest
        from imgstore_tui.present.tables import rich_run

        console.print(rich_run(digest(run), output_width(), ascii_only=plain))
    if not words.no_charts:
        _print_charts(console, run, words.chart, log=not words.linear, plain=plain)
    return 0


def _print_charts(console: Console, run: Run, only: str | None, *, log: bool, plain: bool) -> None:
    from imgstore_tui.present.charts import chart_for
    from imgstore_tui.present.figures import chart_kinds

    kinds = [kind.value for kind in chart_kinds(run)]
    if only is not None:
        kinds = [choice("chart", only, kinds)]
    for kind in kinds:
        chart = chart_for(run, kind, min(output_width(), MOST_COLUMNS), CHART_ROWS, log=log, ascii_only=plain)
        chart.rstrip()
        console.print(chart, Text(), sep="\n", soft_wrap=True)
