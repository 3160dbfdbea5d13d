"""The tar format (POSIX ustar), as far as members of a WebDataset need it."""

from __future__ import annotations

import functools

from imgstore_tui.core.errors import UnsupportedError

BLOCK = 512
END = bytes(2 * BLOCK)
"""Marks the end of an archive."""
MOST_BYTES = 8**11 - 1
"""The size of a member has eleven octal digits."""

_NAME = 100
_MODE_AND_OWNER = b"0000444\0" + b"0000000\0" * 2
_TIME = b"00000000000\0"  # no time: the same images give the same archive
_KIND = b"0" + bytes(100) + b"ustar\x0000" + bytes(BLOCK - 265)
_NO_SUM = 8 * ord(" ")  # the field of the checksum counts as spaces


def padded(size: int) -> int:
    """Return how many bytes so many take in an archive."""
    return -(-size // BLOCK) * BLOCK


def head(name: bytes, size: int) -> bytes:
    """Return the header of a member."""
    middle, tail, total = _fixed(size)
    return b"".join((name.ljust(_NAME, b"\0"), middle, b"%06o\0 " % (total + sum(name)), tail))


@functools.lru_cache(maxsize=256)
def _fixed(size: int) -> tuple[bytes, bytes, int]:
    if size > MOST_BYTES:
        raise UnsupportedError(f"Backend webdataset takes images of less than 8 GiB, tar's own limit, not {size:,} B.")
    middle = _MODE_AND_OWNER + b"%011o\0" % size + _TIME
    return middle, _KIND, sum(middle) + sum(_KIND) + _NO_SUM


def name_in(block: bytes | bytearray | memoryview) -> bytes:
    """Return the name in the header of a member."""
    return bytes(block[:_NAME]).rstrip(b"\0")


def member(name: bytes, data: bytes) -> bytes:
    """Return a whole small member."""
    return b"".join((head(name, len(data)), data, bytes(padded(len(data)) - len(data))))
