"""How much of a store is in the page cache: measured, never assumed."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterable
from pathlib import Path

SAMPLED_FILES = 2_000
"""Of a store of more files than this, so many evenly spread ones are looked at."""

_libc = ctypes.CDLL(None, use_errno=True)
if hasattr(_libc, "mmap"):
    _libc.mmap.restype = ctypes.c_void_p
    _libc.mmap.argtypes = [
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64,
    ]  # fmt: skip
    _libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_mincore = getattr(_libc, "mincore", None)
if _mincore is not None:
    _mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_ubyte)]

_MAP_FAILED = ctypes.c_void_p(-1).value


def resident_share(files: Iterable[Path]) -> float | None:
    """Return the share of the files' pages that are in the page cache, 0 to 1; None if it cannot be known.

    Source: mincore(2), for which a file is mapped without being touched.
    """
    if _mincore is None:
        return None
    paths = list(files)
    if len(paths) > SAMPLED_FILES:
        step = len(paths) / SAMPLED_FILES
        paths = [paths[int(index * step)] for index in range(SAMPLED_FILES)]
    pages = resident = 0
    for path in paths:
        counted = _resident_pages(path)
        if counted is None:
            return None
        resident += counted[0]
        pages += counted[1]
    return resident / pages if pages else None


def _resident_pages(path: Path) -> tuple[int, int] | None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        length = os.fstat(descriptor).st_size
        if length == 0:
            return 0, 0
        address = _libc.mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, 0)
        if address in (None, _MAP_FAILED):
            return None
        try:
            count = (length + mmap.PAGESIZE - 1) // mmap.PAGESIZE
            vector = (ctypes.c_ubyte * count)()
            if _mincore is None or _mincore(address, length, vector) != 0:
                return None
            # The lowest bit of each byte says whether the page is resident; a byte holds nothing else on Linux.
            return bytes(vector).count(1), count
        finally:
            _libc.munmap(address, length)
    finally:
        os.close(descriptor)
