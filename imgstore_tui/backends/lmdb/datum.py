"""Reads the message Datum of Caffe (protocol buffers): a picture file, or bytes in the order C, H, W, and a label."""

from __future__ import annotations

import math
from dataclasses import dataclass

from imgstore_tui.images.decode import MAX_PIXELS

_CHANNELS, _HEIGHT, _WIDTH, _DATA, _LABEL, _ENCODED = 1, 2, 3, 4, 5, 7
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MOST_FIELDS = 16


@dataclass(frozen=True, slots=True)
class Datum:
    """A value of an LMDB of Caffe."""

    start: int
    """Where its bytes begin in the value."""
    stop: int
    shape: tuple[int, int, int]
    """Channels, height and width; zeros where the picture is encoded."""
    encoded: bool
    label: int | None


def parse_datum(value: bytes | memoryview) -> Datum | None:
    """Return the Datum that a value is; None if it is none, or holds floats."""
    numbers = {_CHANNELS: 0, _HEIGHT: 0, _WIDTH: 0}
    label: int | None = None
    encoded = False
    data: tuple[int, int] | None = None
    at = fields = 0
    while at < len(value) and fields < _MOST_FIELDS:
        fields += 1
        tag, at = _varint(value, at)
        field, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            number, at = _varint(value, at)
            if field in numbers:
                numbers[field] = number
            elif field == _LABEL:
                label = (number & 0xFFFFFFFF ^ 1 << 31) - (1 << 31)  # an int32
            elif field == _ENCODED:
                encoded = bool(number)
        elif kind == _LENGTH:
            length, at = _varint(value, at)
            if field == _DATA:
                data = at, at + length
            at += length
        elif kind in {_FIXED32, _FIXED64}:
            at += 4 if kind == _FIXED32 else 8
        else:
            return None
        if tag < 0 or at < 0 or at > len(value) or not 1 <= field <= _ENCODED:
            return None
    if data is None or at != len(value):
        return None
    shape = numbers[_CHANNELS], numbers[_HEIGHT], numbers[_WIDTH]
    if not encoded and (math.prod(shape) != data[1] - data[0] or not 0 < shape[1] * shape[2] <= MAX_PIXELS):
        return None
    return Datum(*data, shape, encoded, label)


def _varint(value: bytes | memoryview, at: int) -> tuple[int, int]:
    """Return a number and where it ends; a place of -1 if there is none."""
    number = shift = 0
    while at < len(value) and shift < 70:
        byte = value[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    return -1, len(value) + 1
