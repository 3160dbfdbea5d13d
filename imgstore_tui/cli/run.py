"""``imgstore-tui run``: measures a plan, with a live line on standard error and the tables on standard output."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from imgstore_tui.cli.output import data_console, talk_console
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.cli.plan_arguments import add_plan_arguments, plan_from_arguments
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.text import safe_text


def main(argv: Sequence[str]) -> int:
    """Run a plan made from the arguments."""
    arguments = make_parser().parse_args(argv)
    before = None if arguments.bundle is None else _run_before(arguments.bundle, arguments.plan)
    plan = plan_from_arguments(arguments, None if before is None else replace(before.plan, scratch=None))
    from imgstore_tui.bench.plan.plans import check_plan

    check_plan(plan)
    if plan.name == "systems" and not arguments.quiet:
        _say_missing_systems(plan)
    if arguments.dry_run:
        from imgstore_tui.cli.dry_run import print_dry_run

        return print_dry_run(plan, as_json=arguments.json)
    if arguments.save == "":
        raise UsageError("No file is named. Write --save FILE, or leave it out.")
    destination = None if arguments.save is None else expand_path(arguments.save)
    if destination is not None and destination.exists():
        raise UsageError(f"{destination} exists already. Name another file with --save.")
    if destination is not None:
        _check_folder(destination.parent)
    from imgstore_tui.bench.run.runner import run_plan
    from imgstore_tui.cli.measure import measure, show_answer

    run, code = measure(lambda cancel, listen: run_plan(plan, cancel=cancel, listen=listen), quiet=arguments.quiet)
    try:
        if arguments.json:
            from imgstore_tui.present import exports

            data_console().file.write(exports.get("json").export(run).decode())
        else:
            show_answer(run)
        if before is not None and not arguments.json:
            _compare(before, run)
    finally:  # saved even if printing fails
        if destination is not None:
            from imgstore_tui.present.exports.write import write_export

            write_export(run, "json", destination)
    return code


def _run_before(bundle: str, plan: str | None) -> Run:
    """Return the run that a bundle holds, which is to be repeated.

    Raises:
        UsageError: If there is no such file, or a plan is named, too.
        DataError: If it cannot be read.
    """
    from imgstore_tui.cli.load_run import read_run

    if plan is not None:
        raise UsageError("The plan comes from --from. Leave --plan out; the other arguments change the plan.")
    return read_run(bundle)


def _compare(before: Run, run: Run) -> None:
    """Print how a run differs from the one that it repeats; other machines and data are said, and compared anyway."""
    from imgstore_tui.analysis.compare import compare_runs
    from imgstore_tui.cli.compare import print_comparison
    from imgstore_tui.present.tables.comparison import nothing_in_common
    from imgstore_tui.stats.ranking import MARGIN

    comparison = compare_runs([before], run, MARGIN)
    if comparison.cells:
        print_comparison(comparison)
    else:
        talk_console().print(safe_text(nothing_in_common(comparison)), soft_wrap=True)


def _say_missing_systems(plan: Plan) -> None:
    """Say which of the article's systems are not measured, and what would add them."""
    from imgstore_tui.bench.plan.plans import missing_systems

    talk = talk_console()
    for backend, way in missing_systems().items():
        if backend not in {spec.backend for spec in plan.specs}:
            talk.print(f"not measured: {safe_text(backend)}: {safe_text(way)}", soft_wrap=True)


def _check_folder(folder: Path) -> None:
    """Check before the run that it can be saved in a folder.

    Raises:
        UsageError: If there is no such folder.
        UnavailableError: If the folder cannot be written.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder} to save in. Make it, or name another with --save.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UnavailableError(
            f"Nothing can be saved in {folder}: {error.strerror or error}. Name another with --save."
        ) from None


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    operations = "\n".join(f"  {operation.value:12} {operation.describe}" for operation in Operation)
    parser = CommandParser(
        prog="imgstore-tui run",
        description="Write images with each storage method, read them back, and report what each costs.\n"
        "Without arguments: disk, lmdb and hdf5 with synthetic images, 10 to 1,000 of them, about a minute.",
        epilog=f"operations:\n{operations}\n\nA SPEC is BACKEND[+CODEC][:OPTION=VALUE,...], e.g. lmdb, lmdb+png, "
        "hdf5:chunks=64, lmdb:preset=article.\nA DATASET is NAME[:PATH][,OPTION=VALUE], e.g. synthetic,size=256 or "
        "folder:photos;\nits option upto=N skips cutoffs above N, for large images beside small ones.\n"
        "Separate the items of a list by spaces or commas. With --plan article, one dataset replaces CIFAR-10 beside\n"
        "the larger images; several are used as given.",
    )
    add_plan_arguments(parser)
    add = parser.add_argument
    add(
        "--from", dest="bundle", metavar="BUNDLE",
        help="repeat the run of a bundle (export -f bundle), or any other RUN, and compare; other arguments change it",
    )  # fmt: skip
    add("--save", metavar="FILE", help="also write the run to FILE, as JSON")
    add("--dry-run", action="store_true", help="print what would be run, and run nothing")
    add("--quiet", action="store_true", help="no progress and no warnings")
    add(
        "--json",
        action="store_true",
        help="print the run as JSON instead of tables; with --dry-run, what it would take",
    )
    return parser
