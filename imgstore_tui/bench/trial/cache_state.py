"""Brings a store into the cache state of a request, and proves it."""

from __future__ import annotations

from pathlib import Path

from imgstore_tui.bench.system.mounts import mount_of
from imgstore_tui.bench.system.page_cache import drop_all_caches, evict, mapped_by, resident_share
from imgstore_tui.bench.trial.setup import TrialSetup
from imgstore_tui.core.errors import UnsupportedError

COLD_SHARE = 0.01
"""A store is cold when at most this share of its pages is in the page cache."""


def prepare_cache(setup: TrialSetup, location: Path) -> float | None:
    """Evict a closed store from the page cache if the request is cold.

    Args:
        setup: The trial.
        location: The store.

    Returns:
        The share of the store's pages in the page cache, 0 to 1; None if unknown.

    Raises:
        UnsupportedError: If the store did not become cold, or that cannot be known: such a trial has no cold time.
    """
    files = list(setup.backend.files(location))
    if not setup.cold:
        return resident_share(files)
    evict(files)
    if setup.request.drop_caches:
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


def proof(setup: TrialSetup, share: float | None) -> str | None:
    """Return how the cache state is known, as text; None if it is not known.

    Args:
        setup: The trial.
        share: The share of the store's pages in the page cache when the clock started.
    """
    if share is None:
        return None
    residency = f"{share:.1%} of the store's pages resident (mincore) when the clock started"
    if not setup.cold:
        return residency
    state = "data and metadata cold" if setup.request.drop_caches else "data cold, metadata warm"
    return f"{state}: {residency}; caches of the device and the host unknown"
