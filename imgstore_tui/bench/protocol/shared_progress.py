"""A few bytes shared by supervisor, fork server and child: how far a trial is, and whether its clock runs."""

from __future__ import annotations

import mmap
import os
import struct
import tempfile

_SIZE = 16
_IMAGES = struct.Struct("=q")
_MEASURING_AT = 8


class SharedProgress:
    """Shared memory that a child writes without a system call, and the others read whenever they like."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _SIZE)

    @classmethod
    def create(cls) -> SharedProgress:
        """Make new shared memory, in memory where the system has anonymous files, else in an unlinked file."""
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("imgstore-tui-progress")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, _SIZE)
        return cls(descriptor)

    def clear(self) -> None:
        """Set everything back, before a child starts."""
        self._memory[:] = bytes(_SIZE)

    def report(self, images: int) -> None:
        """Say how many images are done."""
        _IMAGES.pack_into(self._memory, 0, images)

    @property
    def images(self) -> int:
        """How many images are done."""
        count: int = _IMAGES.unpack_from(self._memory, 0)[0]
        return count

    def measure(self, on: bool) -> None:
        """Say whether the trial is between its first clock's start and its last clock's stop."""
        self._memory[_MEASURING_AT] = int(on)

    @property
    def measuring(self) -> bool:
        """Whether the trial is between its first clock's start and its last clock's stop."""
        return bool(self._memory[_MEASURING_AT])

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()
        os.close(self.descriptor)
