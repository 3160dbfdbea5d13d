"""Computes what the whole set of the user costs in an object store: a month, the upload, the requests of all epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.analysis.prices import GB, PriceSheet, costs
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Cell, Run
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


def set_costs(run: Run, summaries: Sequence[CellSummary], given: DatasetAdvice, sheet: PriceSheet) -> list[SetCost]:
    """Return the costs of every method with a known size, in the order of the plan.

    Args:
        run: The run.
        summaries: The summaries of its cells.
        given: The advice on a dataset: it has the images of the whole set and the epochs.
        sheet: The prices.
    """
    passes, dataset = given.situation.passes, given.advice.dataset
    counted = {(cost.spec, cost.images): cost for cost in costs(run, sheet) if cost.dataset == dataset}
    found = []
    for spec in [entry.label for entry in (IN_PLACE, *run.plan.specs)]:
        own = [entry for entry in summaries if (entry.cell.dataset, entry.cell.spec) == (dataset, spec)]
        weighed = [entry for entry in own if entry.disk is not None and entry.disk.apparent_bytes]
        if not weighed:
            continue
        largest = max(weighed, key=lambda entry: entry.cell.cutoff)
        disk, cutoff = largest.disk, largest.cell.cutoff
        if disk is None or not disk.apparent_bytes:
            continue
        share = given.images / cutoff
        size = disk.apparent_bytes * share
        cost = counted.get((spec, cutoff))
        objects = _files_of(weighed, disk.files or 1, share)
        writes = objects if cost is None or cost.write_requests is None else cost.write_requests * share
        once = (
            None if cost is None else cost.random_requests if cost.random_requests is not None else cost.read_requests
        )
        reads = passes * (objects if once is None else once * share)
        found.append(
            SetCost(
                spec, size, size / GB * sheet.gb_month, writes, writes * sheet.put_per_1000 / 1000, reads,
                reads * sheet.get_per_1000 / 1000, once is not None, (largest.cell,),
            )
        )  # fmt: skip
    return found


def _files_of(weighed: Sequence[CellSummary], files: int, share: float) -> float:
    """Return the files of the whole set: as many as measured where their number does not grow with the images."""
    counts = {entry.cell.cutoff: entry.disk.files for entry in weighed if entry.disk is not None}
    fixed = len(counts) > 1 and len(set(counts.values())) == 1
    return float(files) if fixed or files == 1 else files * share
