"""Encodes PNG by Pillow: lossless, and what most image stores hold."""

from __future__ import annotations

from typing import Any

from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.options import Option
from imgstore_tui.images.picture_codec import ONE_CHANNEL, PictureCodec

# Pillow's numbers for zlib's strategies; "default" is Pillow's default.
_STRATEGIES = {"default": -1, "filtered": 1, "huffman": 2, "rle": 3, "fixed": 4}

_NOTE = b"tEXtimgstore\0" + ONE_CHANNEL.encode()
_NOTE_AT = slice(33, 33 + 64)  # right after the IHDR chunk; readers of PNG skip it


class PngCodec(PictureCodec):
    """Takes grey, RGB and RGBA of 8 bits, and grey of 16 bits."""

    name = "png"
    title = "PNG"
    picture = "PNG"
    extension = "png"
    options = (
        Option(
            "level",
            1,
            "How hard to compress, 0 to 9; 1, because on photographs more costs time and gains next to nothing.",
            minimum=0,
            maximum=9,
        ),
        Option(
            "strategy",
            "rle",
            "How zlib looks for repeats; rle, as small as Pillow's default on photographs and up to 2.7 times faster.",
            choices=tuple(_STRATEGIES),
        ),
    )

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Raise UnsupportedError for what PNG by Pillow does not store losslessly."""
        channels = shape[2] if len(shape) == 3 else 1
        grey_16 = dtype == "uint16" and channels == 1
        fits = len(shape) in (2, 3) and (grey_16 or (dtype == "uint8" and channels in (1, 3, 4)))
        if not fits or 0 in shape:
            raise UnsupportedError(
                f"Codec png takes 8-bit grey, RGB and RGBA and 16-bit grey images, not {dtype} of shape {shape}."
            )

    def settings(self, note: str | None) -> dict[str, Any]:
        """Return level and strategy, and a text chunk for an axis of one; PNG keeps an opaque alpha channel."""
        chosen: dict[str, Any] = {
            "compress_level": self.values["level"],
            "compress_type": _STRATEGIES[str(self.values["strategy"])],
        }
        if note == ONE_CHANNEL:
            from PIL.PngImagePlugin import PngInfo

            chosen["pnginfo"] = PngInfo()
            chosen["pnginfo"].add_text("imgstore", ONE_CHANNEL)
        return chosen

    def note_in(self, payload: bytes) -> str | None:
        """Return the note in the text chunk."""
        return ONE_CHANNEL if _NOTE in payload[_NOTE_AT] else None
