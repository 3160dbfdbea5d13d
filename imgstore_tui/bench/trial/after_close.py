"""Looks at what goes on once the clock of a write has stopped: nothing of a store may be written after its close."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.bench.system.counters import process_io, thread_io
from imgstore_tui.bench.system.processes import adopt_orphans, descendants_of
from imgstore_tui.bench.trial.store_files import FilesState, state_of
from imgstore_tui.core.errors import StoreError

MOST_DIRTIED = 1 << 16
"""Bytes that threads which are still there, idle otherwise, may write after the close, such as a line in a log."""
MOST_BUSY_S = 0.02
"""Seconds of processor time that they may take to come to rest."""
MOST_BUSY_SHARE = 0.1
"""The same as a share of the seconds on the clock."""


class CloseWatch:
    """Watches this process, its children and the files of local stores from the close to the end of the drain."""

    def __init__(self) -> None:
        """Note which processes are there before the clock starts; what they leave becomes a child of this process."""
        adopt_orphans()
        self._children = set(descendants_of(os.getpid()))
        self._stores: Sequence[Path] = ()
        self._state: FilesState | None = None
        self._busy_s = 0.0
        self._dirtied: int | None = None

    def closed(self, stores: Sequence[Path]) -> None:
        """Note the state at the close: called as soon as the clock has stopped.

        Args:
            stores: The closed stores.
        """
        self._busy_s, self._dirtied = _busy_elsewhere_s(), _dirtied_elsewhere()
        self._stores = stores
        self._state = state_of(*stores)

    def check(self, seconds: float | None) -> None:
        """End what still runs, and compare with the state at the close.

        Args:
            seconds: Seconds that were on the clock.

        Raises:
            StoreError: If the stores changed after the close, or threads went on working.
        """
        for pid in set(descendants_of(os.getpid())) - self._children:
            # It would go on while others are measured. What it has not written yet, verification will miss.
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
        busy_s, dirtied = _busy_elsewhere_s() - self._busy_s, _dirtied_elsewhere()
        state = state_of(*self._stores)
        if state != self._state:
            raise StoreError("The store was still being written after it was closed, off the clock.")
        if dirtied is not None and self._dirtied is not None and dirtied - self._dirtied > MOST_DIRTIED:
            raise StoreError(f"Threads wrote {dirtied - self._dirtied:,} bytes after the close, off the clock.")
        if busy_s > max(MOST_BUSY_S, MOST_BUSY_SHARE * (seconds or 0.0)):
            raise StoreError(f"Threads worked for {busy_s:.3f} s after the close, off the clock.")


def _busy_elsewhere_s() -> float:
    """Return the processor time of all other threads of this process, those that have ended included, seconds."""
    return time.process_time() - time.thread_time()


def _dirtied_elsewhere() -> int | None:
    process, thread = process_io(), thread_io()
    return None if process is None or thread is None else process[1] - thread[1]
