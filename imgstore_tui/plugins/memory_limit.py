"""Bounds the memory of a process that reads files of unknown origin, so that none of them can fill the machine's."""

from __future__ import annotations

import contextlib
import os
import resource
from pathlib import Path

_MOST_BYTES = 2**34
_LEAST_BYTES = 2**31
"""The allocator of Arrow alone sets aside 1 GiB."""
_GROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def limit_memory() -> None:
    """Let this process have no more memory than half of the machine's, or of the container's, and 16 GiB at most.

    What counts is memory of its own that can be written (getrlimit(2), RLIMIT_DATA). Memory maps of files do not, which
    LMDB and Arrow need as large as the files are. A lower limit that is set already stays.
    """
    limit = max(_LEAST_BYTES, min(_MOST_BYTES, _memory_bytes() // 2))
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY or soft > limit:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def limited_bytes() -> int:
    """Return the bytes that this process may have."""
    return resource.getrlimit(resource.RLIMIT_DATA)[0]


def _memory_bytes() -> int:
    """Return the memory of the machine, or what the container may have of it, if that is less."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in _GROUP_LIMITS:
        with contextlib.suppress(OSError, ValueError):  # without a limit there is a word, or no such file
            sizes.append(int(path.read_text(encoding="ascii")))
    return min(sizes)
