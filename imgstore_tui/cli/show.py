"""``imgstore-tui show``: tables and charts of a saved run."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from imgstore_tui.cli.load_run import read_run
from imgstore_tui.cli.output import ascii_only, data_console
from imgstore_tui.cli.parser import RUN_HELP, CommandParser, check_choice
from imgstore_tui.core.model import Run
from imgstore_tui.present.charts.axes import Scales


def main(arguments: Sequence[str]) -> int:
    """Print a run's tables and charts."""
    parser = CommandParser(prog="imgstore-tui show", description="Tables and charts of a saved run.")
    parser.add_argument("run", metavar="RUN", help=RUN_HELP)
    parser.add_argument("--chart", metavar="KIND", help="only this chart")
    parser.add_argument("--no-charts", action="store_true", help="no charts")
    parser.add_argument("--at", metavar="N", help="only rank the methods at this number of images")
    parser.add_argument(
        "--cell", metavar="METHOD/OPERATION/N", help="only show one cell in full: samples, phases, memory, proof"
    )
    parser.add_argument("--linear", action="store_true", help="linear axes instead of log-log")
    parser.add_argument("--linear-x", action="store_true", help="linear x axis: number of images")
    parser.add_argument("--linear-y", action="store_true", help="linear y axis: values")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument("--follow", action="store_true", help="watch a run in progress until it ends")
    words = parser.parse_args(arguments)
    if words.follow:
        from imgstore_tui.cli.follow import follow

        follow(words.run)
    run = read_run(words.run)
    console = data_console()
    plain = words.ascii or ascii_only()
    if words.at is not None or words.cell is not None:
        from imgstore_tui.cli.show_detail import print_cells, print_ranking

        if words.at is not None:
            print_ranking(console, run, words.at, plain=plain)
        if words.cell is not None:
            print_cells(console, run, words.cell, plain=plain)
        return 0
    from imgstore_tui.cli.printing import print_tables, print_verdicts

    found = None if words.chart is not None else print_tables(console, run, plain=plain, charts=not words.no_charts)
    if not words.no_charts:
        scales = Scales(not (words.linear or words.linear_x), not (words.linear or words.linear_y))
        _print_charts(console, run, words.chart, scales=scales, plain=plain)
    if found is not None:
        print_verdicts(console, found, plain=plain)  # last, where the eye is
    return 0


def _print_charts(console: Console, run: Run, only: str | None, *, scales: Scales, plain: bool) -> None:
    from imgstore_tui.cli.printing import print_drawing
    from imgstore_tui.present.article import further_charts
    from imgstore_tui.present.charts.chart_list import run_charts
    from imgstore_tui.present.charts.figures import chart_kinds

    if only is None:
        wanted = further_charts(run, scales=scales)
    else:
        kind = check_choice("chart", only, [kind.value for kind in chart_kinds(run)])
        wanted = tuple(drawing for drawing in run_charts(run, scales=scales) if drawing.figure.kind == kind)
    for drawing in wanted:
        print_drawing(console, drawing, plain=plain)
