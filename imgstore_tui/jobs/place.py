"""A look at the place where stores would be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.bench.run.preflight import SpaceNeed, check_space
from imgstore_tui.bench.run.scratch import choose_scratch
from imgstore_tui.bench.system.environment import describe_environment
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.units import format_bytes
from imgstore_tui.plugins import registry


@dataclass(frozen=True, slots=True)
class ScratchPlace:
    """Where stores would be made."""

    path: Path
    text: str
    """What it is, in a sentence."""

    def shortage(self, need: SpaceNeed | None) -> str:
        """Return what it has too little of, in a sentence; empty where there is enough, or nobody knows."""
        if need is None:
            return ""
        try:
            check_space(need, self.path)
        except ImgstoreError as error:
            return str(error)
        return ""


def find_scratch_place(scratch: str | None, datasets: Sequence[str]) -> ScratchPlace:
    """Find the place and look at it, as a run would.

    Args:
        scratch: The folder asked for; None for the one that is found by itself.
        datasets: The plan's datasets, as written: stores are never made among the data.

    Raises:
        ImgstoreError: If there is no such place, or nothing can be written there.
    """
    # Data that is not there is said where data is chosen; it is in no place's way.
    roots = [root for text in datasets for root in registry.make_dataset(text).roots if root.exists()]
    path = choose_scratch(scratch, roots)
    found = describe_environment(path, roots, ())
    free = "" if found.scratch_free_bytes is None else f", {format_bytes(found.scratch_free_bytes)} free"
    words = f"Stores are made in {path} ({found.scratch_filesystem} on {found.scratch_device}{free})."
    if found.same_device_as_data is False:
        words += " The data is on another device."
    return ScratchPlace(path, words)
