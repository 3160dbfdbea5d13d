"""``imgstore-tui run``: measure, with a live line on standard error and tables on standard output at the end."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.cli.output import data_console
from imgstore_tui.cli.parser import CommandParser, check_choice, split_list, split_specs
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import CacheState, Operation, Payload, SyncLevel
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.units import parse_cutoffs, parse_duration


def main(arguments: Sequence[str]) -> int:
    """Run a plan made from the arguments."""
    words = _parser().parse_args(arguments)
    plan = plan_from_arguments(words)
    from imgstore_tui.bench.plan.plans import check_plan

    check_plan(plan)
    if words.dry_run:
        from imgstore_tui.cli.dry_run import print_dry_run

        return print_dry_run(plan)
    if words.save == "":
        raise UsageError("No file is named. Write --save FILE, or leave it out.")
    destination = None if words.save is None else expand_path(words.save)
    if destination is not None and destination.exists():
        raise UsageError(f"{destination} exists already. Name another file with --save.")
    if destination is not None:
        _check_folder(destination.parent)
    from imgstore_tui.bench.run.runner import run_plan
    from imgstore_tui.cli.measure import measure, show_brief

    run, code = measure(lambda cancel, listen: run_plan(plan, cancel=cancel, listen=listen), quiet=words.quiet)
    try:
        if words.json:
            from imgstore_tui.present import exports

            data_console().file.write(exports.get("json").export(run).decode())
        else:
            show_brief(run)
    finally:  # whether the one could be written or not, the other may
        if destination is not None:
            from imgstore_tui.present.exports.write import write_export

            write_export(run, "json", destination)
    return code


def _check_folder(folder: Path) -> None:
    """Refuse a folder in which the run could not be saved, before it is measured.

    Raises:
        UsageError: If it is none.
        UnavailableError: If nothing can be written in it.
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


def _parser() -> CommandParser:
    operations = "\n".join(f"  {operation.value:12} {operation.describe}" for operation in Operation)
    parser = CommandParser(
        prog="imgstore-tui run",
        description="Write images with each storage method, read them back, and report what each costs.\n"
        "Without arguments: disk, lmdb and hdf5 with synthetic images, 1 to 1,000 of them, about a minute.",
        epilog=f"operations:\n{operations}\n\nA SPEC is BACKEND[+CODEC][:OPTION=VALUE,...], e.g. lmdb, lmdb+png, "
        "hdf5:chunks=64, lmdb:preset=article.\nA DATASET is NAME[:PATH][,OPTION=VALUE], e.g. synthetic,size=256 or "
        "folder:photos;\nits option upto=N skips cutoffs above N, for large images beside small ones.\n"
        "Separate the items of a list by spaces or commas. With --plan article, one dataset replaces CIFAR-10 beside\n"
        "the larger images; several are used as given.",
    )
    add_plan_arguments(parser)
    add = parser.add_argument
    add("--save", metavar="FILE", help="also write the run to FILE, as JSON")
    add("--dry-run", action="store_true", help="print what would be run, and run nothing")
    add("--quiet", action="store_true", help="no progress and no warnings")
    add("--json", action="store_true", help="print the run as JSON instead of tables")
    return parser


