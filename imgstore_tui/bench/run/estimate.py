"""What a plan will take, before it is run: trials, disk, and about how long."""

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
    """What is expected of a run."""

    cells: int
    """What is compared, the source row included."""
    trials: int
    need: SpaceNeed | None
    """Disk at its most; None while it is not known how large the images are."""
    seconds: float | None
    """From start to end, the budget not counted in; None while it is not known how large the images are."""
    measured: bool
    """Whether it rests, for the most part, on what was measured on this machine before."""
    budget_s: float | None
    """When the last trial begins at the latest; None for no limit."""

    @property
    def cut_short(self) -> bool:
        """Whether the time budget is expected to end the run before its last trial."""
        return self.seconds is not None and self.budget_s is not None and self.seconds > self.budget_s


def estimate(plan: Plan, sizes: Mapping[str, DataSize], rates: PastCosts = NO_PAST_COSTS) -> Estimate:
    """Say what a plan will take.

    Args:
        plan: The plan; it need not be fit to run.
        sizes: How much there is of each dataset; without one of them, nothing is said of disk and time.
        rates: What this machine took in the past.
    """
    filed = [text for text in plan.datasets if (sizes[text].has_originals if text in sizes else _has_files(text))]
    cells = plan_cells(plan, filed)
    trials = len(cells) * plan.rounds
    if not set(plan.datasets) <= sizes.keys() or not cells:
        return Estimate(len(cells), trials, None, None, False, plan.budget_s)
    image_bytes = {text: sizes[text].image_bytes for text in plan.datasets}
    costs = CostModel(image_bytes)
    total = known = 0.0
    for cell in cells:
        factor, seen = rates.factor(cell)
        seconds = costs.expect(cell) * factor * plan.rounds
        total += seconds
        known += seconds if seen else 0.0
    images = {text: min(images_needed(plan, text), sizes[text].images) for text in plan.datasets}
    total += rates.preparing(images, image_bytes)
    need = space_needed(plan, {text: sizes[text] for text in plan.datasets})
    return Estimate(len(cells), trials, need, total, known > total / 2, plan.budget_s)


def known_size(text: str) -> DataSize | None:
    """Return how much there is of a dataset whose images are all of one size by its very kind.

    Returns:
        None where that can only be known by looking at the data, or where ``text`` is no dataset.
    """
    dataset = _made(text)
    if dataset is None or dataset.needs_path or dataset.uniform is None:
        return None
    return DataSize.of(dataset)


def _made(text: str) -> Dataset | None:
    try:
        return registry.make_dataset(text)
    except ImgstoreError:
        return None


def _has_files(text: str) -> bool:
    dataset = _made(text)
    return dataset is not None and dataset.has_originals
