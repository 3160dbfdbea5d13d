"""Finds and weighs the leftovers of killed runs; the door to removing them."""

from __future__ import annotations

import os
from dataclasses import dataclass

from imgstore_tui.bench.run.scratch import Leftover, leftovers, sweep

__all__ = ["Leftover", "WeighedLeftover", "find_leftovers", "leftovers", "sweep"]


@dataclass(frozen=True, slots=True)
class WeighedLeftover:
    """A leftover with its disk use."""

    leftover: Leftover
    allocated_bytes: int
    files: int


def find_leftovers() -> list[WeighedLeftover]:
    """Return the leftovers of killed runs with their disk use; running runs are not among them."""
    return [_weigh(leftover) for leftover in leftovers()]


def _weigh(leftover: Leftover) -> WeighedLeftover:
    allocated, files = 0, 0
    for folder, _, names in os.walk(leftover.path):
        for name in names:
            allocated += os.lstat(os.path.join(folder, name)).st_blocks * 512  # noqa: PTH118
            files += 1
    return WeighedLeftover(leftover, allocated, files)
