"""Stores pixels as they are, after a header with their shape and dtype."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.content import RAW_CODEC
from imgstore_tui.images import raw

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels


class RawCodec(Codec):
    """Writes a header of 8 bytes and 4 per axis, then the pixels, row by row, little-endian."""

    name = RAW_CODEC
    title = "Raw pixels"
    is_raw = True
    extension = "raw"
    drops = ("EXIF", "ICC profile")

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Accept plain numbers of any shape."""
        raw.header(tuple(shape), np.dtype(dtype))

    def encode(self, image: Pixels) -> bytes:
        """Return the header and the pixels."""
        return raw.pack(image)

    def decode(self, payload: bytes) -> Pixels:
        """Return the pixels; lengths are checked before memory is allocated."""
        return raw.unpack(payload)

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Copy the pixels straight into the caller's array."""
        if not raw.unpack_into(payload, out):
            super().decode_into(payload, out)
