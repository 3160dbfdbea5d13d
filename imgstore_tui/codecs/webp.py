"""WebP by Pillow: lossless and smaller than PNG, or lossy and smaller than JPEG; slow to write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.picture_codec import OPAQUE, PictureCodec

_MOST = 16_383  # WebP has 14 bits for a side
_XMP = f'<imgstore shape="{OPAQUE}"/>'.encode()
_NOTE_AT = slice(-64, None)  # metadata stand at the end; readers of WebP skip them


class WebpCodec(PictureCodec):
    """RGB and RGBA at 8 bits."""

    name = "webp"
    title = "WebP"
    picture = "WEBP"
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

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Refuse what WebP has no place for; it has no grey."""
        if len(shape) != 3 or shape[2] not in (3, 4) or dtype != "uint8" or 0 in shape:
            raise UnsupportedError(f"Codec webp takes 8-bit RGB and RGBA images, not {dtype} of shape {shape}.")
        if max(shape) > _MOST:
            raise UnsupportedError(f"Codec webp takes images of at most {_MOST:,} pixels a side, not {max(shape):,}.")

    def settings(self, note: str | None) -> dict[str, Any]:
        """Return the options, and metadata for an alpha channel that WebP would leave out."""
        chosen: dict[str, Any] = {name: self.values[name] for name in ("lossless", "quality", "method")}
        # Without ``exact``, colours under full transparency are thrown away.
        chosen["exact"] = self.lossless
        if note == OPAQUE:
            chosen["xmp"] = _XMP
        return chosen

    def note_in(self, payload: bytes) -> str | None:
        """Look for the metadata."""
        return OPAQUE if _XMP in payload[_NOTE_AT] else None
