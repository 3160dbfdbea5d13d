"""Encodes QOI, the quite OK image format: lossless, fast; small for drawings, raw-sized for photographs.

imagecodecs uses the reference implementation: it takes 1.2 to 1.6 times as long as the package qoi, which has no wheel
for ARM.
"""

from __future__ import annotations

import re
import struct
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.text import first_line
from imgstore_tui.images import decode
from imgstore_tui.images.picture_codec import GREY, ONE_CHANNEL, NotedCodec, has_picture_shape

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_HEAD = struct.Struct(">4sIIBB")  # signature, width, height, channels, colour space
_HEIGHT = slice(8, 12)
_END = bytes(7) + b"\x01"
_BEYOND = b"\x5a\xa5\x3c\xc3"
_PROOF = b"\xff" + _BEYOND + b"\xff\xa5\x5a\xc3\x3c"
"""Two RGBA pixels that are appended to a file that is read: the first must be decoded as the first of an extra row."""
_NOTE = re.compile(rb"imgstore (HW1?)\Z")
_NOTE_AT = slice(-16, None)  # after the end mark, where readers of QOI stop


class QoiCodec(NotedCodec):
    """Takes RGB and RGBA of 8 bits, and grey, which is stored as colours."""

    name = "qoi"
    title = "QOI"
    grey = False
    extension = "qoi"
    requires = ("imagecodecs",)
    extra = "qoi"

    def __init__(self, values: Mapping[str, OptionValue]) -> None:
        super().__init__(values)
        self._local = threading.local()  # new memory pages for every large image would take longer than decoding it

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Raise UnsupportedError for what QOI cannot hold."""
        if not has_picture_shape(shape) or dtype != "uint8":
            raise UnsupportedError(f"Codec qoi takes 8-bit grey, RGB and RGBA images, not {dtype} of shape {shape}.")
        if shape[0] * shape[1] > decode.MAX_PIXELS:
            raise UnsupportedError(f"Codec qoi takes images of at most {decode.MAX_PIXELS:,} pixels.")

    def encode(self, image: Pixels) -> bytes:
        """Encode one image."""
        import imagecodecs

        self.check(image.shape, image.dtype.name)
        flat, note = self.flatten(image)
        payload = bytes(imagecodecs.qoi_encode(np.ascontiguousarray(flat)))
        return payload + b"imgstore " + note.encode() if note in (GREY, ONE_CHANNEL) else payload

    def decode(self, payload: bytes) -> Pixels:
        """Decode one payload."""
        return self.restore(self._rows(payload).copy(), self.note_in(payload))

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Decode one payload into the caller's array, with one copy less if it has no note."""
        if self.note_in(payload) is not None:
            super().decode_into(payload, out)
            return
        rows = self._rows(payload)
        if out.shape != rows.shape or out.dtype != rows.dtype:
            raise StoreError(f"A stored image has shape {rows.shape} and type uint8, not {out.shape} and {out.dtype}.")
        out[...] = rows

    def _rows(self, payload: bytes) -> Pixels:
        """Return the pixels in memory that the next call reuses.

        The library invents missing pixels and ignores surplus ones. So it decodes an extra row and two appended pixels,
        which come out at the right place only if the file has exactly the pixels that its header claims.
        """
        import imagecodecs

        (height, width, channels), end = self._facts(payload)
        if not payload.endswith(_END, 0, end):
            raise StoreError("A stored QOI is cut short or damaged: its end mark is missing.")
        shape = (height + 1, width, channels)
        pixels: Any = getattr(self._local, "pixels", None)
        if pixels is None or pixels.shape != shape:
            pixels = self._local.pixels = np.empty(shape, np.uint8)
        body = memoryview(payload)[_HEIGHT.stop : end - len(_END)]
        data = b"".join((payload[: _HEIGHT.start], struct.pack(">I", height + 1), body, _PROOF, _END))
        try:
            imagecodecs.qoi_decode(data, out=pixels)
        except (imagecodecs.QoiError, ValueError, RuntimeError, MemoryError) as error:
            why = first_line(error)
            raise StoreError(f"A stored QOI cannot be decoded: it is damaged or cut short ({why}).") from None
        if pixels[height, 0].tobytes() != _BEYOND[:channels]:
            raise StoreError("A stored QOI is damaged: it has more or fewer pixels than its header says.")
        rows: Pixels = pixels[:height]
        return rows

    def note_in(self, payload: bytes) -> str | None:
        """Return the note after the end mark."""
        match = _NOTE.search(payload[_NOTE_AT])
        return match[1].decode("ascii") if match else None

    def _facts(self, payload: bytes) -> tuple[tuple[int, int, int], int]:
        """Return the shape in the header, and the offset where the pixels end and a note may begin."""
        if len(payload) < _HEAD.size + len(_END):
            raise StoreError(f"A stored QOI is cut short: it has only {len(payload)} bytes.")
        signature, width, height, channels, _ = _HEAD.unpack_from(payload)
        if signature != b"qoif":
            raise StoreError("A stored image is no QOI.")
        if channels not in (3, 4) or not width or not height:
            raise StoreError("A stored QOI is damaged: its header makes no sense.")
        if width * height > decode.MAX_PIXELS:
            raise StoreError(
                f"A stored QOI has {width} x {height} pixels, more than the {decode.MAX_PIXELS:,} that are taken."
            )
        note = _NOTE.search(payload[_NOTE_AT])
        return (height, width, channels), len(payload) - (len(note[0]) if note else 0)
