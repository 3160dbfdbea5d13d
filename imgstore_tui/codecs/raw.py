"""Pixels as they are, behind a header that says what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.content import RAW_CODEC
from imgstore_tui.images import raw

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels


class RawCodec(Codec):
    """A header of 8 bytes and 4 a side, then the pixels, row by row, little-endian."""

    name = RAW_CODEC
    title = "Raw pixels"
    is_raw = True
    extension = "raw"
    drops = ("EXIF", "ICC profile")

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Take every shape of plain numbers."""
        raw.header(tuple(shape), np.dtype(dtype))

    def encode(self, image: Pixels) -> bytes:
        """Return the header and the pixels."""
        return raw.pack(image)

    def decode(self, payload: bytes) -> Pixels:
        """Return the pixels; lengths are checked before memory is taken."""
        return raw.unpack(payload)

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Copy the pixels straight into the caller's array."""
        if not raw.unpack_into(payload, out):
            super().decode_into(payload, out)