def add_plan_arguments(parser: CommandParser) -> None:
    """Add what says which plan is meant: the screen begins with the same words as ``run``."""
    add = parser.add_argument
    add("-b", "--backends", metavar="SPEC", nargs="+", action="extend", help="storage methods")
    add("-n", "--cutoffs", metavar="N", help="numbers of images: 10,100,1k or 1..100000 (decades)")
    add("-o", "--operations", metavar="OP", nargs="+", action="extend", help="what to measure, e.g. write-many")
    add("-d", "--datasets", metavar="DATASET", nargs="+", action="extend", help="where the images come from")
    add(
        "--plan",
        metavar="NAME",
        help="quick (default), article, full, a saved one, or a plan file; the other arguments change it",
    )
    add("--payload", metavar="P", help="end-to-end (default), encoded or raw")
    add("--cache", metavar="STATE", nargs="+", action="extend", help="hot (default) and/or cold")
    add(
        "--drop-caches",
        action="store_true",
        help="for cold reads, also drop the caches of the whole machine (needs root)",
    )
    add("--sync", metavar="LEVEL", nargs="+", action="extend", help="buffered (default) and/or end")
    add(
        "--workers",
        type=int,
        metavar="N",
        help="codec threads and reading processes, the same for every method (default 1)",
    )
    add("--batch", type=int, metavar="N", help="at most this many images per call (default 256)")
    add(
        "--rounds", type=int, metavar="N", help="how often everything is repeated (default 6, the fewest for a verdict)"
    )
    add("--budget", metavar="TIME", help="start no new trial after this time: 90s, 5m, none (default 60s)")
    add("--seed", type=int, metavar="N", help="random seed of everything that is shuffled")
    add("--scratch", metavar="DIR", help="folder in which stores are made (default: the current one)")
    add("--no-source", action="store_true", help="do not measure a folder's own files, read in place, for comparison")


PLAN_ARGUMENTS = (
    "backends", "cutoffs", "operations", "datasets", "plan", "payload", "cache", "drop_caches", "sync", "workers",
    "batch", "rounds", "budget", "seed", "scratch", "no_source",
)  # fmt: skip
"""What ``add_plan_arguments`` adds."""


def has_plan_arguments(words: Namespace) -> bool:
    """Tell whether the arguments say anything of a plan."""
    return any(getattr(words, name) not in (None, False) for name in PLAN_ARGUMENTS)


def plan_from_arguments(words: Namespace) -> Plan:
    """Return the plan that the arguments describe.

    Raises:
        UsageError: If a word is unknown or a number does not fit; nothing has been started.
    """
    from imgstore_tui.bench.plan.plans import PLAN_NAMES, changed_plan, load_plan
    from imgstore_tui.jobs.plans import plan_by_name, saved_plans
    from imgstore_tui.plugins import registry

    name = PLAN_NAMES[0] if words.plan is None else words.plan
    if not name:
        raise UsageError(f"No plan is named. Write --plan with {', '.join(PLAN_NAMES)}, a saved plan or a plan file.")
    path = Path(name)
    is_file = name not in (*PLAN_NAMES, *saved_plans()) and (bool(path.suffix) or path.exists())
    plan = load_plan(path) if is_file else plan_by_name(name)
    changes: dict[str, object] = {}
    if words.backends:
        changes["specs"] = tuple(registry.resolve_spec(spec) for spec in split_specs(words.backends))
    if words.cutoffs is not None:
        changes["cutoffs"] = parse_cutoffs(words.cutoffs)
    if words.datasets:
        changes["datasets"] = tuple(words.datasets)
    for name, kind, enum in (
        ("operations", "operation", Operation), ("cache", "cache state", CacheState), ("sync", "sync level", SyncLevel),
    ):  # fmt: skip
        if getattr(words, name):
            known = [member.value for member in enum]
            changes[name] = tuple(
                enum(check_choice(kind, word, known)) for word in dict.fromkeys(split_list(getattr(words, name)))
            )
    if words.payload is not None:
        changes["payload"] = Payload(check_choice("payload", words.payload, [payload.value for payload in Payload]))
    if words.budget is not None:
        changes["budget_s"] = None if words.budget == "none" else parse_duration(words.budget)
    for name in ("workers", "batch", "rounds", "seed", "scratch"):
        if getattr(words, name) is not None:
            changes[name] = getattr(words, name)
    if words.drop_caches:
        changes["drop_caches"] = True
    if words.no_source:
        changes["baseline"] = False
    plan = changed_plan(plan, **changes)
    for text in plan.datasets:
        registry.make_dataset(text)
    return plan
