"""What runs that died have left behind, here and on servers: found, weighed, removed when asked."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imgstore_tui.bench.run import run_folder, server_ledger
from imgstore_tui.bench.run.run_folder import Leftover
from imgstore_tui.bench.run.server_ledger import ServerLeftover
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.units import counted, format_bytes, format_count

__all__ = ["Leftover", "ServerLeftover", "WeighedLeftover", "find_leftovers", "leftovers", "sweep", "total_size"]


@dataclass(frozen=True, slots=True)
class WeighedLeftover:
    """A leftover and what it weighs."""

    leftover: Leftover | ServerLeftover
    allocated_bytes: int = 0
    files: int = 0
    stores: int | None = None
    """Stores on a server; None for a folder, and where the server cannot be asked."""

    @property
    def size(self) -> str:
        """How much it is, in words."""
        if isinstance(self.leftover, Leftover):
            return f"{format_bytes(self.allocated_bytes)} in {format_count(self.files)} files"
        return "an unknown number of stores" if self.stores is None else counted(self.stores, "store")


def leftovers() -> list[Leftover | ServerLeftover]:
    """Return what dead runs have left or may have left; a run that is going on is none of them."""
    return [*run_folder.leftovers(), *server_ledger.server_leftovers()]


def find_leftovers() -> list[WeighedLeftover]:
    """Return what dead runs have left, each weighed; a server is asked, which takes seconds where it is down.

    A ledger of which nothing is left on its server is removed.
    """
    found = []
    for leftover in leftovers():
        if isinstance(leftover, Leftover):
            found.append(_weigh(leftover))
            continue
        try:
            stores = len(server_ledger.find_stores(leftover))
        except ImgstoreError:
            found.append(WeighedLeftover(leftover))
            continue
        if stores:
            found.append(WeighedLeftover(leftover, stores=stores))
        else:
            with contextlib.suppress(ImgstoreError):
                sweep(leftover)
    return found


def total_size(found: Sequence[WeighedLeftover]) -> str:
    """Return how much several leftovers are together, in words."""
    folders = [entry for entry in found if isinstance(entry.leftover, Leftover)]
    weight = format_bytes(sum(entry.allocated_bytes for entry in folders))
    parts = [f"{weight} in {counted(sum(entry.files for entry in folders), 'file')}"] if folders else []
    parts += [f"{entry.size} on a server" for entry in found if entry not in folders]
    return " and ".join(parts)


def sweep(leftover: Leftover | ServerLeftover, heard: Callable[[int], None] = lambda _: None) -> None:
    """Remove what a dead run has left.

    Args:
        leftover: What it has left.
        heard: Told now and then how many files are gone; may raise to end it, which leaves the rest.

    Raises:
        ImgstoreError: If a part must stay, or a server cannot be asked.
        OSError: If a file cannot be removed.
    """
    if isinstance(leftover, Leftover):
        run_folder.sweep(leftover, heard)
    else:
        server_ledger.sweep_server(leftover)


def _weigh(leftover: Leftover) -> WeighedLeftover:
    allocated, files = 0, 0
    for folder, _, names in os.walk(leftover.path):
        for name in names:
            allocated += os.lstat(os.path.join(folder, name)).st_blocks * 512  # noqa: PTH118
            files += 1
    return WeighedLeftover(leftover, allocated, files)
