"""Nobody pays for a neighbour: what a trial wrote is forced out, off the clock, before the next begins."""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path

from imgstore_tui.bench.clock import system_dirty_bytes
from imgstore_tui.core.backend import Backend

FSYNC_FILES = 64
"""A store of more files than this is drained with one syncfs of its file system: one commit, not thousands."""
CALM_BYTES = 16 << 20
"""Fewer dirty bytes than this in the whole system disturb nobody."""
PATIENCE_S = 2.0

_syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def drain(backend: Backend, location: Path) -> float:
    """Force a closed store to the device, then wait (bounded) for the system's dirty pages to settle.

    Returns:
        Seconds that forcing took, the wait not included.
    """
    started = time.perf_counter()
    files = sum(1 for _ in zip(backend.files(location), range(FSYNC_FILES + 1), strict=False))
    if files > FSYNC_FILES and _syncfs is not None:
        descriptor = os.open(location, os.O_RDONLY)
        try:
            if _syncfs(descriptor) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(location))
        finally:
            os.close(descriptor)
    else:
        backend.make_durable(location)
    seconds = time.perf_counter() - started
    settle()
    return seconds


def settle() -> None:
    """Wait until few pages of the system are dirty, for at most ``PATIENCE_S`` seconds."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        dirty = system_dirty_bytes()
        if dirty is None or dirty <= CALM_BYTES:
            return
        time.sleep(0.02)
