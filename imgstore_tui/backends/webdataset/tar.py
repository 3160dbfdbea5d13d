"""Builds headers of the tar format (POSIX ustar), as far as members of a WebDataset need it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.errors import UnsupportedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imgstore_tui.core.backend import Labels

BLOCK = 512
END = bytes(2 * BLOCK)
"""The end mark of an archive."""
MOST_BYTES = 8**11 - 1
"""Most bytes of a member, whose size has eleven octal digits."""

_NAME = 100
_PREFIX, _PREFIX_BYTES = 345, 155
"""Position and length of the field for the folders of a long name."""
_SUM = 148
"""Position of the checksum in a header: six octal digits."""
_DIGITS = 8
_MODE_AND_OWNER = b"0000444\0" + b"0000000\0" * 2
_TIME = b"00000000000\0"  # no time stamp, so that the same images give the same archive
_KIND = b"0" + bytes(100) + b"ustar\x0000" + bytes(BLOCK - 265)
_NO_SUM = 8 * ord(" ")  # the checksum field counts as spaces


def key_of(number: int) -> bytes:
    """Return the name that the members of an image share."""
    return b"%08d" % number


def padded(size: int) -> int:
    """Return the bytes that ``size`` bytes take in an archive, padding included."""
    return -(-size // BLOCK) * BLOCK


def head(name: bytes, size: int) -> bytes:
    """Return the header of a member."""
    middle, tail, total = _fixed(size)
    return b"".join((name.ljust(_NAME, b"\0"), middle, b"%06o\0 " % (total + sum(name)), tail))


def heads(numbers: Labels, extension: bytes, size: int) -> NDArray[np.uint8]:
    """Return the headers of members of one size and extension, uint8 array (n, 512).

    They differ in the digits of their names and in their checksums only, which are made for all of them together.
    """
    if len(numbers) and int(numbers.max()) >= 10**_DIGITS:  # names become longer
        headers = b"".join(head(key_of(number) + extension, size) for number in numbers.tolist())
        return np.frombuffer(headers, np.uint8).reshape(len(numbers), BLOCK)
    model = head(b"0" * _DIGITS + extension, size)
    blocks = np.tile(np.frombuffer(model, np.uint8), (len(numbers), 1))
    digits = numbers[:, None] // _POWERS % 10
    blocks[:, :_DIGITS] += digits.astype(np.uint8)
    sums = int(model[_SUM : _SUM + 6], 8) + digits.sum(1)
    blocks[:, _SUM : _SUM + 6] = (sums[:, None] >> _OCTAL & 7) + ord("0")
    return blocks


_POWERS = 10 ** np.arange(_DIGITS)[::-1]
_OCTAL = 3 * np.arange(6)[::-1]


@functools.lru_cache(maxsize=256)
def _fixed(size: int) -> tuple[bytes, bytes, int]:
    if size > MOST_BYTES:
        raise UnsupportedError(f"Backend webdataset takes images of less than 8 GiB, tar's own limit, not {size:,} B.")
    middle = _MODE_AND_OWNER + b"%011o\0" % size + _TIME
    return middle, _KIND, sum(middle) + sum(_KIND) + _NO_SUM


def named_head(name: bytes, size: int) -> bytes:
    """Return the header of a member whose name may have more than 100 bytes: the folders go to the field for them.

    Raises:
        UnsupportedError: If no header holds the name.
    """
    if len(name) <= _NAME:
        return head(name, size)
    slash = name.find(b"/", len(name) - _NAME - 1)
    if not 0 < slash <= _PREFIX_BYTES or slash == len(name) - 1:
        raise UnsupportedError("A tar header has no room for the name of a member.")
    block = bytearray(head(name[slash + 1 :], size))
    block[_PREFIX : _PREFIX + slash] = name[:slash]
    block[_SUM : _SUM + 6] = b"%06o" % (sum(block) - sum(block[_SUM : _SUM + _DIGITS]) + _NO_SUM)
    return bytes(block)


def full_name_in(block: bytes | bytearray | memoryview) -> bytes:
    """Return the name in the header of a member, with its folders."""
    prefix = bytes(block[_PREFIX : _PREFIX + _PREFIX_BYTES]).rstrip(b"\0")
    return prefix + b"/" + name_in(block) if prefix else name_in(block)


def name_in(block: bytes | bytearray | memoryview) -> bytes:
    """Return the name in the header of a member."""
    return bytes(block[:_NAME]).rstrip(b"\0")
