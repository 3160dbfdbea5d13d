"""Writes and reads PNG by faster libraries: files that every reader of PNG takes, a little larger.

8-bit RGB and RGBA are written by fpng, or where that is not installed by imagecodecs' libpng with the settings of
OpenCV, 8 to 13 times slower; which of them is an option, and so in every row. Everything else is written, and all is
read, by imagecodecs' libpng. fpng holds Python's lock while it works, so a second thread gains nothing in writing;
libpng releases it. Neither starts a thread, so a process that has imported them may fork.
"""

from __future__ import annotations

import importlib.util
import struct
import zlib
from typing import TYPE_CHECKING

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import StoreError, UnavailableError, UnsupportedError
from imgstore_tui.core.install_hint import install_command
from imgstore_tui.core.options import Option
from imgstore_tui.core.text import first_line
from imgstore_tui.images import decode
from imgstore_tui.images.picture_codec import ONE_CHANNEL

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_FPNG, _LIBPNG = "fpng", "libpng"
_WRITER = _FPNG if importlib.util.find_spec("fpng") else _LIBPNG
_OPENCV = {"level": 1, "strategy": 3, "filter": 16}
"""Run lengths of differences to the left: smaller and twice as fast as libpng's default at level 1."""
_CHANNELS = (1, 3, 4)
_HEAD = struct.Struct(">8s4x4sIIBB")  # signature, length, IHDR, width, height, depth, colour type
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KINDS = {0: (), 2: (3,), 6: (4,)}  # grey, RGB, RGBA; palettes and grey with alpha are never written here
_HEAD_END = 33  # signature and IHDR; a note follows, which readers of PNG skip
_NOTE_TEXT = b"tEXtimgstore\0" + ONE_CHANNEL.encode()
_NOTE = struct.pack(">I", len(_NOTE_TEXT) - 4) + _NOTE_TEXT + struct.pack(">I", zlib.crc32(_NOTE_TEXT))


class PngFastCodec(Codec):
    """Takes grey, RGB and RGBA of 8 and 16 bits."""

    name = "png-fast"
    title = "PNG, fast libraries" if _WRITER == _FPNG else "PNG, libpng at its quickest (fpng is not installed)"
    extension = "png"
    drops = ("EXIF", "ICC profile")
    requires = ("fpng", "imagecodecs") if _WRITER == _FPNG else ("imagecodecs",)
    extra = "fastpng"
    options = (
        Option(
            "writer",
            _WRITER,
            f"What writes 8-bit RGB and RGBA; {_FPNG}, the quickest by far, and {_LIBPNG} where that is not installed.",
            choices=(_FPNG, _LIBPNG),
        ),
    )

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Raise UnsupportedError for what PNG does not store losslessly."""
        channels = shape[2] if len(shape) == 3 else 1
        if len(shape) not in (2, 3) or channels not in _CHANNELS or dtype not in ("uint8", "uint16") or 0 in shape:
            raise UnsupportedError(
                f"Codec png-fast takes grey, RGB and RGBA images at 8 and 16 bits, not {dtype} of shape {shape}."
            )

    def encode(self, image: Pixels) -> bytes:
        """Encode one image, which is made contiguous first."""
        shape, dtype = image.shape, image.dtype
        self.check(shape, "uint8" if dtype == "u1" else dtype.name)
        if not image.flags.c_contiguous:
            image = image.copy()
        colours = dtype.itemsize == 1 and shape[2:] in ((3,), (4,))
        if colours and self.values.get("writer", _FPNG) == _FPNG:  # specs of earlier runs lack this option
            return self._by_fpng(image)
        import imagecodecs

        if colours:
            return bytes(imagecodecs.png_encode(image, **_OPENCV))
        if shape[2:] != (1,):
            return bytes(imagecodecs.png_encode(image, level=1))
        payload: bytes = bytes(imagecodecs.png_encode(image[:, :, 0], level=1))
        return b"".join((payload[:_HEAD_END], _NOTE, payload[_HEAD_END:]))

    @staticmethod
    def _by_fpng(image: Pixels) -> bytes:
        try:
            import fpng
        except ImportError:
            command = install_command("imgstore_tui", "fastpng", ["fpng"])
            raise UnavailableError(
                f"fpng is not installed. Run: {command}, or write png-fast with codec.writer={_LIBPNG}."
            ) from None
        payload: bytes = fpng.from_ndarray(image)
        return payload

    def decode(self, payload: bytes) -> Pixels:
        """Decode one payload."""
        import numpy as np

        shape, dtype = self._facts(payload)
        out: Pixels = np.empty(shape, dtype)
        self._fill(payload, out)
        return out

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Decode one payload straight into the caller's array."""
        shape, dtype = self._facts(payload)
        if out.shape != shape or out.dtype != dtype:
            raise StoreError(f"A stored image has shape {shape} and type {dtype}, not {out.shape} and {out.dtype}.")
        self._fill(payload, out)

    @staticmethod
    def _facts(payload: bytes) -> tuple[tuple[int, ...], str]:
        """Return shape and dtype from the header, before memory is allocated."""
        if len(payload) < _HEAD_END:
            raise StoreError(f"A stored PNG is cut short: it has only {len(payload)} bytes.")
        signature, name, width, height, depth, colour = _HEAD.unpack_from(payload)
        if signature != _SIGNATURE or name != b"IHDR":
            raise StoreError("A stored image is no PNG.")
        if depth not in (8, 16) or colour not in _KINDS or not width or not height:
            raise StoreError("A stored PNG is of a kind that the codec png-fast does not write.")
        if width * height > decode.MAX_PIXELS:
            raise StoreError(
                f"A stored PNG has {width} x {height} pixels, more than the {decode.MAX_PIXELS:,} that are taken."
            )
        channels = _KINDS[colour]
        if not channels and payload.startswith(_NOTE, _HEAD_END):
            channels = (1,)
        return (height, width, *channels), "uint8" if depth == 8 else "uint16"

    @staticmethod
    def _fill(payload: bytes, out: Pixels) -> None:
        import imagecodecs

        flat = out[:, :, 0] if out.shape[2:] == (1,) else out
        try:
            imagecodecs.png_decode(payload, out=flat)
        except (imagecodecs.PngError, ValueError, RuntimeError, MemoryError) as error:
            why = first_line(error)
            raise StoreError(f"A stored PNG cannot be decoded: it is damaged or cut short ({why}).") from None
