"""Estimates what a plan takes before it is run: trials, disk, and seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imgstore_tui.bench.plan.client_grid import client_blocks, client_seconds
from imgstore_tui.bench.plan.cost_model import CostModel
from imgstore_tui.bench.plan.grid import images_needed, plan_cells, specs_by_label
from imgstore_tui.bench.plan.looks import rounds_for_first_verdicts
from imgstore_tui.bench.results.past_costs import NO_PAST_COSTS, PastCosts
from imgstore_tui.bench.run.preflight import DataSize, SpaceNeed, space_needed
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Cell, Plan
from imgstore_tui.plugins import registry


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan is expected to take."""

    cells: int
    """Cells, those of the source row included."""
    trials: int
    need: SpaceNeed | None
    """Disk space at its peak; None while the size of the images is unknown."""
    seconds: float | None
    """From start to end, the budget ignored; None while the size of the images is unknown."""
    measured: bool
    """Whether more than half of it is based on measurements of this machine."""
    budget_s: float | None
    """Seconds after which no trial begins; None for no limit."""
    at_most: bool = False
    """Whether trials and seconds are the most, as rounds may stop sooner by themselves."""
    rounds: int = 0
    """Most rounds."""
    rounds_needed: int | None = None
    """Rounds after which the first verdict may be given; None if the plan compares nothing or has too few."""
    preparing_s: float = 0.0
    """Seconds of them before the first trial, which the budget does not count."""
    client_rounds: int = 0
    """Rounds of several clients, beside the trials."""
    clients_s: float | None = None
    """Seconds of them; None while the size of the images is unknown."""

    @property
    def cut_short(self) -> bool:
        """Whether the time budget is expected to end the run before its last trial."""
        return self.seconds is not None and self.budget_s is not None and self.seconds > self.budget_s

    @property
    def rounds_reached(self) -> int | None:
        """Whole rounds that the time budget is expected to allow; None while time is unknown."""
        if self.seconds is None or not self.rounds:
            return None
        if self.budget_s is None:
            return self.rounds
        round_s = (self.seconds - self.preparing_s) / self.rounds
        return self.rounds if round_s * self.rounds <= self.budget_s else int(self.budget_s / round_s)

    @property
    def answer_s(self) -> float | None:
        """Expected seconds until the first verdict, the budget ignored; None if there is none, or time is unknown."""
        if self.seconds is None or self.rounds_needed is None:
            return None
        return self.preparing_s + (self.seconds - self.preparing_s) * self.rounds_needed / self.rounds

    @property
    def answers(self) -> bool | None:
        """Whether the first verdict is expected within the budget; None if it cannot be known, or none is asked for."""
        reached = self.rounds_reached
        return None if reached is None or self.rounds_needed is None else reached >= self.rounds_needed


def estimate(plan: Plan, sizes: Mapping[str, DataSize], past_costs: PastCosts = NO_PAST_COSTS) -> Estimate:
    """Estimate what a plan takes.

    Args:
        plan: The plan; it need not be runnable.
        sizes: Size of each dataset; if one is missing, disk and time are not estimated.
        past_costs: What trials took on this machine before.
    """
    file_datasets = [text for text in plan.datasets if (sizes[text].has_files if text in sizes else _has_files(text))]
    cells = plan_cells(plan, file_datasets)
    trials = len(cells) * plan.rounds
    needed = _rounds_needed(plan, cells)
    client_rounds = plan.rounds * sum(len(block.rounds) for block in client_blocks(plan))
    if not set(plan.datasets) <= sizes.keys() or not cells:
        return Estimate(
            len(cells), trials, None, None, False, plan.budget_s, plan.looks, plan.rounds, needed,
            client_rounds=client_rounds,
        )  # fmt: skip
    image_bytes = {text: sizes[text].image_bytes for text in plan.datasets}
    costs = CostModel(image_bytes)
    total = measured = 0.0
    specs = specs_by_label(plan)
    for cell in cells:
        factor, is_measured = past_costs.factor(cell, specs[cell.spec])
        seconds = costs.expect(cell) * factor * plan.rounds
        total += seconds
        measured += seconds if is_measured else 0.0
    images = {text: min(images_needed(plan, text), sizes[text].images) for text in plan.datasets}
    preparing = past_costs.preparing(images, image_bytes)
    need = space_needed(plan, {text: sizes[text] for text in plan.datasets})
    clients = plan.rounds * client_seconds(plan, costs.expect)
    return Estimate(
        len(cells), trials, need, preparing + total + clients, measured > total / 2, plan.budget_s, plan.looks,
        plan.rounds, needed, preparing, client_rounds, clients,
    )  # fmt: skip


def _rounds_needed(plan: Plan, cells: Sequence[Cell]) -> int | None:
    """Return the rounds of the first look at the cells with the most methods; None where there is none."""
    most = max(Counter(cell.contest for cell in cells).values(), default=0)
    needed = rounds_for_first_verdicts(plan, cells)
    return needed if most > 1 and plan.rounds >= needed else None


def known_size(text: str) -> DataSize | None:
    """Return the size of a dataset whose images always have one shape, without reading it.

    Returns:
        None if the size can only be known by reading the data, or ``text`` is not a dataset.
    """
    dataset = _dataset(text)
    if dataset is None or dataset.needs_path or dataset.uniform is None:
        return None
    return DataSize.of(dataset)


def _dataset(text: str) -> Dataset | None:
    try:
        return registry.make_dataset(text)
    except ImgstoreError:
        return None


def _has_files(text: str) -> bool:
    dataset = _dataset(text)
    return dataset is not None and dataset.has_files
