"""Nobody pays for a neighbour: what a trial wrote is forced out, off the clock, before the next begins."""

from __future__ import annotations

import ctypes
import itertools
import os
import time
from pathlib import Path

from imgstore_tui.bench.trial.clock import system_dirty_bytes
from imgstore_tui.storekit.local import LocalBackend

FSYNC_FILES = 64
"""A store of more files than this is drained with one syncfs of its file system: one commit, not thousands."""
CALM_BYTES = 1 << 20
"""Fewer bytes than this on their way to a device disturb nobody."""
PATIENCE_S = 0.5

_syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def drain(backend: LocalBackend, *locations: Path) -> float:
    """Force closed stores to the device, then wait (bounded) for what is on its way to devices.

    Returns:
        Seconds that forcing took, the wait not included.
    """
    started = time.perf_counter()
    files = (path for location in locations for path in backend.files(location))
    if sum(1 for _ in itertools.islice(files, FSYNC_FILES + 1)) > FSYNC_FILES and _syncfs is not None:
        descriptor = os.open(locations[0], os.O_RDONLY)
        try:
            if _syncfs(descriptor) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(locations[0]))
        finally:
            os.close(descriptor)
    else:
        for location in locations:
            backend.make_durable(location)
    seconds = time.perf_counter() - started
    wait_for_writeback()
    return seconds


def wait_for_writeback() -> None:
    """Wait until little is on its way to any device, for at most ``PATIENCE_S`` seconds.

    Pages that are dirty but not being written are not waited for: ours have been forced out by then, and others' may
    stay for half a minute. How many there are stands in every row.
    """
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        dirty = system_dirty_bytes()
        if dirty is None or dirty[1] <= CALM_BYTES:
            return
        time.sleep(0.01)
