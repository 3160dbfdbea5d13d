"""Estimates what a plan takes before it is run: trials, disk, and seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imgstore_tui.bench.plan.cost_model import CostModel
from imgstore_tui.bench.plan.grid import images_needed, plan_cells
from imgstore_tui.bench.results.past_costs import NO_PAST_COSTS, PastCosts
from imgstore_tui.bench.run.preflight import DataSize, SpaceNeed, space_needed
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Plan
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

    @property
    def cut_short(self) -> bool:
        """Whether the time budget is expected to end the run before its last trial."""
        return self.seconds is not None and self.budget_s is not None and self.seconds > self.budget_s


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
    if not set(plan.datasets) <= sizes.keys() or not cells:
        return Estimate(len(cells), trials, None, None, False, plan.budget_s, plan.looks)
    image_bytes = {text: sizes[text].image_bytes for text in plan.datasets}
    costs = CostModel(image_bytes)
    total = measured = 0.0
    for cell in cells:
        factor, is_measured = past_costs.factor(cell)
        seconds = costs.expect(cell) * factor * plan.rounds
        total += seconds
        measured += seconds if is_measured else 0.0
    images = {text: min(images_needed(plan, text), sizes[text].images) for text in plan.datasets}
    total += past_costs.preparing(images, image_bytes)
    need = space_needed(plan, {text: sizes[text] for text in plan.datasets})
    return Estimate(len(cells), trials, need, total, measured > total / 2, plan.budget_s, plan.looks)


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
