"""Packs pixels as bytes: a header with shape and dtype, then the numbers, row by row, little-endian.

The header has 8 bytes and 4 per axis. The codec raw stores this, and codecs that compress raw pixels compress it.
"""

from __future__ import annotations

import functools
import math
import struct
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.errors import StoreError, UnsupportedError

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_MAGIC = b"IMGR"
_VERSION = 1
_HEAD = struct.Struct("<4sBcBB")  # magic, version, kind and size of the numbers, number of axes
_KINDS = frozenset("buif")  # numbers only: no objects, references or text
_MAX_SIDES = 8

Facts = tuple[tuple[int, ...], np.dtype[Any], int]
"""Shape and little-endian dtype of an image, and the offset of the pixels in its payload."""


def pack(image: Pixels) -> bytes:
    """Return the header and the pixels.

    Raises:
        UnsupportedError: If it is not an array of plain numbers.
    """
    return b"".join((header(image.shape, image.dtype), plain(image).data))


def plain(image: Pixels) -> np.ndarray[Any, Any]:
    """Return the image C-contiguous and little-endian, without a copy if it is already."""
    contiguous: np.ndarray[Any, Any] = np.ascontiguousarray(image)
    return contiguous.astype(contiguous.dtype.newbyteorder("<")) if contiguous.dtype.str.startswith(">") else contiguous


def unpack(payload: bytes) -> Pixels:
    """Return the pixels as an owned array; lengths are checked before memory is allocated.

    Raises:
        StoreError: If the payload is truncated, damaged or of another codec.
    """
    shape, dtype, start = read_header(payload)
    size = math.prod(shape) * dtype.itemsize  # Python's integers do not overflow, whatever the header claims
    if size != len(payload) - start:
        raise StoreError(f"A stored raw image is damaged: {len(payload) - start} bytes of pixels, not {size}.")
    pixels = np.frombuffer(payload, dtype, offset=start).reshape(shape)
    return pixels.astype(dtype.newbyteorder("="), copy=True)


def unpack_into(payload: bytes, out: Pixels) -> bool:
    """Copy the pixels into ``out`` if layout and dtype agree; else return False and leave it unchanged."""
    head = header(out.shape, out.dtype)
    fits = len(payload) == len(head) + out.nbytes and payload.startswith(head)
    if not (fits and out.size and out.flags.c_contiguous and sys.byteorder == "little"):
        return False
    out.data.cast("B")[:] = memoryview(payload)[len(head) :]
    return True


def read_header(payload: bytes) -> Facts:
    """Return shape, dtype and offset of the pixels from a payload's header.

    Raises:
        StoreError: If there is none, or it is impossible.
    """
    try:
        magic, version, kind, size, sides = _HEAD.unpack_from(payload)
        start = _HEAD.size + 4 * sides
        shape = struct.unpack_from(f"<{sides}I", payload, _HEAD.size)
    except struct.error:
        raise StoreError(f"A stored raw image is cut short: it has only {len(payload)} bytes.") from None
    if magic != _MAGIC:
        raise StoreError("A stored image is not of the raw kind.")
    if version != _VERSION:
        raise StoreError(f"A stored raw image is of layout {version}; this version knows {_VERSION}.")
    try:
        dtype = np.dtype(f"<{kind.decode('ascii')}{size}")
    except (TypeError, ValueError):
        dtype = np.dtype(np.void)
    if dtype.kind not in _KINDS or sides > _MAX_SIDES:
        raise StoreError("A stored raw image is damaged: its header makes no sense.")
    return shape, dtype, start


@functools.lru_cache(maxsize=64)
def header(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bytes:
    """Return the header of images of a shape and dtype.

    Raises:
        UnsupportedError: If they are not arrays of plain numbers.
    """
    if dtype.kind not in _KINDS or len(shape) > _MAX_SIDES or max(shape, default=0) >= 2**32:
        raise UnsupportedError(f"Raw pixels are arrays of plain numbers, not {dtype} of shape {shape}.")
    head = _HEAD.pack(_MAGIC, _VERSION, dtype.kind.encode(), dtype.itemsize, len(shape))
    return head + struct.pack(f"<{len(shape)}I", *shape)
