"""Prints what a run would take: its data, scratch folder, trials, time and disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from imgstore_tui.bench.plan.grid import images_needed, plan_cells
from imgstore_tui.bench.plan.plans import dump_plan, is_utf8
from imgstore_tui.bench.results.past_costs import load_past_costs
from imgstore_tui.bench.run.estimate import Estimate, estimate
from imgstore_tui.bench.run.preflight import DataSize, check_feasible
from imgstore_tui.bench.run.scratch import choose_scratch
from imgstore_tui.bench.system.disk_space import free_bytes
from imgstore_tui.cli.listing import print_json
from imgstore_tui.cli.output import data_console
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.json_values import to_json
from imgstore_tui.core.model import Cell, Plan
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_bytes, format_count
from imgstore_tui.plugins import registry
from imgstore_tui.present.text.captions import rounds_text
from imgstore_tui.present.text.estimates import basis_text, clients_text, estimate_text

MOST_EXCLUDED = 5
"""Most files that are named of those that cannot take part; the others are counted."""
MOST_EXCLUDED_AS_JSON = 1_000


@dataclass(frozen=True, slots=True)
class _Outlook:
    """What is known of a run before it starts."""

    plan: Plan
    datasets: dict[str, Dataset]
    """The datasets by the text that names them."""
    scratch: Path
    expected: Estimate
    cells: Sequence[Cell]


def print_dry_run(plan: Plan, *, as_json: bool) -> int:
    """Print the plan, its trials, its scratch folder and the time it may take.

    Args:
        plan: The plan.
        as_json: Whether it is printed as JSON.

    Raises:
        ImgstoreError: If the run would be refused because space, memory or time is missing.
    """
    datasets = {}
    for text in plan.datasets:
        dataset = registry.make_dataset(text)
        dataset.image_limit = images_needed(plan, text)
        dataset.scan()
        datasets[text] = dataset
    sizes = {text: DataSize.of(dataset) for text, dataset in datasets.items()}
    scratch = choose_scratch(plan.scratch, [root for dataset in datasets.values() for root in dataset.roots])
    with_files = [text for text, size in sizes.items() if size.has_files]
    outlook = _Outlook(plan, datasets, scratch, estimate(plan, sizes, load_past_costs()), plan_cells(plan, with_files))
    if as_json:
        check_feasible(plan, sizes, scratch)
        return print_json(_facts(outlook))
    _print_head(outlook)
    check_feasible(plan, sizes, scratch)
    _print_cells(outlook)
    return 0


def _facts(outlook: _Outlook) -> dict[str, Any]:
    expected = outlook.expected
    return {
        "plan": to_json(outlook.plan),
        "datasets": [
            {
                "text": text,
                "summary": dataset.summary,
                "images": len(dataset),
                "wanted": dataset.image_limit,
                "excluded": [[entry.name, entry.reason] for entry in dataset.excluded[:MOST_EXCLUDED_AS_JSON]],
                "excluded_count": len(dataset.excluded),
            }
            for text, dataset in outlook.datasets.items()
        ],
        "scratch": str(outlook.scratch),
        "scratch_free_bytes": free_bytes(outlook.scratch),
        "cells": [to_json(cell) for cell in outlook.cells],
        "trials": expected.trials,
        "seconds": expected.seconds,
        "budget_s": expected.budget_s,
        "rounds_needed": expected.rounds_needed,
        "rounds_reached": expected.rounds_reached,
        "based_on_measurements": expected.measured,
        "client_rounds": expected.client_rounds,
        "clients_s": expected.clients_s,
    }


def _print_head(outlook: _Outlook) -> None:
    console, expected = data_console(), outlook.expected
    for dataset in outlook.datasets.values():
        console.print(f"data      {safe_text(dataset.summary)}", soft_wrap=True)
        _print_excluded(dataset)
        most = dataset.image_limit or 0
        if most > len(dataset):
            repeated = f"larger cutoffs repeat them, up to {format_count(most)}"
            console.print(f"          {counted(len(dataset), 'image')}: {repeated}")
    scratch = outlook.scratch
    console.print(f"scratch   {safe_text(str(scratch))}, {format_bytes(free_bytes(scratch))} free")
    console.print(
        f"trials    {counted(expected.cells, 'cell')} x {rounds_text(outlook.plan)} = {estimate_text(expected)}",
        soft_wrap=True,
    )
    console.print(f"          {basis_text(expected)}", soft_wrap=True)
    if outlook.plan.clients:
        console.print(f"clients   {safe_text(clients_text(outlook.plan, expected))}", soft_wrap=True)


def _print_excluded(dataset: Dataset) -> None:
    """Print how many files of a dataset cannot take part, the first of them by name with the reason."""
    if not dataset.excluded:
        return
    console, first = data_console(), dataset.excluded[:MOST_EXCLUDED]
    console.print(f"          {counted(len(dataset.excluded), 'file')} left out:")
    for entry in first:
        console.print(f"            {safe_text(entry.name)}: {safe_text(entry.reason)}", soft_wrap=True)
    if more := len(dataset.excluded) - len(first):
        console.print(f"            and {counted(more, 'file')} more")


def _print_cells(outlook: _Outlook) -> None:
    console, plan = data_console(), outlook.plan
    several = len(plan.datasets) > 1
    table = Table(
        *(["data"] if several else []), "method", "operation", "cutoffs", "level", box=None, pad_edge=False
    )  # fmt: skip
    rows: dict[tuple[str, str, str, str], list[int]] = {}
    for cell in outlook.cells:
        key = (cell.dataset, cell.spec, cell.operation, str(cell.sync or cell.cache))
        rows.setdefault(key, []).append(cell.cutoff)
    for (data, spec, operation, level), cutoffs in rows.items():
        entries = (spec, operation, ", ".join(format_count(cutoff) for cutoff in cutoffs), level)
        table.add_row(*([safe_text(data)] if several else []), *entries)
    console.print(table)
    if is_utf8(plan):
        console.print(f"\nAs a plan file:\n{dump_plan(plan)}", end="", soft_wrap=True)
    else:
        console.print("\nNo plan file can spell it: a path in it is not UTF-8.")
