"""Tracks which trials of a run are still to be measured, and how long they will take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imgstore_tui.bench.plan.cost_model import CostModel
from imgstore_tui.core.events import Progress
from imgstore_tui.core.model import Cell


class RemainingWork:
    """The trials that are left, weighed by their expected seconds, against the seconds spent so far."""

    def __init__(self, cells: Iterable[Cell], rounds: int, image_bytes: Mapping[str, float]) -> None:
        """Start with all rounds of all cells.

        Args:
            cells: The cells of the run.
            rounds: Trials per cell.
            image_bytes: Pixels of one image of each dataset, in bytes.
        """
        self._costs = CostModel(image_bytes)
        self._trials: dict[Cell, int] = dict.fromkeys(cells, rounds)
        self._spent_s = 0.0
        self._further: tuple[int, float] = (0, 0.0)
        """How much work is left beside the trials, and the seconds that a piece takes."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells of the run, in their order."""
        return tuple(self._trials)

    @property
    def seconds(self) -> float:
        """Expected seconds of all trials that are left, and of the work beside them."""
        count, piece_s = self._further
        return sum(self._costs.expect(cell) * count for cell, count in self._trials.items()) + count * piece_s

    @property
    def spent_s(self) -> float:
        """Seconds that finished trials took."""
        return self._spent_s

    def expect(self, cell: Cell) -> float:
        """Return the expected seconds of the next trial of a cell."""
        return self._costs.expect(cell)

    def finish(self, cell: Cell) -> None:
        """Count one trial of a cell as done."""
        self._trials[cell] = max(0, self._trials.get(cell, 1) - 1)

    def expect_further(self, count: int, seconds: float) -> None:
        """Expect work beside the trials, such as rounds of several clients.

        Args:
            count: Pieces of it.
            seconds: Expected seconds of all of them.
        """
        self._further = count, seconds / count if count else 0.0

    def finish_further(self) -> None:
        """Count one piece of the work beside the trials as done."""
        count, piece_s = self._further
        self._further = max(0, count - 1), piece_s
        self._spent_s += piece_s

    def stop(self, cell: Cell) -> None:
        """Expect no further trial of a cell."""
        self._trials[cell] = 0

    def learn(self, cell: Cell, seconds: float) -> None:
        """Learn from the seconds that a trial of a cell took, everything around its clock included."""
        self._costs.learn(cell, seconds)
        self._spent_s += seconds

    def progress(
        self, images: int, remaining_s: float, budget_s: float, *, expected_s: float = 0.0, share: float = 0.0,
        known: bool,
    ) -> Progress:  # fmt: skip
        """Return how far the run is.

        Args:
            images: Images that the running trial has done.
            remaining_s: Expected seconds of all trials that are left, the running one included.
            budget_s: Seconds left in the time budget.
            expected_s: Expected seconds of the running trial.
            share: Share of the running trial that is done, 0 to 1.
            known: Whether anything has been measured; else no time is given.
        """
        left = max(0.0, remaining_s - share * expected_s)
        total = self._spent_s + remaining_s
        # The budget lets no further trial begin, but the running one comes to its end.
        within = min(left, max(budget_s, (1 - share) * expected_s))
        return Progress(images, 1 - left / total if total else 1.0, within if known else None, budget_s < 0)
