"""Encodes JPEG XL by libjxl: lossless and smaller than PNG and WebP, or lossy; at 8 and at 16 bits.

Payloads are bare codestreams. An image with a channel axis of one, which the format does not know, is put into the
format's container with a box that records it; readers of JPEG XL skip the box.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.text import first_line
from imgstore_tui.images import decode
from imgstore_tui.images.jxl_header import size_in
from imgstore_tui.images.picture_codec import ONE_CHANNEL, NotedCodec, check_picture

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_NOTE = struct.pack(">I4s", 8 + len(ONE_CHANNEL), b"imgs") + ONE_CHANNEL.encode()
_MOST = 2**30
"""Most pixels per side in the format."""


class JxlCodec(NotedCodec):
    """Takes grey, RGB and RGBA of 8 and 16 bits."""

    name = "jxl"
    title = "JPEG XL"
    extension = "jxl"
    requires = ("imagecodecs",)
    extra = "jxl"
    options = (
        Option("lossless", True, "Whether every bit is kept; yes, as png, which it is compared with first."),
        Option(
            "distance",
            1.0,
            "If lossy, how far from the original may be: 0.1 to 15; 1.0, where the eye begins to see it.",
            minimum=0.1,
            maximum=15,
        ),
        Option(
            "effort",
            3,
            "1 (quick) to 9 (small); 3, because libjxl's own 7 takes ten times as long for a few per cent.",
            minimum=1,
            maximum=9,
        ),
    )

    def __init__(self, values: Mapping[str, OptionValue]) -> None:
        super().__init__(values)
        self.lossless = bool(self.values["lossless"])

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Raise UnsupportedError for what is not claimed."""
        check_picture(self.name, shape, dtype)
        if max(shape) > _MOST or shape[0] * shape[1] > decode.MAX_PIXELS:
            raise UnsupportedError(f"Codec jxl takes images of at most {decode.MAX_PIXELS:,} pixels.")

    def encode(self, image: Pixels) -> bytes:
        """Encode one image, with one thread."""
        import imagecodecs

        self.check(image.shape, image.dtype.name)
        one = image.shape[2:] == (1,)
        chosen: dict[str, Any] = {"lossless": True} if self.lossless else {"distance": float(self.values["distance"])}
        payload = imagecodecs.jpegxl_encode(
            np.ascontiguousarray(image[:, :, 0] if one else image),
            effort=int(self.values["effort"]),
            usecontainer=one,
            numthreads=1,
            **chosen,
        )
        return bytes(payload) + _NOTE if one else bytes(payload)

    def decode(self, payload: bytes) -> Pixels:
        """Decode one payload, whose size is checked before memory is allocated."""
        import imagecodecs

        height, width = size_in(payload)
        if width * height > decode.MAX_PIXELS:
            raise StoreError(
                f"A stored JPEG XL has {width} x {height} pixels, more than the {decode.MAX_PIXELS:,} that are taken."
            )
        try:
            pixels: Pixels = imagecodecs.jpegxl_decode(payload, numthreads=1)
        except (imagecodecs.JpegxlError, ValueError, RuntimeError, MemoryError) as error:
            why = first_line(error)
            raise StoreError(f"A stored JPEG XL cannot be decoded: it is damaged or cut short ({why}).") from None
        valid = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
        if not valid or pixels.shape[:2] != (height, width) or pixels.dtype not in (np.uint8, np.uint16):
            raise StoreError(f"A stored JPEG XL decodes to {pixels.dtype} of shape {pixels.shape}, which is not taken.")
        return self.restore(pixels, self.note_in(payload))

    def note_in(self, payload: bytes) -> str | None:
        """Return the note in the box at the end."""
        return ONE_CHANNEL if payload.endswith(_NOTE) else None
