"""Reads the size of a JPEG XL picture from its first bytes; libraries report it only after decoding."""

from __future__ import annotations

import struct

from imgstore_tui.core.errors import StoreError

_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_SIDE_BITS = (9, 13, 18, 30)
_HEAD_BYTES = 16
"""First bytes of a codestream that hold the size."""


def size_in(payload: bytes) -> tuple[int, int]:
    """Return height and width (ISO/IEC 18181-1, SizeHeader).

    Raises:
        StoreError: If it is not JPEG XL, or too short.
    """
    if payload.startswith(_CONTAINER):
        payload = _codestream_in(payload)
    if not payload.startswith(_CODESTREAM):
        raise StoreError("A stored image is no JPEG XL.")
    bits = _Bits(payload[len(_CODESTREAM) : _HEAD_BYTES])
    small = bits.take(1)
    height = _side(bits, small)
    ratio = bits.take(3)
    if not ratio:
        return height, _side(bits, small)
    times, parts = _RATIOS[ratio]
    return height, height * times // parts


def _codestream_in(payload: bytes) -> bytes:
    """Return the first bytes of the codestream in a container of boxes with lengths and names."""
    offset = len(_CONTAINER)
    while offset + 8 <= len(payload):
        length, name = struct.unpack_from(">I4s", payload, offset)
        head = 8
        if length == 1 and offset + 16 <= len(payload):
            (length,) = struct.unpack_from(">Q", payload, offset + 8)
            head = 16
        if name in (b"jxlc", b"jxlp"):
            start = offset + head + 4 * (name == b"jxlp")  # a partial codestream begins with its number
            return payload[start : start + _HEAD_BYTES]
        if length < head:
            break  # to the end of the file, or invalid
        offset += length
    raise StoreError("A stored JPEG XL is damaged or cut short: there is no picture in it.")


def _side(bits: _Bits, small: int) -> int:
    return 8 * (bits.take(5) + 1) if small else bits.take(_SIDE_BITS[bits.take(2)]) + 1


class _Bits:
    """Reads bits, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        """Return the next bits as a number."""
        if self._left < count:
            raise StoreError("A stored JPEG XL is cut short: its size is not in it.")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return value
