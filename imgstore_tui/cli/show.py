"""``imgstore-tui show``: prints what a saved run answers, or its tables, charts, a ranking, or one cell in full."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from imgstore_tui.cli.load_run import read_run
from imgstore_tui.cli.output import ascii_only, data_console, output_width, talk_console
from imgstore_tui.cli.parser import LAST_RUN, CommandParser, check_choice
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.events import Event, RunFinished, RunStarted
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count, parse_count
from imgstore_tui.present.charts.axes import Scales

if TYPE_CHECKING:
    from imgstore_tui.present.results import RunResults


PARTS = ("answer", "tables", "charts", "verdicts", "ceilings", "clients", "all")


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="imgstore-tui show", description="What a saved run answers; its tables, charts and verdicts."
    )
    parser.add_optional_run()
    parser.add_argument(
        "part", metavar="PART", nargs="?", default=PARTS[0],
        help=f"{', '.join(PARTS[:-1])} or {PARTS[-1]}; answer, which is usual: medians, disk use, what to take",
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", help="the same as the part all")
    parser.add_argument("--chart", metavar="KIND", help="only this chart")
    parser.add_argument("--no-charts", action="store_true", help="no charts")
    parser.add_argument("--at", metavar="N", help="only rank the methods at this number of images")
    parser.add_argument(
        "--cell", metavar="METHOD/OPERATION/N", help="only show one cell in full: samples, phases, memory, proof"
    )
    parser.add_argument(
        "--prices", metavar="FILE", nargs="?", const="", help="only what object storage costs, by a price sheet"
    )
    parser.add_argument("--linear", action="store_true", help="linear axes instead of log-log")
    parser.add_argument("--linear-x", action="store_true", help="linear x axis: number of images")
    parser.add_argument("--linear-y", action="store_true", help="linear y axis: values")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument(
        "--json",
        action="store_true",
        help="as JSON: the whole run, as export -f json writes it; with --cell or --at these cells alone",
    )
    parser.add_argument("--follow", action="store_true", help="watch a run in progress until it ends")
    return parser


def main(argv: Sequence[str]) -> int:
    """Print what a run answers, or another part of it."""
    arguments = make_parser().parse_args(argv)
    if arguments.all:
        arguments.part = "all"
    if arguments.run in PARTS and arguments.part == PARTS[0] and not _is_run(arguments.run):
        arguments.run, arguments.part = LAST_RUN, arguments.run
    if arguments.follow:
        _follow(arguments.run)
    run = read_run(arguments.run)
    console = data_console()
    if arguments.json and (arguments.cell is not None or arguments.at is not None):
        return _print_cells_as_json(run, arguments.cell, arguments.at)
    if arguments.json:
        from imgstore_tui.present import exports

        console.file.write(exports.get("json").export(run).decode())
        return 0
    plain = arguments.ascii or ascii_only()
    if arguments.prices is not None:
        _print_costs(console, run, arguments.prices, plain=plain)
        return 0
    from imgstore_tui.present.results import build_results

    results = build_results(run)
    if arguments.at is not None or arguments.cell is not None:
        if arguments.at is not None:
            _print_ranking(console, results, arguments.at, plain=plain)
        if arguments.cell is not None:
            _print_cells(console, results, arguments.cell, plain=plain)
        return 0
    scales = Scales(not (arguments.linear or arguments.linear_x), not (arguments.linear or arguments.linear_y))
    if arguments.chart is not None:
        _print_charts(console, results, arguments.chart, scales=scales, plain=plain)
    else:
        part = check_choice("part", arguments.part, list(PARTS))
        _print_part(console, results, part, charts=not arguments.no_charts, scales=scales, plain=plain)
    return 0


def _is_run(name: str) -> bool:
    from imgstore_tui.bench.results.journal import find_run

    try:
        find_run(name)
    except UsageError:
        return False
    return True


def _print_cells_as_json(run: Run, name: str | None, at: str | None) -> int:
    """Print cells with their measurements: those of a name, those at a number of images, or those that are both."""
    from imgstore_tui.cli.listing import print_json
    from imgstore_tui.present.exports.json import cell_records
    from imgstore_tui.present.results import build_results

    results = build_results(run)
    cells = [summary.cell for summary in results.summaries]
    if name is not None:
        cells = _cells(cells, name)
    if at is not None:
        cells = [cell for cell in cells if cell.cutoff == parse_count(at)]
    return print_json(cell_records(results, cells))


def _print_part(console: Console, results: RunResults, part: str, *, charts: bool, scales: Scales, plain: bool) -> None:
    """Print a part of a run; what it answers stands last, where the eye is."""
    from imgstore_tui.cli.printing import print_answer, print_article_charts, print_tables, print_verdicts

    if part == "answer":
        print_answer(console, results, plain=plain)
        without = {"ceilings": not results.run.ceilings, "clients": not results.run.client_rounds}
        parts = [name for name in PARTS[1:] if not without.get(name)]
        more = f"More of it: imgstore-tui show {safe_text(results.run.id)} {'|'.join(parts)}"
        talk_console().print(more, markup=False, soft_wrap=True)
    if part in ("tables", "all"):
        print_tables(console, results, plain=plain, charts=charts and part == "all")
    if part == "ceilings":
        _print_ceilings(console, results, plain=plain)
    if part == "clients":
        _print_clients(console, results, charts=charts, scales=scales, plain=plain)
    if charts and part == "charts":
        print_article_charts(console, results, plain=plain)
    if charts and part in ("charts", "all"):
        _print_charts(console, results, None, scales=scales, plain=plain)
    if part in ("verdicts", "all"):
        print_verdicts(console, results, plain=plain)


def _print_ceilings(console: Console, results: RunResults, *, plain: bool) -> None:
    """Print what the machine does without a storage method, and how far each result is from that.

    Raises:
        UsageError: If it was not measured.
    """
    from imgstore_tui.present.tables.ceilings import ceiling_tables
    from imgstore_tui.present.tables.rich_table import rich_table

    tables = ceiling_tables(results)
    if not tables:
        raise UsageError(
            "This run has no ceilings: its plan does not measure them. The plans quick, full, training, archive, "
            "sharing and service do, and a plan file with ceilings = true."
        )
    for table in tables:
        console.print(rich_table(table, output_width(), ascii_only=plain), Text(), sep="\n")


def _print_clients(console: Console, results: RunResults, *, charts: bool, scales: Scales, plain: bool) -> None:
    """Print what several clients of one store reached: charts, tables, and what they say.

    Raises:
        UsageError: If it was not measured.
    """
    from imgstore_tui.present.tables.clients import client_tables
    from imgstore_tui.present.tables.rich_table import rich_table
    from imgstore_tui.present.text.ascii import ascii_text
    from imgstore_tui.present.text.clients import clients_text

    if not results.run.client_rounds:
        raise UsageError("This run has no rounds of clients. To measure them: imgstore-tui run --clients 1,2,4")
    if charts:
        _print_charts(console, results, "clients", scales=scales, plain=plain)
    for table in client_tables(results):
        console.print(rich_table(table, output_width(), ascii_only=plain), Text(), sep="\n")
    text = clients_text(results.run, output_width())
    text.plain = ascii_text(text.plain) if plain else text.plain
    console.print(text, soft_wrap=True)


def _follow(name: str) -> None:
    """Print a line per measurement until the run ends or the process that measures it is gone."""
    from imgstore_tui.bench.results.follow import follow_run
    from imgstore_tui.bench.results.journal import find_run
    from imgstore_tui.cli.progress import timed
    from imgstore_tui.present.text.log_line import log_line

    talk = talk_console()

    def print_event(event: Event) -> None:
        # The tables that follow show the beginning and the end.
        line = None if isinstance(event, RunStarted | RunFinished) else log_line(event)
        if line is not None:
            talk.print(timed(event, line), soft_wrap=True)

    follow_run(find_run(name), cancel=threading.Event(), listen=print_event)


def _print_charts(console: Console, results: RunResults, only: str | None, *, scales: Scales, plain: bool) -> None:
    from imgstore_tui.cli.printing import print_chart
    from imgstore_tui.present.article import further_charts
    from imgstore_tui.present.charts.chart_list import run_charts
    from imgstore_tui.present.charts.figures import chart_kinds

    if only is None:
        charts = further_charts(results, scales=scales)
    else:
        kind = check_choice("chart", only, [kind.value for kind in chart_kinds(results.run)])
        charts = tuple(chart for chart in run_charts(results, scales=scales) if chart.figure.kind == kind)
    for chart in charts:
        print_chart(console, chart, plain=plain)


def _print_ranking(console: Console, results: RunResults, at: str, *, plain: bool) -> None:
    """Print the ranking of the methods at one number of images, as the user wrote it.

    Raises:
        UsageError: If nothing was measured at that number.
    """
    from imgstore_tui.present.tables.ranking import measured_cutoffs, ranking_table
    from imgstore_tui.present.tables.rich_table import rich_table

    cutoff = parse_count(at)
    cutoffs = measured_cutoffs(results)
    if cutoff not in cutoffs:
        raise UsageError(f"Nothing was measured at {format_count(cutoff)} images. {_measured(cutoffs)}")
    console.print(rich_table(ranking_table(results, cutoff), output_width(), ascii_only=plain))


def _print_costs(console: Console, run: Run, sheet_path: str, *, plain: bool) -> None:
    """Print what the requests and bytes of a run cost.

    Raises:
        UsageError: If the price sheet cannot be read, or no requests were counted.
    """
    from imgstore_tui.analysis.prices import EXAMPLE, read_prices
    from imgstore_tui.core.paths import expand_path
    from imgstore_tui.present.tables.cost import cost_table
    from imgstore_tui.present.tables.rich_table import rich_table

    table = cost_table(run, read_prices(expand_path(sheet_path)) if sheet_path else EXAMPLE)
    if not table.rows:
        raise UsageError("No requests were counted in this run: none of its methods is on a server.")
    console.print(rich_table(table, output_width(), ascii_only=plain))
    if not sheet_path:
        talk_console().print(
            "These prices are an example. Copy the sheet from imgstore-tui help object-storage, write yours into it, "
            "and name it: --prices FILE"
        )


def _print_cells(console: Console, results: RunResults, name: str, *, plain: bool) -> None:
    """Print everything about a cell, at each level at which it was measured.

    Args:
        console: Where to print.
        results: The results of the run.
        name: ``METHOD/OPERATION/N``, as the user wrote it.
        plain: Whether only ASCII is printed.

    Raises:
        UsageError: If the run has no such cell.
    """
    from imgstore_tui.cli.printing import MOST_COLUMNS
    from imgstore_tui.present.detail.cell_detail import cell_detail, cell_title
    from imgstore_tui.present.text.ascii import ascii_text

    width = min(output_width(), MOST_COLUMNS)
    for cell in _cells([summary.cell for summary in results.summaries], name):
        title = cell_title(cell)
        console.print(Text(ascii_text(title) if plain else title, style="bold"))
        console.print(cell_detail(results, cell, width, ascii_only=plain), Text(), sep="\n", soft_wrap=True)


def _cells(cells: list[Cell], name: str) -> list[Cell]:
    """Return the cells of a method, operation and number of images: one per dataset and level."""
    parts = name.rsplit("/", 2)
    if len(parts) != 3:
        raise UsageError(f"'{name}' is not a cell. Write METHOD/OPERATION/N, e.g. lmdb/read-many/1k.")
    label = check_choice("method", parts[0], list(dict.fromkeys(cell.spec for cell in cells)))
    cells = [cell for cell in cells if cell.spec == label]
    operation = check_choice("operation", parts[1], list(dict.fromkeys(str(cell.operation) for cell in cells)))
    cells = [cell for cell in cells if cell.operation == operation]
    cutoff = parse_count(parts[2])
    matching = [cell for cell in cells if cell.cutoff == cutoff]
    if not matching:
        cutoffs = tuple(sorted({cell.cutoff for cell in cells}))
        raise UsageError(f"{label} {operation} was not measured at {format_count(cutoff)} images. {_measured(cutoffs)}")
    return matching


def _measured(cutoffs: tuple[int, ...]) -> str:
    return f"Measured: {', '.join(map(format_count, cutoffs)) or 'nothing'}."
