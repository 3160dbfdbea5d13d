"""Brings a store into the cache state of a request, and proves it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.bench.system.mounts import mount_of
from imgstore_tui.bench.system.page_cache import drop_all_caches, evict, mapped_by, resident_share
from imgstore_tui.core.errors import UnsupportedError

COLD_SHARE = 0.01
"""A store is cold when at most this share of its pages is in the page cache."""


def prepare_cache(files: Sequence[Path], location: Path, *, cold: bool, drop_caches: bool) -> float | None:
    """Evict a closed store of files from the page cache if the request is cold.

    Args:
        files: The store's files.
        location: The store.
        cold: Whether it must not be in memory.
        drop_caches: Whether the caches of the whole machine are dropped, too.

    Returns:
        The share of the store's pages in the page cache, 0 to 1; None if unknown.

    Raises:
        UnsupportedError: If the store did not become cold, or that cannot be known: such a trial has no cold time.
    """
    if not cold:
        return resident_share(files)
    evict(files)
    if drop_caches:
        try:
            drop_all_caches()
        except OSError as error:
            raise UnsupportedError(f"The machine's caches cannot be dropped: {error.strerror}.") from None
    share = resident_share(files, every=True)
    filesystem = mount_of(files[0] if files else location).filesystem
    if share is None:
        raise UnsupportedError(
            f"Nobody can tell on {filesystem} whether a store is in memory, so nothing is called cold."
        )
    if share > COLD_SHARE:
        process = mapped_by(files)
        why = f" Another process has it mapped: {process}." if process else ""
        raise UnsupportedError(
            f"{share:.0%} of the store stayed in memory on {filesystem} after eviction: it is not cold.{why}"
        )
    return share


def proof(share: float | None, *, cold: bool, drop_caches: bool) -> str | None:
    """Return how the cache state is known, as text; None if it is not known.

    Args:
        share: The share of the store's pages in the page cache when the clock started.
        cold: Whether the store was made cold.
        drop_caches: Whether the caches of the whole machine were dropped, too.
    """
    if share is None:
        return None
    residency = f"{share:.1%} of the store's pages resident (mincore) when the clock started"
    if not cold:
        return residency
    state = "data and metadata cold" if drop_caches else "data cold, metadata warm"
    return f"{state}: {residency}; caches of the device and the host unknown"
