"""The order of things: a plan's cells, gathered in blocks that share a store, shuffled anew every round."""

from __future__ import annotations

import random
from dataclasses import dataclass

from imgstore_tui import registry
from imgstore_tui.core.model import Cell, Plan
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import Spec


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


def plan_blocks(plan: Plan) -> tuple[Block, ...]:
    """Return the plan's blocks in the order in which tables show them.

    ``write-one`` is a matter of one image: it stands in the block of cutoff 1, which is made for it where the
    plan has no such cutoff.
    """
    blocks = []
    for dataset in plan.datasets:
        cutoffs = list(cutoffs_of(plan, dataset))
        if Operation.WRITE_ONE in plan.operations and 1 not in cutoffs:
            cutoffs.insert(0, 1)
        for spec in plan.specs:
            for cutoff in cutoffs:
                cells = tuple(
                    cell
                    for operation in Operation
                    if operation in plan.operations
                    for cell in _cells(plan, dataset, spec, operation, cutoff)
                )
                if cells:
                    blocks.append(Block(dataset, spec, cutoff, cells))
    return tuple(blocks)


def _cells(plan: Plan, dataset: str, spec: Spec, operation: Operation, cutoff: int) -> list[Cell]:
    if operation is Operation.WRITE_ONE and cutoff != 1:
        return []
    if operation is not Operation.WRITE_ONE and cutoff not in plan.cutoffs:
        return []
    shared = {"payload": plan.payload, "workers": plan.workers, "scratch": plan.scratch or ""}
    if operation.writes:
        return [Cell(dataset, spec.label, operation, cutoff, None, sync, **shared) for sync in plan.sync]  # type: ignore[arg-type]
    return [Cell(dataset, spec.label, operation, cutoff, cache, None, **shared) for cache in plan.cache]  # type: ignore[arg-type]


def plan_cells(plan: Plan) -> tuple[Cell, ...]:
    """Return all cells of the plan, in the order in which tables show them."""
    return tuple(cell for block in plan_blocks(plan) for cell in block.cells)


def shuffled(blocks: tuple[Block, ...], seed: int, round_number: int) -> list[Block]:
    """Return the blocks in this round's order: the same for the same seed, another for every round."""
    order = list(blocks)
    random.Random(f"{seed}/{round_number}").shuffle(order)  # noqa: S311 - an order, not a secret
    return order
