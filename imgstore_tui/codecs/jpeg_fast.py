"""Encodes JPEG by libjpeg-turbo without Pillow: the same files, written and read with less work per image.

The files hold what the codec jpeg writes: the same scale of quality, the same note. simplejpeg starts no thread, so a
process that has imported it may fork.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line
from imgstore_tui.images import decode
from imgstore_tui.images.jpeg import JpegFormat, comment

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_MARKS = b"\xff\xd8\xff"
_COLOURS = {"YCbCr": "RGB", "RGB": "RGB", "Gray": "GRAY"}
"""Colour space to decode each colour space of a file to; CMYK is never written here."""
_NOTE_AT = 20  # after the start marker and the JFIF header, which libjpeg writes without a thumbnail


class JpegFastCodec(JpegFormat):
    """Writes and reads JPEG by libjpeg-turbo."""

    name = "jpeg-fast"
    title = "JPEG, fast library"
    requires = ("simplejpeg",)
    extra = "fastjpeg"

    def encode(self, image: Pixels) -> bytes:
        """Encode one image."""
        import simplejpeg

        self.check(image.shape, image.dtype.name)
        flat, note = self.flatten(image)
        grey = flat.ndim == 2
        payload: bytes = simplejpeg.encode_jpeg(
            np.ascontiguousarray(flat[:, :, None] if grey else flat),
            int(self.values["quality"]),
            "GRAY" if grey else "RGB",
            "Gray" if grey else str(self.values["subsampling"]).replace(":", ""),
        )
        if note is None:
            return payload
        comment_text = comment(note)
        segment = b"\xff\xfe" + (len(comment_text) + 2).to_bytes(2, "big") + comment_text
        return b"".join((payload[:_NOTE_AT], segment, payload[_NOTE_AT:]))

    def decode(self, payload: bytes) -> Pixels:
        """Decode one payload."""
        shape, colours = self._facts(payload)
        out: Pixels = np.empty(shape, np.uint8)
        self._fill(payload, colours, out)
        return self.restore(out, self.note_in(payload))

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Decode one payload, straight into the caller's array if it has no note."""
        shape, colours = self._facts(payload)
        straight = out.shape == shape and out.dtype == np.uint8 and out.flags.c_contiguous
        if not straight or self.note_in(payload) is not None:
            super().decode_into(payload, out)
            return
        self._fill(payload, colours, out)

    @staticmethod
    def _facts(payload: bytes) -> tuple[tuple[int, ...], str]:
        """Return shape and colour space from the header, before memory is allocated."""
        import simplejpeg

        if not payload.startswith(_MARKS):
            raise StoreError("A stored image is no JPEG.")
        try:
            height, width, colours, _ = simplejpeg.decode_jpeg_header(payload)
        except ValueError as error:
            raise _unreadable(error) from None
        if colours not in _COLOURS:
            raise StoreError("A stored JPEG is of a kind that the codec jpeg-fast does not write.")
        if width * height > decode.MAX_PIXELS:
            raise StoreError(
                f"A stored JPEG has {width} x {height} pixels, more than the {decode.MAX_PIXELS:,} that are taken."
            )
        return (height, width) if colours == "Gray" else (height, width, 3), _COLOURS[colours]

    @staticmethod
    def _fill(payload: bytes, colours: str, out: Pixels) -> None:
        import simplejpeg

        try:
            simplejpeg.decode_jpeg(payload, colours, buffer=out)
        except ValueError as error:
            raise _unreadable(error) from None


def _unreadable(error: ValueError) -> StoreError:
    return StoreError(f"A stored JPEG cannot be decoded: it is damaged or cut short ({first_line(error)}).")
