"""Bringing a store into the cache state that is asked for, and the proof that it is in it."""

from __future__ import annotations

from pathlib import Path

from imgstore_tui.bench.system.mounts import mount_of
from imgstore_tui.bench.system.page_cache import drop_all_caches, evict, mapped_by, resident_share
from imgstore_tui.bench.trial.setup import TrialSetup
from imgstore_tui.core.errors import UnsupportedError

COLD_SHARE = 0.01
"""A store is cold when no more of its pages than this are in the page cache."""


def prepare_cache(setup: TrialSetup, location: Path) -> float | None:
    """Make a closed store cold where the request asks for it; return the share of its pages that are in memory.

    Raises:
        UnsupportedError: If it did not become cold, or nobody can tell: such a trial has no cold time.
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
    kind = mount_of(files[0] if files else location).kind
    if share is None:
        raise UnsupportedError(f"Nobody can tell on {kind} whether a store is in memory, so nothing is called cold.")
    if share > COLD_SHARE:
        held = mapped_by(files)
        why = f" Another process has it mapped: {held}." if held else ""
        raise UnsupportedError(
            f"{share:.0%} of the store stayed in memory on {kind} after eviction: it is not cold.{why}"
        )
    return share


def proof(setup: TrialSetup, share: float | None) -> str | None:
    """Return, in words, how the cache state is known."""
    if share is None:
        return None
    words = f"{share:.1%} of the store's pages resident (mincore) when the clock started"
    if not setup.cold:
        return words
    what = "data and metadata cold" if setup.request.drop_caches else "data cold, metadata warm"
    return f"{what}: {words}; caches of the device and the host unknown"
