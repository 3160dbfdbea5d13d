"""What a plan would do, said before anything is done."""

from __future__ import annotations

from rich.table import Table

from imgstore_tui.bench.plan.grid import images_needed, plan_cells
from imgstore_tui.bench.plan.plans import can_be_spelled, dump_plan
from imgstore_tui.bench.results.past_costs import load_past_costs
from imgstore_tui.bench.run.estimate import estimate
from imgstore_tui.bench.run.feasible import check_feasible
from imgstore_tui.bench.run.preflight import DataSize
from imgstore_tui.bench.run.scratch import choose_scratch
from imgstore_tui.bench.system.disk_space import free_bytes
from imgstore_tui.cli.output import data_console
from imgstore_tui.core.model import Plan
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_bytes, format_count
from imgstore_tui.plugins import registry
from imgstore_tui.present.text.estimates import basis_text, estimate_text


def print_dry_run(plan: Plan) -> int:
    """Print the plan, its trials, its place, and the time it may take.

    Raises:
        ImgstoreError: If the run itself would be refused for want of space, memory or time.
    """
    console = data_console()
    roots, sizes = [], {}
    for text in plan.datasets:
        dataset = registry.make_dataset(text)
        dataset.wanted = images_needed(plan, text)
        dataset.scan()
        roots += list(dataset.roots)
        sizes[text] = DataSize.of(dataset)
        console.print(f"data      {safe_text(dataset.summary)}", soft_wrap=True)
        if dataset.wanted > len(dataset):
            repeated = f"larger cutoffs repeat them, up to {format_count(dataset.wanted)}"
            console.print(f"          {counted(len(dataset), 'image')}: {repeated}")
    place = choose_scratch(plan.scratch, roots)
    expected = estimate(plan, sizes, load_past_costs())
    filed = [text for text, size in sizes.items() if size.has_originals]
    console.print(f"scratch   {safe_text(str(place))}, {format_bytes(free_bytes(place))} free")
    console.print(
        f"trials    {counted(expected.cells, 'cell')} x {counted(plan.rounds, 'round')} = {estimate_text(expected)}",
        soft_wrap=True,
    )
    console.print(f"          {basis_text(expected)}", soft_wrap=True)
    check_feasible(plan, sizes, place)
    several = len(plan.datasets) > 1
    table = Table(
        *(["data"] if several else []), "method", "operation", "cutoffs", "level", box=None, pad_edge=False
    )  # fmt: skip
    rows: dict[tuple[str, str, str, str], list[int]] = {}
    for cell in plan_cells(plan, filed):
        key = (cell.dataset, cell.spec, cell.operation, str(cell.sync or cell.cache))
        rows.setdefault(key, []).append(cell.cutoff)
    for (data, spec, operation, level), cutoffs in rows.items():
        words = (spec, operation, ", ".join(format_count(cutoff) for cutoff in cutoffs), level)
        table.add_row(*([safe_text(data)] if several else []), *words)
    console.print(table)
    if can_be_spelled(plan):
        console.print(f"\nAs a plan file:\n{dump_plan(plan)}", end="", soft_wrap=True)
    else:
        console.print("\nNo plan file can spell it: a path in it is not UTF-8.")
    return 0
