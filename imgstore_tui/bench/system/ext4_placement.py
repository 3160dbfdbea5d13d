"""No trial pays for what was deleted before it: each store is made in a part of the disk of its own.

On ext4 without a journal, the usual one of small virtual machines, an inode deleted within the last minutes is not
used again, and every file made in the same part of the disk looks at all of these first: after 100,000 files had been
removed, making one took 200 to 700 microseconds where it takes 30. Which trial meets that would be chance. ext4 spreads
the folders in a folder marked as the top of a hierarchy over the disk, by their names; everything else lies near the
folder it is in.

Marks: ``FS_TOPDIR_FL`` of linux/fs.h, ``chattr +T`` in chattr(1). Placing: ``find_group_orlov`` in fs/ext4/ialloc.c.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import struct
from pathlib import Path

_GET_FLAGS, _SET_FLAGS = 0x80086601, 0x40086602  # ioctl_iflags(2)
_TOP_OF_HIERARCHY = 0x00020000
_FLAGS = struct.Struct("@l")
_BLOCK = bytes(4096)


def spread_folders(folder: Path) -> None:
    """Mark a folder so that each folder made in it gets a part of the disk, where the file system knows such a mark."""
    # Where it does not, it says so by an error, and stores lie where they would have.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            (flags,) = _FLAGS.unpack(fcntl.ioctl(descriptor, _GET_FLAGS, bytes(_FLAGS.size)))
            fcntl.ioctl(descriptor, _SET_FLAGS, _FLAGS.pack(flags | _TOP_OF_HIERARCHY))
        finally:
            os.close(descriptor)


def unique_name(name: str) -> str:
    """Return a name that no folder had before: the same name would lie where a run before has deleted its store."""
    return f"{name}-{secrets.token_hex(4)}"


def warm_directory(folder: Path) -> bool:
    """Make a folder and use it once, so that the maps of its part of the disk are in memory.

    Returns:
        Whether it could be made; where not, what is tried next says why.
    """
    try:
        folder.mkdir()
    except OSError:
        return False
    with contextlib.suppress(OSError):
        first = folder / "first"
        try:
            with first.open("xb", buffering=0) as file:
                file.write(_BLOCK)
                os.fdatasync(file.fileno())
        finally:
            first.unlink(missing_ok=True)
    return True
