"""No lottery of fresh memory: the page cache a trial is about to fill has been filled once before, off the clock.

Where memory comes from a host (a virtual machine, a container's first touch), a page frame that nobody has used since
the host took it back costs many times what a used one does: writing 30 MB into fresh frames took 100 ms where the same
call took 8 ms into used ones. Which store gets which would be chance. So a file of the same size is written and deleted
first; the frames it gives back are the ones the trial is handed. It never reaches a device.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

LEAST_BYTES = 1 << 20
"""Fewer bytes than this are not worth a file."""
MOST_BYTES = 512 << 20
_PIECE = bytes(1 << 20)


def recycle_page_frames(folder: Path, size: int) -> None:
    """Write a file of about ``size`` bytes into the page cache of a folder's file system, and let it go."""
    if size < LEAST_BYTES:
        return
    # A file system that is full or forbids it says so in the trial itself, on real data.
    with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(min(size, MOST_BYTES) // len(_PIECE) + 1):
            file.write(_PIECE)
