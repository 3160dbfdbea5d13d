"""Reads and sets the flags of files and folders, as chattr(1) does. Source: ioctl_iflags(2), linux/fs.h."""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

APPEND_ONLY = 0x20
IMMUTABLE = 0x10
TOP_OF_HIERARCHY = 0x0002_0000

_FS_IOC_GETFLAGS, _FS_IOC_SETFLAGS = 0x80086601, 0x40086602
_FLAGS = struct.Struct("@l")


def read_flags(folder: Path) -> int:
    """Return the flags of a folder.

    Raises:
        OSError: If its file system has none, or it cannot be opened.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return _read(descriptor)
    finally:
        os.close(descriptor)


def add_flag(folder: Path, flag: int) -> None:
    """Set a flag of a folder, its others unchanged.

    Raises:
        OSError: If its file system does not know the flag, or this process may not set it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, _FS_IOC_SETFLAGS, _FLAGS.pack(_read(descriptor) | flag))
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> int:
    flags: int = _FLAGS.unpack(fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, bytes(_FLAGS.size)))[0]
    return flags
