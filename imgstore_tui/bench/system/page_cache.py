"""Evicts files from the page cache, measures how much of them is in it, and recycles page frames."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

SAMPLED_FILES = 2_000
"""Of a store of more files, only this number of evenly spread ones is inspected."""

LEAST_RECYCLED_BYTES = 1 << 20
"""Fewer bytes than this are not worth a file."""
MOST_RECYCLED_BYTES = 512 << 20
_PIECE = bytes(1 << 20)

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


def evict(files: Iterable[Path]) -> None:
    """Ask the kernel to drop the pages of closed files from the page cache.

    They are synced first, because dirty pages stay. Pages that a process maps stay too, and so does everything on file
    systems that live in memory: only ``resident_share`` tells whether it worked.

    Source: posix_fadvise(2), POSIX_FADV_DONTNEED; no privilege is needed.
    """
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def drop_all_caches() -> None:
    """Drop the page cache, directory entries and inodes of the whole machine; needs root.

    Source: proc(5), ``/proc/sys/vm/drop_caches``.

    Raises:
        OSError: If this process lacks the privilege.
    """
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3", encoding="ascii")


def resident_share(files: Iterable[Path], *, every: bool = False) -> float | None:
    """Return the share of the files' pages of data that are in the page cache, 0 to 1; None if it cannot be known.

    Source: mincore(2), for which a file is mapped without being touched.

    Args:
        files: The files.
        every: Inspect all files, not only ``SAMPLED_FILES`` of them.
    """
    if _mincore is None:
        return None
    paths = list(files)
    if len(paths) > SAMPLED_FILES and not every:
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


def mapped_by(files: Iterable[Path]) -> str | None:
    """Return another process that has one of the files mapped, whose pages then stay in memory: ``NAME (process ID)``.

    Source: ``/proc/PID/maps`` (proc(5)), which only root may read for processes of other users.

    Returns:
        None if there is none, or it cannot be known.
    """
    paths = {str(path.resolve()) for path in files}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit() or process.name == str(os.getpid()):
            continue
        try:
            maps = (process / "maps").read_text(encoding="utf-8", errors="surrogateescape")
            if any(line.partition("/")[1] and "/" + line.partition("/")[2] in paths for line in maps.splitlines()):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"{name} (process {process.name})"
        except OSError:
            continue
    return None


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
            states = bytes(vector)
            data = [states[first:last] for first, last in _data_pages(descriptor, length)]
            return sum(piece.count(1) for piece in data), sum(map(len, data))
        finally:
            _libc.munmap(address, length)
    finally:
        os.close(descriptor)


def _data_pages(descriptor: int, length: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of pages that hold data; a hole of a sparse file is never read from the device.

    Source: lseek(2), SEEK_DATA and SEEK_HOLE. A file system without them calls the whole file data.
    """
    end = 0
    while end < length:
        try:
            begin = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return  # nothing but a hole is left
            begin, end = end, length
        else:
            end = os.lseek(descriptor, begin, os.SEEK_HOLE)
        yield begin // mmap.PAGESIZE, -(-end // mmap.PAGESIZE)


def recycle_page_frames(folder: Path, size: int) -> None:
    """Write and delete a file in a folder, so that a trial that writes there gets page frames that were used before.

    Where memory comes from a host (a virtual machine, a container's first touch), a page frame that was not used since
    the host took it back costs many times what a used one does: writing 30 MB into fresh frames took 100 ms where the
    same call took 8 ms into used ones. Which store gets which would be chance. The file never reaches a device.

    Args:
        folder: A folder on the file system of the stores.
        size: Bytes that the trial is about to write.
    """
    if size < LEAST_RECYCLED_BYTES:
        return
    # A file system that is full or read-only says so in the trial itself, on real data.
    with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(min(size, MOST_RECYCLED_BYTES) // len(_PIECE) + 1):
            file.write(_PIECE)
