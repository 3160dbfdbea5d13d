"""Pixels as they are, behind a header that says what they are."""

from __future__ import annotations

import functools
import math
import struct
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import StoreError, UnsupportedError

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Pixels

_MAGIC = b"IMGR"
_VERSION = 1
_HEAD = struct.Struct("<4sBcBB")  # magic, version, kind and size of the numbers, number of sides
_KINDS = frozenset("buif")  # numbers only: nothing that could hold an object, a reference or a text
_MAX_SIDES = 8


class RawCodec(Codec):
    """A header of 8 bytes and 4 a side, then the pixels, row by row, little-endian."""

    name = "raw"
    title = "Raw pixels"
    extension = "raw"
    drops = ("EXIF", "ICC profile")

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Take every shape of plain numbers."""
        _header(tuple(shape), np.dtype(dtype))

    def encode(self, image: Pixels) -> bytes:
        """Return the header and the pixels."""
        header = _header(image.shape, image.dtype)
        plain: np.ndarray[Any, Any] = np.ascontiguousarray(image)
        if plain.dtype.str.startswith(">"):
            plain = plain.astype(plain.dtype.newbyteorder("<"))
        return b"".join((header, plain.data))

    def decode(self, payload: bytes) -> Pixels:
        """Return the pixels; lengths are checked before memory is taken."""
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
        wanted = math.prod(shape) * dtype.itemsize  # Python's integers do not overflow, whatever the header says
        if wanted != len(payload) - start:
            raise StoreError(f"A stored raw image is damaged: {len(payload) - start} bytes of pixels, not {wanted}.")
        pixels = np.frombuffer(payload, dtype, offset=start).reshape(shape)
        return pixels.astype(dtype.newbyteorder("="), copy=True)

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Copy the pixels straight into the caller's array."""
        header = _header(out.shape, out.dtype)
        fits = len(payload) == len(header) + out.nbytes and payload.startswith(header)
        if fits and out.size and out.flags.c_contiguous and sys.byteorder == "little":
            out.data.cast("B")[:] = memoryview(payload)[len(header) :]
        else:
            super().decode_into(payload, out)


@functools.lru_cache(maxsize=64)
def _header(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> bytes:
    if dtype.kind not in _KINDS or len(shape) > _MAX_SIDES or max(shape, default=0) >= 2**32:
        raise UnsupportedError(f"Codec raw takes arrays of plain numbers, not {dtype} of shape {shape}.")
    head = _HEAD.pack(_MAGIC, _VERSION, dtype.kind.encode(), dtype.itemsize, len(shape))
    return head + struct.pack(f"<{len(shape)}I", *shape)
