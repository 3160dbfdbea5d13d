"""``imgstore-tui advise``: advises which method to take, by what the images are used for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from imgstore_tui.analysis.advice.run_advice import DEFAULT_EPOCHS, DatasetAdvice, Situation, advise_run
from imgstore_tui.analysis.advice.weights import Criterion, Use, parse_weights, weights_for
from imgstore_tui.analysis.prices import EXAMPLE, PriceSheet, read_prices
from imgstore_tui.cli.load_run import read_run
from imgstore_tui.cli.output import ascii_only, data_console, output_width, talk_console
from imgstore_tui.cli.parser import CommandParser, check_choice
from imgstore_tui.core.errors import DataError, UsageError
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import parse_count
from imgstore_tui.present.advice_section import advice_tables
from imgstore_tui.present.charts.pareto import pareto_chart, pareto_text
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.present.text.advice import row_names, statements
from imgstore_tui.present.text.ascii import ascii_text

MOST_COLUMNS = 120
CHART_COLUMNS, CHART_ROWS = 72, 14
MOST_EPOCHS = 1_000_000
MOST_CLIENTS = 1_000_000


def main(argv: Sequence[str]) -> int:
    """Print the advice for each dataset of a run."""
    parser = make_parser()
    arguments = parser.parse_args(argv)
    use = None
    if arguments.use is not None:
        use = Use(check_choice("use", arguments.use, [use.value for use in Use]))
    images = None if arguments.images is None else parse_count(arguments.images)
    if arguments.epochs is not None and not 1 <= arguments.epochs <= MOST_EPOCHS:
        raise UsageError(f"--epochs takes 1 to {MOST_EPOCHS:,}, not {arguments.epochs}.")
    for option, value in (("--clients", arguments.clients), ("--feed", arguments.feed)):
        if value is not None and not 1 <= value <= MOST_CLIENTS:
            raise UsageError(f"{option} takes 1 to {MOST_CLIENTS:,}, not {value:g}.")
    situation = Situation(
        use=use,
        weights=parse_weights(arguments.weight),
        images=images,
        epochs=arguments.epochs,
        clients=arguments.clients,
        images_per_s=arguments.feed,
        prices=_price_sheet(arguments.prices),
    )
    weights_for(situation.use, situation.weights or {})  # refuses what makes no sense before the run is read
    run = read_run(arguments.run)
    if use is None and not situation.weights and run.plan.name in list(Use):
        situation = replace(situation, use=Use(run.plan.name))
    if run.status == "running":
        raise UsageError(f"Run {run.id} is being measured now. Ask again when it has ended.")
    from imgstore_tui.present.results import build_results

    results = build_results(run)
    advices = advise_run(run, results.summaries, situation)
    if not advices:
        raise DataError(f"Run {run.id} has no measurement to advise by. Measure with: imgstore-tui run")
    if arguments.json:
        from imgstore_tui.cli.listing import print_json
        from imgstore_tui.present.advice_record import advice_record

        return print_json(advice_record(run, advices))
    console, plain = data_console(), arguments.ascii or ascii_only()
    for number, advice in enumerate(advices):
        if len(run.plan.datasets) > 1:
            console.print(Text(f"{'' if number == 0 else chr(10)}{safe_text(advice.choice.dataset)}", style="bold"))
        _print(console, advice, run, plain=plain, rows=not arguments.no_rows)
    if situation.prices == EXAMPLE and arguments.prices is not None:
        talk_console().print(
            "These prices are an example. Copy the sheet from imgstore-tui help object-storage, write yours into it, "
            "and name it: --prices FILE",
            markup=False,
            soft_wrap=True,
        )
    return 0


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="imgstore-tui advise",
        description="Which method to take, by what you do with the images, and what that costs and saves.",
        epilog="criteria: "
        + ", ".join(f"{criterion} ({criterion.describe})" for criterion in Criterion)
        + ".\nFor more: imgstore-tui help advise",
    )
    parser.add_optional_run()
    parser.add_argument(
        "--for", dest="use", metavar="USE",
        help=f"{', '.join(Use)}: what the images are for (default: as the plan of the run is named, else training)",
    )  # fmt: skip
    parser.add_argument(
        "--weight", metavar="CRITERION=N", action="append", default=[],
        help="how much a criterion matters beside the others, alone or in place of that of --for; may be repeated",
    )  # fmt: skip
    parser.add_argument("--images", metavar="N", help="images of your whole set (default: those that the data has)")
    parser.add_argument(
        "--epochs", metavar="E", type=int, help=f"epochs of a training (default {DEFAULT_EPOCHS} for training)"
    )
    parser.add_argument(
        "--prices", metavar="FILE", nargs="?", const="",
        help="price sheet of an object store, for what the whole set costs there (default: an example)",
    )  # fmt: skip
    parser.add_argument(
        "--clients", metavar="N", type=int,
        help="what so many clients of one store reach together, by the scalability law where a run bears one",
    )  # fmt: skip
    parser.add_argument(
        "--feed",
        metavar="RATE",
        type=float,
        help="images per second that your training takes: how many clients suffice",
    )
    parser.add_argument("--no-rows", action="store_true", help="do not name the rows that each sentence rests on")
    parser.add_argument("--ascii", action="store_true", help="write ASCII characters only")
    parser.add_argument("--json", action="store_true", help="as JSON")
    return parser


def _print(console: Console, advice: DatasetAdvice, run: Run, *, plain: bool, rows: bool) -> None:
    before: tuple[Cell, ...] = ()
    for number, statement in enumerate(statements(advice)):
        _print_sentence(console, statement.text, style="" if number else "bold", plain=plain)
        if rows and statement.rows:
            names = "the same rows" if statement.rows == before else f"rows: {row_names(statement.rows)}"
            _print_sentence(console, names, indent=4, style="dim", plain=plain)
            before = statement.rows
    console.print()
    chart = pareto_chart(advice, run)
    if chart is not None:
        width = min(output_width(), CHART_COLUMNS)
        console.print(pareto_text(chart, width, CHART_ROWS, ascii_only=plain), soft_wrap=True)
    for table in advice_tables(advice):
        console.print(rich_table(table, output_width(), ascii_only=plain), Text(), sep="\n")


def _price_sheet(path: str | None) -> PriceSheet:
    from imgstore_tui.core.paths import expand_path

    return read_prices(expand_path(path)) if path else EXAMPLE


def _print_sentence(console: Console, text: str, *, plain: bool, style: str = "", indent: int = 0) -> None:
    """Print a sentence with its continuation lines indented."""
    for line in wrap(
        ascii_text(text) if plain else text,
        min(output_width(), MOST_COLUMNS),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_on_hyphens=False,
    ):
        console.print(Text(line, style=style), soft_wrap=True)
