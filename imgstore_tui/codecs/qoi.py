"""QOI, the quite OK image format: lossless, quick to write; small for drawings, nearly raw-sized for photographs."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.text import first_line
from imgstore_tui.images import decode
from imgstore_tui.images.picture_codec import GREY, ONE_CHANNEL, NotedCodec

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_HEAD = struct.Struct(">4sIIBB")  # signature, width, height, channels, kind of colour
_END = bytes(7) + b"\x01"
_NOTE = re.compile(rb"imgstore (HW1?)\Z")
_NOTE_AT = slice(-16, None)  # behind the end mark, where readers of QOI do not look


class QoiCodec(NotedCodec):
    """RGB and RGBA at 8 bits, and grey, of which QOI makes colours."""

    name = "qoi"
    title = "QOI"
    grey = False
    extension = "qoi"
    requires = ("qoi",)
    extra = "qoi"

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Refuse what QOI has no place for."""
        fits = (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))) and 0 not in shape
        if not fits or dtype != "uint8":
            raise UnsupportedError(f"Codec qoi takes 8-bit grey, RGB and RGBA images, not {dtype} of shape {shape}.")
        if shape[0] * shape[1] > decode.MAX_PIXELS:
            raise UnsupportedError(f"Codec qoi takes images of at most {decode.MAX_PIXELS:,} pixels.")

    def encode(self, image: Pixels) -> bytes:
        """Encode one image."""
        import qoi

        self.check(image.shape, image.dtype.name)
        flat, note = self.flatten(image)
        payload: bytes = qoi.encode(np.ascontiguousarray(flat))
        return payload + b"imgstore " + note.encode() if note in (GREY, ONE_CHANNEL) else payload

    def decode(self, payload: bytes) -> Pixels:
        """Decode one payload, of which header and end mark are looked at first: the library would make up the rest."""
        import qoi

        shape, end = self._facts(payload)
        if not payload.endswith(_END, 0, end):
            raise StoreError("A stored QOI is cut short or damaged: its end mark is missing.")
        try:
            pixels: Pixels = qoi.decode(payload[:end])
        except (RuntimeError, ValueError, MemoryError) as error:
            why = first_line(error)
            raise StoreError(f"A stored QOI cannot be decoded: it is damaged or cut short ({why}).") from None
        if pixels.shape != shape:
            raise StoreError(f"A stored QOI is damaged: it decodes to {pixels.shape} where its header says {shape}.")
        return self.restore(pixels, self.note_in(payload))

    def note_in(self, payload: bytes) -> str | None:
        """Look behind the end mark."""
        found = _NOTE.search(payload[_NOTE_AT])
        return found[1].decode("ascii") if found else None

    def _facts(self, payload: bytes) -> tuple[tuple[int, int, int], int]:
        """Return the shape of the colours from the header, and where the file ends and a note may begin."""
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
