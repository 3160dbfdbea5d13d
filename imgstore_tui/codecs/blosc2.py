"""Compresses raw pixels by Blosc 2: bits are sorted by their position first, so that a fast compressor is enough.

A payload is the header of the codec raw, then one Blosc 2 chunk, which holds its length but no checksum. The chunk is
made by imagecodecs and not by the package blosc2, which starts threads on import.
"""

from __future__ import annotations

import math
import struct
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.options import Option
from imgstore_tui.core.text import first_line
from imgstore_tui.images import decode, raw

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_SHUFFLES = {"bit": 2, "byte": 1, "none": 0}
_LENGTHS = struct.Struct("<4xi4xi16x")  # of the chunk's head: bytes unpacked, and bytes of the chunk
_MOST = 2**31 - 2**16
"""Most bytes of an image; the format counts in signed 32 bits."""
_MOST_UNPACKED = 8 * decode.MAX_PIXELS
"""Bytes of the largest accepted picture, RGBA at 16 bits; a header that claims more is refused."""
_WIDEST = 255
"""Most bytes of a pixel whose bits are sorted."""


class Blosc2Codec(Codec):
    """Takes plain numbers of any shape, losslessly."""

    name = "blosc2"
    title = "Raw pixels, Blosc 2"
    extension = "b2"
    drops = ("EXIF", "ICC profile")
    requires = ("imagecodecs",)
    extra = "blosc2"
    options = (
        Option(
            "compressor",
            "lz4",
            "What compresses; lz4, the quickest that gains anything, where zstd gains little more on photographs.",
            choices=("lz4", "lz4hc", "zlib", "zstd"),
        ),
        Option(
            "shuffle",
            "bit",
            "What is put together first: bit, every bit of its place in a pixel; byte, every channel; or none.",
            choices=tuple(_SHUFFLES),
        ),
        Option(
            "level", 1, "How hard to compress, 1 to 9; 1, because speed is what Blosc is for.", minimum=1, maximum=9
        ),
    )

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Accept plain numbers of any shape up to the size limit."""
        kind = np.dtype(dtype)
        raw.header(tuple(shape), kind)
        if 0 in shape or math.prod(shape) * kind.itemsize > _MOST:
            raise UnsupportedError(f"Codec blosc2 takes images of 1 to {_MOST:,} bytes, not {dtype} of shape {shape}.")

    def encode(self, image: Pixels) -> bytes:
        """Return the header and one chunk."""
        import imagecodecs

        self.check(image.shape, image.dtype.name)
        pixels: Any = raw.plain(image)
        width = pixels.itemsize * math.prod(pixels.shape[2:])
        chunk = imagecodecs.blosc2_encode(
            pixels,
            level=int(self.values["level"]),
            compressor=str(self.values["compressor"]),
            shuffle=_SHUFFLES[str(self.values["shuffle"])],
            typesize=width if width <= _WIDEST else pixels.itemsize,
            numthreads=1,
        )
        return b"".join((raw.header(image.shape, image.dtype), chunk))

    def decode(self, payload: bytes) -> Pixels:
        """Return the pixels; lengths are checked before memory is taken."""
        shape, dtype, _ = raw.read_header(payload)
        self._chunk(payload, math.prod(shape) * dtype.itemsize)
        out: Any = np.empty(shape, dtype)
        self._fill(payload, out)
        native: Pixels = out.astype(dtype.newbyteorder("="), copy=False)
        return native

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Unpack straight into the caller's array."""
        shape, dtype, _ = raw.read_header(payload)
        if out.shape == shape and out.dtype == dtype and out.flags.c_contiguous and sys.byteorder == "little":
            self._fill(payload, out)
        else:
            super().decode_into(payload, out)

    @staticmethod
    def _chunk(payload: bytes, size: int) -> bytes:
        """Return the chunk, after a check of the lengths in it: the library writes as many bytes as they claim."""
        chunk = payload[raw.read_header(payload)[2] :]
        if len(chunk) < _LENGTHS.size:
            raise StoreError(f"A stored Blosc 2 chunk is cut short: it has only {len(chunk)} bytes.")
        unpacked, packed = _LENGTHS.unpack_from(chunk)
        if not 0 < size <= _MOST_UNPACKED or (unpacked, packed) != (size, len(chunk)):
            raise StoreError("A stored Blosc 2 chunk is damaged or cut short: its lengths do not fit its image.")
        return chunk

    def _fill(self, payload: bytes, out: Any) -> None:
        import imagecodecs

        chunk = self._chunk(payload, out.nbytes)
        try:
            imagecodecs.blosc2_decode(chunk, out=out.reshape(-1).view(np.uint8), numthreads=1)
        except (imagecodecs.Blosc2Error, ValueError, RuntimeError, MemoryError) as error:
            reason = first_line(error)
            raise StoreError(f"A stored Blosc 2 chunk cannot be unpacked: it is damaged ({reason}).") from None
