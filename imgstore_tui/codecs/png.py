"""PNG by Pillow: lossless, and what most image stores hold."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from imgstore_tui import pictures
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import DataError, StoreError, UnsupportedError
from imgstore_tui.core.options import Option

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Pixels

# Pillow's numbers for zlib's strategies; "default" is what Pillow does when nothing is said.
_STRATEGIES = {"default": -1, "filtered": 1, "huffman": 2, "rle": 3, "fixed": 4}

# A grey PNG has no channel axis, so (H, W, 1) leaves a note in a text chunk, which readers of PNG skip.
_KEYWORD, _TEXT = "imgstore", "shape=HW1"
_NOTE = b"tEXt" + f"{_KEYWORD}\0{_TEXT}".encode()
_NOTE_AT = slice(33, 33 + 64)  # right behind the IHDR chunk


class PngCodec(Codec):
    """Grey, RGB and RGBA at 8 bits, grey at 16 bits."""

    name = "png"
    title = "PNG"
    extension = "png"
    drops = ("EXIF", "ICC profile")
    requires = ("PIL",)
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
        """Refuse what PNG, or Pillow's PNG, does not keep bit for bit."""
        channels = shape[2] if len(shape) == 3 else 1
        grey_16 = dtype == "uint16" and channels == 1
        fits = len(shape) in (2, 3) and (grey_16 or (dtype == "uint8" and channels in (1, 3, 4)))
        if not fits or 0 in shape:
            raise UnsupportedError(
                f"Codec png takes 8-bit grey, RGB and RGBA and 16-bit grey images, not {dtype} of shape {shape}."
            )

    def encode(self, image: Pixels) -> bytes:
        """Encode one image."""
        from PIL import Image, PngImagePlugin

        self.check(image.shape, image.dtype.name)
        settings: dict[str, Any] = {
            "compress_level": self.values["level"],
            "compress_type": _STRATEGIES[str(self.values["strategy"])],
        }
        if image.ndim == 3 and image.shape[2] == 1:
            image = image[:, :, 0]
            settings["pnginfo"] = PngImagePlugin.PngInfo()
            settings["pnginfo"].add_text(_KEYWORD, _TEXT)
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG", **settings)
        return buffer.getvalue()

    def decode(self, payload: bytes) -> Pixels:
        """Decode one PNG."""
        try:
            pixels = pictures.decode(payload, only="PNG")
        except DataError as error:
            raise _unreadable(error) from None
        return pixels[:, :, None] if _NOTE in payload[_NOTE_AT] else pixels

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Decode one PNG into the caller's array."""
        noted = _NOTE in payload[_NOTE_AT]
        if noted != (out.ndim == 3 and out.shape[2] == 1):
            super().decode_into(payload, out)
            return
        try:
            pictures.decode_into(payload, out[:, :, 0] if noted else out, only="PNG")
        except DataError as error:
            raise _unreadable(error) from None


def _unreadable(error: DataError) -> StoreError:
    return StoreError(f"A stored PNG cannot be decoded. {error}")
