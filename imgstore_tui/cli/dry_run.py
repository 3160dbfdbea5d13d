"""What a plan would do, said before anything is done."""

from __future__ import annotations

from rich.table import Table

from imgstore_tui import registry
from imgstore_tui.bench.eta import CostModel
from imgstore_tui.bench.plan import dump_plan
from imgstore_tui.bench.preflight import image_bytes
from imgstore_tui.bench.rounds import images_needed, plan_cells
from imgstore_tui.bench.scratch import choose_scratch, free_bytes
from imgstore_tui.cli.output import data_console
from imgstore_tui.core.model import Plan
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes, format_count, format_duration


def describe(plan: Plan) -> int:
    """Print the plan, its trials, its place, and the time it may take."""
    console = data_console()
    roots, sizes, filed = [], {}, []
    for text in plan.datasets:
        dataset = registry.make_dataset(text)
        dataset.wanted = images_needed(plan, text)
        dataset.scan()
        if dataset.has_originals:
            filed.append(text)
        roots += list(dataset.roots)
        sizes[text] = image_bytes(dataset)
        console.print(f"data      {safe_text(dataset.summary)}")
    place = choose_scratch(plan.scratch, roots)
    cells = plan_cells(plan, filed)
    expected = sum(CostModel(sizes).expect(cell) for cell in cells) * plan.rounds
    console.print(f"scratch   {safe_text(str(place))}, {format_bytes(free_bytes(place))} free")
    budget = "" if plan.budget_s is None else f", nothing new after {format_duration(plan.budget_s)}"
    trials = format_count(len(cells) * plan.rounds)
    console.print(
        f"trials    {format_count(len(cells))} cells x {plan.rounds} rounds = {trials}, "
        f"very roughly {format_duration(expected)}{budget}"
    )
    several = len(plan.datasets) > 1
    table = Table(
        *(["data"] if several else []), "method", "operation", "cutoffs", "level", box=None, pad_edge=False
    )  # fmt: skip
    rows: dict[tuple[str, str, str, str], list[int]] = {}
    for cell in cells:
        key = (cell.dataset, cell.spec, cell.operation, str(cell.sync or cell.cache))
        rows.setdefault(key, []).append(cell.cutoff)
    for (data, spec, operation, level), cutoffs in rows.items():
        words = (spec, operation, ", ".join(format_count(cutoff) for cutoff in cutoffs), level)
        table.add_row(*([safe_text(data)] if several else []), *words)
    console.print(table)
    console.print("\nAs a plan file:\n" + dump_plan(plan), end="")
    return 0
