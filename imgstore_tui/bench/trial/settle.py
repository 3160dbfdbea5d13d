"""Forces what a trial wrote to the device, off the clock, so that the next trial does not pay for it."""

from __future__ import annotations

import ctypes
import itertools
import os
import time
from pathlib import Path

from imgstore_tui.bench.system.counters import system_dirty_bytes
from imgstore_tui.bench.trial.store_files import files_of, force_files

FSYNC_FILES = 64
"""A store of more files than this is drained with one syncfs of its file system: one commit, not thousands."""
QUIET_BYTES = 1 << 20
"""Bytes in writeback that do not disturb a trial."""
WRITEBACK_WAIT_S = 0.5
"""Longest wait for the writeback of others."""

_syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def drain_files(*locations: Path) -> float:
    """Force closed stores to the device, then wait (bounded) for the writeback of all devices.

    Args:
        locations: The stores.

    Returns:
        Seconds that forcing took, the wait not included.
    """
    started = time.perf_counter()
    files = (path for location in locations for path in files_of(location))
    if sum(1 for _ in itertools.islice(files, FSYNC_FILES + 1)) > FSYNC_FILES and _syncfs is not None:
        descriptor = os.open(locations[0], os.O_RDONLY)
        try:
            if _syncfs(descriptor) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(locations[0]))
        finally:
            os.close(descriptor)
    else:
        for location in locations:
            force_files(location)
    seconds = time.perf_counter() - started
    wait_for_writeback()
    return seconds


def wait_for_writeback() -> None:
    """Wait until little is being written to any device, for at most ``WRITEBACK_WAIT_S`` seconds.

    Pages that are dirty but not being written are not waited for: ours have been forced out by then, and others' may
    stay for half a minute. Every row records how many there are.
    """
    deadline = time.monotonic() + WRITEBACK_WAIT_S
    while time.monotonic() < deadline:
        dirty = system_dirty_bytes()
        if dirty is None or dirty[1] <= QUIET_BYTES:
            return
        time.sleep(0.01)
