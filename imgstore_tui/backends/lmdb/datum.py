"""Reads the message Datum of Caffe (protocol buffers): a picture file, or numbers in the order C, H, W, and a label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.images.decode import MAX_PIXELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHANNELS, _HEIGHT, _WIDTH, _DATA, _LABEL, _FLOATS, _ENCODED = 1, 2, 3, 4, 5, 6, 7
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MOST_FIELDS = 16
_TAGGED = 5
"""Bytes of a float that is not packed: its tag, and the number."""


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
    float_step: int = 0
    """Bytes from one float to the next; 0 where there are bytes."""

    def planes(self, value: bytes | memoryview) -> NDArray[Any]:
        """Return the numbers of the Datum in a value, uint8 or float32 array (C, H, W)."""
        data = np.frombuffer(value, np.uint8)[self.start : self.stop]
        if not self.float_step:
            return data.reshape(self.shape)
        numbers = np.ascontiguousarray(data.reshape(-1, self.float_step)[:, -4:])
        return numbers.view("<f4").reshape(self.shape)


def parse_datum(value: bytes | memoryview) -> Datum | None:
    """Return the Datum that a value is; None if it is none."""
    numbers = {_CHANNELS: 0, _HEIGHT: 0, _WIDTH: 0}
    label: int | None = None
    encoded = False
    data: tuple[int, int] | None = None
    step = at = fields = 0
    while at < len(value) and fields < _MOST_FIELDS:
        fields += 1
        begin = at
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
            if field == _DATA and (length or data is None):
                data, step = (at, at + length), 0
            elif field == _FLOATS:
                data, step = (at, at + length), 4
            at += length
        elif kind == _FIXED32 and field == _FLOATS:
            at = begin + _TAGGED * _tagged_floats(value, begin)
            data, step = (begin, at), _TAGGED
        elif kind in {_FIXED32, _FIXED64}:
            at += 4 if kind == _FIXED32 else 8
        else:
            return None
        if tag < 0 or at < 0 or at > len(value) or not 1 <= field <= _ENCODED:
            return None
    if data is None or at != len(value):
        return None
    shape = numbers[_CHANNELS], numbers[_HEIGHT], numbers[_WIDTH]
    if not encoded and (
        math.prod(shape) * max(step, 1) != data[1] - data[0] or not 0 < shape[1] * shape[2] <= MAX_PIXELS
    ):
        return None
    return Datum(*data, shape, encoded, label, step)


def _tagged_floats(value: bytes | memoryview, start: int) -> int:
    """Return how many floats, each behind the tag that the first has, follow one another."""
    count = (len(value) - start) // _TAGGED
    tags = np.frombuffer(value, np.uint8, count * _TAGGED, start)[::_TAGGED]
    others = np.flatnonzero(tags != value[start])
    return int(others[0]) if len(others) else count


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
