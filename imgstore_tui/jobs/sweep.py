"""Finds, weighs and removes the leftovers of killed runs, in folders and on servers, and of killed servers."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imgstore_tui.bench.results.journal import Ballast, left_ballast
from imgstore_tui.bench.run import run_folder, server_ledger
from imgstore_tui.bench.run.run_folder import Leftover
from imgstore_tui.bench.run.server_ledger import ServerLeftover, forget
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.units import counted, format_bytes
from imgstore_tui.jobs.servers import leftovers as server_folders
from imgstore_tui.jobs.servers.leftovers import ServerFolder

AnyLeftover = Leftover | ServerLeftover | ServerFolder | Ballast

__all__ = [
    "AnyLeftover",
    "Leftover",
    "ServerLeftover",
    "WeighedLeftover",
    "find_leftovers",
    "forget",
    "leftovers",
    "sweep",
    "total_size",
]


@dataclass(frozen=True, slots=True)
class WeighedLeftover:
    """A leftover with its disk use, or its number of stores."""

    leftover: AnyLeftover
    allocated_bytes: int = 0
    files: int = 0
    stores: int | None = None
    """Number of stores on a server; None for a folder, and where the server cannot be reached."""

    @property
    def size(self) -> str:
        """The disk use or the number of stores, as text."""
        if not isinstance(self.leftover, ServerLeftover):
            return f"{format_bytes(self.allocated_bytes)} in {counted(self.files, 'file')}"
        return "an unknown number of stores" if self.stores is None else counted(self.stores, "store")


def leftovers() -> list[Leftover | ServerLeftover | ServerFolder]:
    """Return the leftovers of killed runs and servers, and possible ones on servers; what runs is not among them."""
    return [*run_folder.leftovers(), *server_ledger.server_leftovers(), *server_folders.find()]


def find_leftovers() -> list[WeighedLeftover]:
    """Return the leftovers of killed runs, weighed, and the space that they have held back for their results.

    A server is asked, which takes seconds if it is down. A ledger whose server holds nothing of it any more is removed.
    """
    weighed = []
    for leftover in [*leftovers(), *left_ballast()]:
        if not isinstance(leftover, ServerLeftover):
            weighed.append(_weigh(leftover))
            continue
        try:
            stores = len(server_ledger.find_stores(leftover))
        except ImgstoreError:
            weighed.append(WeighedLeftover(leftover))
            continue
        if stores:
            weighed.append(WeighedLeftover(leftover, stores=stores))
        else:
            with contextlib.suppress(ImgstoreError):
                sweep(leftover)
    return weighed


def total_size(weighed: Sequence[WeighedLeftover]) -> str:
    """Return the total disk use and number of stores of leftovers, as text."""
    folders = [entry for entry in weighed if not isinstance(entry.leftover, ServerLeftover)]
    weight = format_bytes(sum(entry.allocated_bytes for entry in folders))
    parts = [f"{weight} in {counted(sum(entry.files for entry in folders), 'file')}"] if folders else []
    on_servers = [
        (entry.stores, entry.leftover.place) for entry in weighed if isinstance(entry.leftover, ServerLeftover)
    ]
    known = [(stores, place) for stores, place in on_servers if stores is not None]
    unknown = {place for stores, place in on_servers if stores is None}
    if known:
        stores = counted(sum(stores for stores, _ in known), "store")
        parts.append(f"{stores} on {_servers({place for _, place in known})}")
    if unknown:
        parts.append(f"an unknown number of stores on {_servers(unknown)}")
    return " and ".join(parts)


def _servers(places: set[str]) -> str:
    return "a server" if len(places) == 1 else counted(len(places), "server")


def sweep(leftover: AnyLeftover, progress: Callable[[int], None] = lambda _: None) -> None:
    """Remove a leftover.

    Args:
        leftover: The leftover.
        progress: Called now and then with the number of files removed; may raise to stop, which keeps the rest.

    Raises:
        ImgstoreError: If a part cannot be removed, or a server cannot be reached.
        OSError: If a file cannot be removed.
    """
    if isinstance(leftover, Leftover):
        run_folder.sweep(leftover, progress)
    elif isinstance(leftover, ServerFolder):
        server_folders.remove(leftover)
    elif isinstance(leftover, Ballast):
        leftover.path.unlink(missing_ok=True)
    else:
        server_ledger.sweep_server(leftover)


def _weigh(leftover: Leftover | ServerFolder | Ballast) -> WeighedLeftover:
    allocated, files = 0, 0
    if isinstance(leftover, Ballast):
        with contextlib.suppress(FileNotFoundError):
            allocated, files = leftover.path.lstat().st_blocks * 512, 1
    for folder, _, names in os.walk(leftover.path):
        for name in names:
            allocated += os.lstat(os.path.join(folder, name)).st_blocks * 512  # noqa: PTH118
            files += 1
    return WeighedLeftover(leftover, allocated, files)
