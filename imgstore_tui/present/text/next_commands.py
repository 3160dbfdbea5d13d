"""Writes the commands that follow a run: convert to a method, measure other data in the same way."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePath

from imgstore_tui.bench.plan.plans import PLAN_NAMES, named_plan
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation, Payload
from imgstore_tui.core.spec import parse_dataset_text, parse_spec_text
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import spell_duration


def conversion_command(dataset: str, spec: str) -> str:
    """Return the command that converts a dataset to a method; empty for datasets that the program generates."""
    try:
        data, backend = parse_dataset_text(dataset), parse_spec_text(spec).backend
    except UsageError:
        return ""
    if data.path is None:
        return ""
    name = PurePath(data.path).name if data.name == "folder" else data.name
    # A store cannot be part of the current folder if that is the dataset.
    destination = f"{name}.{backend}" if name else f"../{data.name}.{backend}"
    return shell_line("imgstore-tui", "convert", dataset, spec, destination)


def same_measurement(plan: Plan) -> list[str]:
    """Return the command that measures as a plan did, but for the data, which are to follow."""
    words = ["imgstore-tui", "run"]
    if plan.name in PLAN_NAMES[1:]:
        words += ["--plan", plan.name]
    elif plan.name != PLAN_NAMES[0]:
        labels, usual = [spec.label for spec in plan.specs], named_plan(PLAN_NAMES[0])
        words += [] if labels == [spec.label for spec in usual.specs] else ["-b", *labels]
        words += [] if plan.rounds == usual.rounds else ["--rounds", str(plan.rounds)]
        words += [] if plan.payload is usual.payload else ["--payload", plan.payload]
        for option in ("operations", "cache", "sync"):
            values = getattr(plan, option)
            words += [] if values == getattr(usual, option) else [f"--{option}", *values]
    if plan.clients:
        words += ["--clients", ",".join(map(str, plan.clients))]
        window = plan.client_window_s
        words += (
            [] if window == Plan().client_window_s else ["--client-window", spell_duration(window) if window else "0"]
        )
        words += [] if plan.cluster is None else ["--cluster", plan.cluster]
    return [*words, "-n", ",".join(map(str, plan.cutoffs))]


def measuring_command(plan: Plan, dataset: str, operations: Sequence[Operation], rounds: int) -> str:
    """Return the command that measures further operations with the methods, levels and sizes of a plan.

    Args:
        plan: The plan.
        dataset: One of its datasets.
        operations: The operations.
        rounds: Rounds at least.
    """
    words = ["-b", *(spec.label for spec in plan.specs), "-d", dataset, "-n", ",".join(map(str, plan.cutoffs))]
    words += ["-o", ",".join(operations), "--rounds", str(max(rounds, plan.rounds))]
    if any(not operation.writes for operation in operations):
        words += ["--cache", ",".join(plan.cache)]
    if any(operation.writes for operation in operations):
        words += ["--sync", ",".join(plan.sync)]
    if plan.payload is not Payload.END_TO_END:
        words += ["--payload", plan.payload]
    if plan.workers > 1:
        words += ["--workers", str(plan.workers)]
    return shell_line("imgstore-tui", "run", *words)


def shell_line(*arguments: str) -> str:
    """Return a shell command; empty where it holds characters that cannot be shown."""
    line = shlex.join(arguments)
    return line if line == safe_text(line) else ""
