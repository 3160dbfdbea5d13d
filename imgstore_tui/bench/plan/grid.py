"""Spans a plan's cells, gathers them in blocks that share a store, and shuffles the blocks of each round."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial

from imgstore_tui.core.model import Cell, DatasetFacts, Plan, Run
from imgstore_tui.core.operations import Operation, Payload
from imgstore_tui.core.spec import IN_PLACE, Spec
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.sync_levels import forcing_servers, written_level

IN_PLACE_OPERATIONS = (Operation.READ_ONE, Operation.GET_ONE, Operation.READ_MANY, Operation.READ_RANDOM)
"""The operations of the source row: files are only read, and have no store of labels."""


@dataclass(frozen=True, slots=True)
class Block:
    """The trials of one spec, dataset and cutoff in a round: writes first, then reads of what was written."""

    dataset: str
    spec: Spec
    cutoff: int
    cells: tuple[Cell, ...]


def cutoffs_of(plan: Plan, dataset: str) -> tuple[int, ...]:
    """Return the plan's cutoffs that are run on a dataset: those that its option ``upto`` allows."""
    most = registry.most_images(dataset)
    return tuple(cutoff for cutoff in plan.cutoffs if cutoff <= most)


def images_needed(plan: Plan, dataset: str) -> int:
    """Return how many images the largest trial on a dataset handles, at least one."""
    return max(cutoffs_of(plan, dataset), default=1)


def reads_in_place(plan: Plan) -> bool:
    """Return whether the user's files, if a dataset has them, are read in place as the source row.

    They are not if the payload is ``raw``: files are not pixels, and what they would be compared with has no codec.
    """
    return plan.baseline and plan.payload is not Payload.RAW


def datasets_with_files(facts: Iterable[DatasetFacts]) -> frozenset[str]:
    """Return the datasets of a run, as written, whose images are files of the user."""
    return frozenset(fact.text for fact in facts if fact.original_bytes is not None)


def plan_blocks(plan: Plan, file_datasets: Collection[str] = (), forcing: Collection[str] = ()) -> tuple[Block, ...]:
    """Return the plan's blocks in the order in which tables show them.

    ``write-one`` writes one image: it belongs to the block of cutoff 1, which is added if the plan has no such cutoff.

    Args:
        plan: The plan.
        file_datasets: Its datasets whose images are files; each gets the source row as its first method.
        forcing: Its backends whose server forces what it acknowledges, where that is known: see ``run_cells``.
    """
    blocks = []
    for dataset in plan.datasets:
        cutoffs = list(cutoffs_of(plan, dataset))
        if Operation.WRITE_ONE in plan.operations and 1 not in cutoffs:
            cutoffs.insert(0, 1)
        in_place = dataset in file_datasets and reads_in_place(plan)
        for spec in (IN_PLACE, *plan.specs) if in_place else plan.specs:
            for cutoff in cutoffs:
                cells = tuple(
                    cell
                    for operation in (IN_PLACE_OPERATIONS if spec == IN_PLACE else Operation)
                    if operation in plan.operations
                    for cell in _cells(plan, dataset, spec, operation, cutoff, forcing)
                )
                if cells:
                    blocks.append(Block(dataset, spec, cutoff, cells))
    return tuple(blocks)


def _cells(
    plan: Plan, dataset: str, spec: Spec, operation: Operation, cutoff: int, forcing: Collection[str]
) -> list[Cell]:
    if operation is Operation.WRITE_ONE and cutoff != 1:
        return []
    if operation is not Operation.WRITE_ONE and cutoff not in plan.cutoffs:
        return []
    cell = partial(
        Cell, dataset, spec.label, operation, cutoff,
        payload=plan.payload, workers=plan.workers, scratch=plan.scratch or "",
    )  # fmt: skip
    if operation.writes:
        levels = (written_level(spec.backend, sync, forcing=forcing) for sync in plan.sync)
        return [cell(None, sync) for sync in dict.fromkeys(levels)]
    return [cell(cache, None) for cache in plan.cache]


def plan_cells(plan: Plan, file_datasets: Collection[str] = (), forcing: Collection[str] = ()) -> tuple[Cell, ...]:
    """Return all cells of the plan, in the order in which tables show them; see ``plan_blocks``."""
    return tuple(cell for block in plan_blocks(plan, file_datasets, forcing) for cell in block.cells)


def run_blocks(run: Run) -> tuple[Block, ...]:
    """Return the blocks of a run: of its plan, with what is known of its data and of its servers' settings."""
    return plan_blocks(run.plan, datasets_with_files(run.datasets), forcing_servers(run.environment.servers))


def run_cells(run: Run) -> tuple[Cell, ...]:
    """Return all cells of a run, in the order in which tables show them; see ``run_blocks``."""
    return tuple(cell for block in run_blocks(run) for cell in block.cells)


def specs_by_label(plan: Plan) -> dict[str, Spec]:
    """Return the storage methods of the plan's cells by label, the source row included."""
    return {spec.label: spec for spec in (IN_PLACE, *plan.specs)}


def shuffled_blocks(blocks: tuple[Block, ...], seed: int, round_number: int) -> list[Block]:
    """Return the blocks in the order of a round: the same for the same seed, different for every round."""
    order = list(blocks)
    random.Random(f"{seed}/{round_number}").shuffle(order)  # noqa: S311 - an order, not a secret
    return order
