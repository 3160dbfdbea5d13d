"""``imgstore-tui compare``: compares runs with the first, or with several base runs."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Sequence

from rich.text import Text

from imgstore_tui.analysis.compare import RunComparison, compare_runs
from imgstore_tui.cli.listing import print_json
from imgstore_tui.cli.load_run import read_run
from imgstore_tui.cli.output import ascii_only, data_console, output_width, talk_console
from imgstore_tui.cli.parser import RUN_HELP, CommandParser
from imgstore_tui.core.errors import DataError, ExitCode, UsageError
from imgstore_tui.core.model import Run
from imgstore_tui.present.comparison_record import comparison_record
from imgstore_tui.present.tables.comparison import (
    comparison_caption,
    comparison_lines,
    comparison_tables,
    comparison_title,
    comparison_verdict,
    nothing_in_common,
    run_name,
)
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.stats.ranking import MARGIN
from imgstore_tui.stats.run_spread import FEWEST_BASES

LARGEST_MARGIN = 1000
"""Largest margin, per cent."""


def main(argv: Sequence[str]) -> int:
    """Print tables for every run that is compared."""
    arguments = _parse(argv)
    if arguments.base:
        bases, others = [read_run(name) for name in arguments.base], [read_run(name) for name in arguments.runs]
    else:
        first, *others = [read_run(name) for name in arguments.runs]
        bases = [first]
    _refuse_repeats(bases, others)
    comparisons = [compare_runs(bases, run, arguments.margin) for run in others]
    for comparison in comparisons:
        names = f"{run_name(comparison.run)} and {', '.join(map(run_name, bases))}"
        if not comparison.cells:
            raise DataError(f"{names}: {nothing_in_common(comparison)}")
        if comparison.obstacles and not arguments.anyway:
            raise DataError(
                f"{names} cannot be compared as they are. {' '.join(comparison.obstacles)} "
                "To compare them all the same, add --anyway."
            )
    if arguments.json:
        print_json([comparison_record(comparison) for comparison in comparisons])
    else:
        for comparison in comparisons:
            print_comparison(comparison)
    return ExitCode.WORSE if any(comparison.worse for comparison in comparisons) else ExitCode.OK


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="imgstore-tui compare",
        description="Compare runs, each with the first, or with several base runs that show how much runs differ.\n"
        "The exit status is 4 if anything got slower.",
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", help=f"two or more, or one with --base: {RUN_HELP}")
    parser.add_argument(
        "--base",
        metavar="RUN",
        nargs="+",
        action="extend",
        help=f"base runs, with which all others are compared; {FEWEST_BASES} or more measure the spread between runs",
    )
    parser.add_argument(
        "--margin",
        metavar="PERCENT",
        type=_margin,
        default=MARGIN,
        help=f"how much slower is too little to count (default {100 * (MARGIN - 1):.0f}%%)",
    )
    parser.add_argument("--anyway", action="store_true", help="compare even if the data or the machine differ")
    parser.add_argument("--json", action="store_true", help="print the comparisons as JSON instead of tables")
    return parser


def _parse(argv: Sequence[str]) -> Namespace:
    arguments = make_parser().parse_args(argv)
    if not arguments.base and len(arguments.runs) < 2:
        raise UsageError(
            "Name two or more runs; the others are compared with the first. Or name base runs with --base. "
            "See imgstore-tui runs."
        )
    return arguments


def _margin(text: str) -> float:
    """Return the ratio of a margin in per cent: 1.05 of ``5%``.

    Raises:
        UsageError: If it is none.
    """
    number = text.strip().removesuffix("%").strip()
    if not re.fullmatch(r"\d+(?:\.\d+)?", number) or float(number) > LARGEST_MARGIN:
        raise UsageError(f"'{text}' is not a margin. Write per cent from 0 to {LARGEST_MARGIN}, e.g. --margin 5%.")
    return 1 + float(number) / 100


def _refuse_repeats(bases: Sequence[Run], others: Sequence[Run]) -> None:
    """Refuse a base run that is named twice, or a run that would be compared with itself.

    Raises:
        UsageError: If there is one.
    """
    for number, base in enumerate(bases):
        if any(_is_same(base, other) for other in bases[:number]):
            raise UsageError(f"{run_name(base)} is named twice as a base run. Repeats show no spread between runs.")
        for run in others:
            if _is_same(base, run):
                raise UsageError(
                    f"{run_name(run)} would be compared with itself. Name another run, see imgstore-tui runs."
                )


def _is_same(one: Run, other: Run) -> bool:
    return one.id == other.id and one.measurements == other.measurements


def print_comparison(comparison: RunComparison) -> None:
    """Print a comparison: what is in its way, its tables, its verdict."""
    talk, console = talk_console(), data_console()
    for line, in_the_way in comparison_lines(comparison):
        talk.print(Text(line, style="bold yellow" if in_the_way else ""), soft_wrap=True)
    console.print(Text(comparison_title(comparison), style="bold"), Text(), sep="\n")
    for table in comparison_tables(comparison):
        console.print(rich_table(table, output_width(), ascii_only=ascii_only()), Text(), sep="\n")
    console.print(
        Text(comparison_verdict(comparison), style="bold red" if comparison.worse else "bold"), Text(), sep="\n"
    )
    console.print(Text(comparison_caption(comparison), style="dim"))
