"""``imgstore-tui compare``: compares runs, each with the first."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from imgstore_tui.analysis.compare import compare_runs
from imgstore_tui.cli.load_run import read_run
from imgstore_tui.cli.output import ascii_only, data_console, output_width, talk_console
from imgstore_tui.cli.parser import RUN_HELP, CommandParser
from imgstore_tui.core.errors import DataError, ExitCode, UsageError
from imgstore_tui.present.tables.comparison import (
    comparison_caption,
    comparison_lines,
    comparison_tables,
    comparison_title,
    nothing_in_common,
    run_name,
)
from imgstore_tui.present.tables.rich_table import rich_table


def main(argv: Sequence[str]) -> int:
    """Print tables for every run after the first."""
    parser = CommandParser(
        prog="imgstore-tui compare",
        description="Compare runs, each with the first. The exit status is 4 if anything got slower.",
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", help=f"two or more: {RUN_HELP}")
    parser.add_argument("--anyway", action="store_true", help="compare even if the data or the machine differ")
    arguments = parser.parse_args(argv)
    if len(arguments.runs) < 2:
        raise UsageError("Name two or more runs; the others are compared with the first. See imgstore-tui runs.")
    base, *others = [read_run(name) for name in arguments.runs]
    for run in others:
        if run.id == base.id and run.measurements == base.measurements:
            raise UsageError(f"{run_name(run)} would be compared with itself. Name another run, see imgstore-tui runs.")
    comparisons = [compare_runs(base, run) for run in others]
    for comparison in comparisons:
        if not comparison.cells:
            raise DataError(f"{run_name(comparison.run)} and {run_name(base)}: {nothing_in_common(comparison)}")
        if comparison.obstacles and not arguments.anyway:
            raise DataError(
                f"{run_name(comparison.run)} cannot be compared with {run_name(base)} as they are. "
                f"{' '.join(comparison.obstacles)} "
                "To compare them all the same, add --anyway."
            )
    talk, console = talk_console(), data_console()
    for comparison in comparisons:
        for line, in_the_way in comparison_lines(comparison):
            talk.print(Text(line, style="bold yellow" if in_the_way else ""), soft_wrap=True)
        console.print(Text(comparison_title(comparison), style="bold"), Text(), sep="\n")
        for table in comparison_tables(comparison):
            console.print(rich_table(table, output_width(), ascii_only=ascii_only()), Text(), sep="\n")
        console.print(Text(comparison_caption(comparison), style="dim"))
    return ExitCode.WORSE if any(comparison.worse for comparison in comparisons) else ExitCode.OK
