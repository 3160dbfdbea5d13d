"""The arguments that describe a plan, the same for ``imgstore-tui run`` and for the screen."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from imgstore_tui.cli.parser import CommandParser, check_choice, split_list, split_specs
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import CacheState, Operation, Payload, SyncLevel
from imgstore_tui.core.units import parse_cutoffs, parse_duration


def add_plan_arguments(parser: CommandParser) -> None:
    """Add the arguments that describe a plan to a parser."""
    add = parser.add_argument
    add("-b", "--backends", metavar="SPEC", nargs="+", action="extend", help="storage methods")
    add("-n", "--cutoffs", metavar="N", help="numbers of images: 10,100,1k or 1..100000 (decades)")
    add("-o", "--operations", metavar="OP", nargs="+", action="extend", help="what to measure, e.g. write-many")
    add("-d", "--datasets", metavar="DATASET", nargs="+", action="extend", help="where the images come from")
    add(
        "--plan",
        metavar="NAME",
        help="quick (default), article, full, systems, what the images are for (training, archive, sharing, service), "
        "a saved one, or a plan file; the other arguments change it",
    )
    add(
        "--payload",
        metavar="P",
        help="end-to-end (default: pixels, encoding and decoding timed), encoded (ready files) or raw (bare pixels)",
    )
    add(
        "--cache",
        metavar="STATE",
        nargs="+",
        action="extend",
        help="hot (default: read from memory) and/or cold (read from the device)",
    )
    add(
        "--drop-caches",
        action="store_true",
        help="for cold reads, also drop the caches of the whole machine (needs root)",
    )
    add(
        "--sync",
        metavar="LEVEL",
        nargs="+",
        action="extend",
        help="buffered (default: no fsync), end (fsync once, at the end) and/or batch (after every batch)",
    )
    add(
        "--workers",
        type=int,
        metavar="N",
        help="codec threads and reading processes, the same for every method (default 1)",
    )
    add("--batch", type=int, metavar="N", help="at most this many images per call (default 256)")
    add(
        "--rounds",
        type=int,
        metavar="N",
        help="how often everything is repeated, at most: what is settled stops sooner in quick (default 12)",
    )
    add("--budget", metavar="TIME", help="start no new trial after this time: 90s, 5m, none (default 60s)")
    add("--seed", type=int, metavar="N", help="random seed of everything that is shuffled")
    add("--scratch", metavar="DIR", help="folder in which stores are made (default: the current one)")
    add("--clients", metavar="K", help="also let 1,2,4 processes read one store at once, through Dask (help cluster)")
    add("--cluster", metavar="ADDRESS", help="Dask scheduler on whose workers they run (default: processes here)")
    add("--client-window", metavar="TIME", help="how long each goes on: 10s (default), 1m, or 0 for one pass")
    add("--no-source", action="store_true", help="do not measure a folder's own files, read in place, for comparison")


CLUSTER_VARIABLE = "IMGSTORE_CLUSTER"
"""Names the scheduler on whose workers clients run, where no argument and no plan does."""

PLAN_ARGUMENTS = (
    "backends", "cutoffs", "operations", "datasets", "plan", "payload", "cache", "drop_caches", "sync", "workers",
    "batch", "rounds", "budget", "seed", "scratch", "clients", "cluster", "client_window", "no_source",
)  # fmt: skip
"""Names of the arguments that ``add_plan_arguments`` adds."""


def has_plan_arguments(arguments: Namespace) -> bool:
    """Return whether any argument describes a plan."""
    return any(getattr(arguments, name) not in (None, False) for name in PLAN_ARGUMENTS)


def plan_from_arguments(arguments: Namespace, base: Plan | None = None) -> Plan:
    """Return the plan that the arguments describe.

    Args:
        arguments: The arguments.
        base: The plan that they change; None for the one that they name.

    Raises:
        UsageError: If a name is unknown or a number does not fit.
    """
    from imgstore_tui.bench.plan.plans import PLAN_NAMES, changed_plan, load_plan
    from imgstore_tui.jobs.plans import plan_by_name, saved_plans
    from imgstore_tui.plugins import registry

    name = PLAN_NAMES[0] if arguments.plan is None else arguments.plan
    if not name:
        raise UsageError(f"No plan is named. Write --plan with {', '.join(PLAN_NAMES)}, a saved plan or a plan file.")
    path = Path(name)
    is_file = name not in (*PLAN_NAMES, *saved_plans()) and (bool(path.suffix) or path.exists())
    plan = base or (load_plan(path) if is_file else plan_by_name(name))
    changes: dict[str, object] = {}
    if arguments.backends:
        changes["specs"] = tuple(registry.resolve_spec(spec) for spec in split_specs(arguments.backends))
    if arguments.cutoffs is not None:
        changes["cutoffs"] = parse_cutoffs(arguments.cutoffs)
    if arguments.datasets:
        changes["datasets"] = tuple(arguments.datasets)
    for name, kind, enum in (
        ("operations", "operation", Operation), ("cache", "cache state", CacheState), ("sync", "sync level", SyncLevel),
    ):  # fmt: skip
        if getattr(arguments, name):
            values = [member.value for member in enum]
            changes[name] = tuple(
                enum(check_choice(kind, value, values)) for value in dict.fromkeys(split_list(getattr(arguments, name)))
            )
    if arguments.payload is not None:
        changes["payload"] = Payload(check_choice("payload", arguments.payload, [payload.value for payload in Payload]))
    if arguments.budget is not None:
        changes["budget_s"] = None if arguments.budget == "none" else parse_duration(arguments.budget)
    for name in ("workers", "batch", "rounds", "seed", "scratch"):
        if getattr(arguments, name) is not None:
            changes[name] = getattr(arguments, name)
    if arguments.drop_caches:
        changes["drop_caches"] = True
    if arguments.no_source:
        changes["baseline"] = False
    changes |= _client_changes(arguments, plan)
    plan = changed_plan(plan, **changes)
    for text in plan.datasets:
        registry.make_dataset(text)
    return plan


def _client_changes(arguments: Namespace, plan: Plan) -> dict[str, object]:
    """Return the fields of a plan that the arguments about clients change."""
    from imgstore_tui.bench.plan.client_grid import parse_client_numbers, parse_client_window

    changes: dict[str, object] = {}
    if arguments.clients is not None:
        changes["clients"] = parse_client_numbers(arguments.clients)
    if arguments.client_window is not None:
        changes["client_window_s"] = parse_client_window(arguments.client_window)
    if arguments.cluster is not None:
        changes["cluster"] = arguments.cluster
    elif (
        changes.get("clients", plan.clients) and plan.cluster is None and (address := os.environ.get(CLUSTER_VARIABLE))
    ):
        changes["cluster"] = address
    return changes
