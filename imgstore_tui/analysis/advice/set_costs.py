"""Computes what the whole set of the user costs in an object store: a month, the upload, the requests of all epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imgstore_tui.analysis.prices import GB, PriceSheet, costs
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.content import DiskUsage
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import IN_PLACE


@dataclass(frozen=True, slots=True)
class SetCost:
    """What a method costs for all images of the user, in proportion to the most that were measured."""

    spec: str
    size: float
    """Bytes of the store."""
    month: float
    """Price of keeping it for a month."""
    write_requests: float
    """Requests that bring it there: as measured, else one for each file."""
    write: float
    read_requests: float
    """Requests of all epochs: as measured, else one for each file and epoch."""
    read: float
    is_measured: bool
    """Whether requests were counted; else the files of a local store are taken for objects that are fetched whole."""
    rows: tuple[Cell, ...]


def set_costs(
    run: Run, summaries: Sequence[CellSummary], dataset: str, images: int, epochs: int, sheet: PriceSheet
) -> tuple[SetCost, ...]:
    """Return the costs of every method with a known size: the user's own files first, then in the order of the plan.

    Args:
        run: The run.
        summaries: The summaries of its cells.
        dataset: The dataset as the plan has it.
        images: Images of the whole set.
        epochs: How often it is read.
        sheet: The prices.
    """
    entries = []
    for spec in [entry.label for entry in (IN_PLACE, *run.plan.specs)]:
        own = [entry for entry in summaries if (entry.cell.dataset, entry.cell.spec) == (dataset, spec)]
        cost = _set_cost(run, own, spec, images, epochs, sheet)
        if cost is not None:
            entries.append(cost)
    return tuple(entries)


def _set_cost(
    run: Run, own: Sequence[CellSummary], spec: str, images: int, epochs: int, sheet: PriceSheet
) -> SetCost | None:
    """Return the costs of a method with these summaries; None where the size of its stores is not known."""
    sizes = _sizes(own)
    if not sizes:
        return None
    cutoff = max(sizes)
    row, disk = sizes[cutoff]
    scale = images / cutoff
    size = (disk.apparent_bytes or 0) * scale
    counted = next(
        (cost for cost in costs(run, sheet) if (cost.dataset, cost.spec, cost.images) == (row.dataset, spec, cutoff)),
        None,
    )
    files = disk.files or 1
    # A number of files that does not grow with the images stays what it is.
    is_fixed = files > 1 and len(sizes) > 1 and all((weighed.files or 1) == files for _, weighed in sizes.values())
    objects = float(files) if is_fixed or files == 1 else files * scale
    writes, reads = objects, objects
    rows = [weighed for weighed, _ in sizes.values()] if is_fixed else [row]
    if counted is not None and counted.write_requests is not None:
        writes = counted.write_requests * scale
    passes = {Operation.READ_RANDOM: None, Operation.READ_MANY: None} if counted is None else {
        Operation.READ_RANDOM: counted.random_requests, Operation.READ_MANY: counted.read_requests
    }  # fmt: skip
    operation = next((operation for operation, requests in passes.items() if requests is not None), None)
    if operation is not None:
        reads = (passes[operation] or 0) * scale
        rows += [entry.cell for entry in own if (entry.cell.operation, entry.cell.cutoff) == (operation, cutoff)]
    return SetCost(
        spec=spec,
        size=size,
        month=size / GB * sheet.gb_month,
        write_requests=writes,
        write=writes * sheet.put_per_1000 / 1000,
        read_requests=reads * epochs,
        read=reads * epochs * sheet.get_per_1000 / 1000,
        is_measured=operation is not None,
        rows=tuple(rows),
    )


def _sizes(own: Sequence[CellSummary]) -> dict[int, tuple[Cell, DiskUsage]]:
    """Return the size of a method's store at each number of images, with the row that has it, a write if possible."""
    sizes: dict[int, tuple[Cell, DiskUsage]] = {}
    for entry in sorted(own, key=lambda entry: entry.cell.operation is not Operation.WRITE_MANY):
        if entry.disk is not None and entry.disk.apparent_bytes:
            sizes.setdefault(entry.cell.cutoff, (entry.cell, entry.disk))
    return sizes
