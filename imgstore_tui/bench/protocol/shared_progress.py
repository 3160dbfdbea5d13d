"""Shares a few bytes between supervisor, fork server and child: how far a trial is, and whether its clock runs."""

from __future__ import annotations

import mmap
import os
import struct
import tempfile

_SIZE = 16
_IMAGES = struct.Struct("=q")
_MEASURING_AT = 8


class SharedProgress:
    """Shared memory that a child writes without a system call, and that the others read at any time."""

    def __init__(self, descriptor: int) -> None:
        """Map the memory behind an open descriptor."""
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _SIZE)

    @classmethod
    def create(cls) -> SharedProgress:
        """Create the memory: an anonymous file if the system has them, else an unlinked file."""
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("imgstore-tui-progress")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, _SIZE)
        return cls(descriptor)

    def clear(self) -> None:
        """Reset everything, before a child starts."""
        self._memory[:] = bytes(_SIZE)

    def report(self, images: int) -> None:
        """Set the number of images done."""
        _IMAGES.pack_into(self._memory, 0, images)

    @property
    def images(self) -> int:
        """Number of images done."""
        count: int = _IMAGES.unpack_from(self._memory, 0)[0]
        return count

    def set_measuring(self, on: bool) -> None:
        """Set whether the trial is between its first clock's start and its last clock's stop."""
        self._memory[_MEASURING_AT] = int(on)

    @property
    def measuring(self) -> bool:
        """Whether the trial is between its first clock's start and its last clock's stop."""
        return bool(self._memory[_MEASURING_AT])

    def close(self) -> None:
        """Unmap the memory and close its descriptor."""
        self._memory.close()
        os.close(self.descriptor)
