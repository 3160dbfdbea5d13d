"""Encodes WebP by Pillow: lossless and smaller than PNG, or lossy and smaller than JPEG; slow to write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from imgstore_tui.core.codec import DEPTH
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.images.picture_codec import PictureCodec, check_sides, has_picture_shape

_MOST = 16_383  # WebP has 14 bits per side
_XMP = re.compile(rb'<imgstore shape="(HW[134]?(?:/16)?)"/>')
_NOTE_AT = slice(-64, None)  # the metadata are at the end; readers of WebP skip them


class WebpCodec(PictureCodec):
    """Takes RGB and RGBA of 8 bits, grey, which is stored as colours, and if lossy of 16 bits the upper 8."""

    name = "webp"
    title = "WebP"
    picture = "WEBP"
    grey = False
    deep = False
    extension = "webp"
    options = (
        Option("lossless", True, "Whether every bit is kept; yes, as png, which it is compared with first."),
        Option(
            "quality",
            80,
            "0 to 100; if lossy how alike, if lossless how hard to compress; 80, as Pillow does by itself.",
            minimum=0,
            maximum=100,
        ),
        Option(
            "method",
            4,
            "0 (quick) to 6 (small); 4, as Pillow does by itself; lossless, 0 is ten times quicker and larger.",
            minimum=0,
            maximum=6,
        ),
    )

    def __init__(self, values: Mapping[str, OptionValue]) -> None:
        super().__init__(values)
        self.lossless = bool(self.values["lossless"])
        if not self.lossless:
            self.drops = (*PictureCodec.drops, DEPTH)

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Raise UnsupportedError for what WebP cannot hold."""
        fits = has_picture_shape(shape)
        if fits and dtype == "uint16" and self.lossless:
            raise UnsupportedError(
                "Codec webp keeps 8 of 16 bits, which is not lossless: use png, or allow loss by codec.lossless=no."
            )
        if not fits or dtype not in ("uint8", "uint16"):
            raise UnsupportedError(f"Codec webp takes grey, RGB and RGBA images, not {dtype} of shape {shape}.")
        check_sides(self.name, shape, _MOST)

    def settings(self, note: str | None) -> dict[str, Any]:
        """Return the options, and the note as metadata: WebP drops an opaque alpha channel, for example."""
        chosen: dict[str, Any] = {name: self.values[name] for name in ("lossless", "quality", "method")}
        # Without ``exact``, colours of fully transparent pixels are lost.
        chosen["exact"] = self.lossless
        if note is not None:
            chosen["xmp"] = f'<imgstore shape="{note}"/>'.encode()
        return chosen

    def note_in(self, payload: bytes) -> str | None:
        """Return the note in the metadata."""
        match = _XMP.search(payload[_NOTE_AT])
        return match[1].decode("ascii") if match else None
