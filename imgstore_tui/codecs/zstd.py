"""Compresses raw pixels by Zstandard: lossless, much faster than PNG, and larger, because it ignores image structure.

A payload is one frame with its length and a checksum. ``zstd -d`` turns it into what the codec raw stores.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.text import first_line
from imgstore_tui.images import decode, raw

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

# Python has Zstandard from 3.14 on; before, the backport is the same module under another name.
_MODULE = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
_MAGIC = b"\x28\xb5\x2f\xfd"
_MOST = 8 * decode.MAX_PIXELS + 64
"""Bytes of the largest accepted picture, RGBA at 16 bits; a frame that claims more is refused."""


class ZstdCodec(Codec):
    """Takes plain numbers of any shape, losslessly."""

    name = "zstd"
    title = "Raw pixels, Zstandard"
    extension = "zst"
    drops = ("EXIF", "ICC profile")
    requires = (_MODULE,)
    extra = "zstd"
    options = (
        Option(
            "level",
            1,
            "How hard to compress, -7 to 19; 1, because on photographs more costs much time and gains next to nothing.",
            minimum=-7,
            maximum=19,
        ),
    )

    def __init__(self, values: Mapping[str, OptionValue]) -> None:
        super().__init__(values)
        self._local = (
            threading.local()
        )  # a compressor belongs to one thread, and creating one takes longer than compressing a small image

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Accept plain numbers of any shape."""
        raw.header(tuple(shape), np.dtype(dtype))

    def encode(self, image: Pixels) -> bytes:
        """Return one frame."""
        packed = raw.pack(image)
        compressor = getattr(self._local, "compressor", None) or self._compressor()
        compressor.set_pledged_input_size(len(packed))  # so that the frame records the length of its content
        payload: bytes = compressor.compress(packed, compressor.FLUSH_FRAME)
        return payload

    def _compressor(self) -> Any:
        zstd = importlib.import_module(_MODULE)
        parameter = zstd.CompressionParameter
        self._local.compressor = zstd.ZstdCompressor(
            options={parameter.compression_level: self.values["level"], parameter.checksum_flag: 1}
        )
        return self._local.compressor

    def decode(self, payload: bytes) -> Pixels:
        """Return the pixels, after a check of the frame's checksum."""
        return raw.unpack(self._packed(payload))

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Copy the pixels into the caller's array."""
        packed = self._packed(payload)
        if not raw.unpack_into(packed, out):
            super().decode_into(payload, out)  # raises the error for a wrong shape, or copies with strides

    @staticmethod
    def _packed(payload: bytes) -> bytes:
        """Return the payload that the codec raw would store."""
        zstd = importlib.import_module(_MODULE)
        if not payload.startswith(_MAGIC):
            raise StoreError("A stored image is no Zstandard frame.")
        try:
            size = zstd.get_frame_info(payload).decompressed_size
            if size is None or size > _MOST:
                raise StoreError(f"A stored Zstandard frame is damaged: it says that it holds {size} bytes.")
            work = zstd.ZstdDecompressor()
            packed: bytes = work.decompress(payload, max_length=size)
        except (zstd.ZstdError, MemoryError) as error:
            raise StoreError(f"A stored Zstandard frame is damaged or cut short ({first_line(error)}).") from None
        if not work.eof or work.unused_data or len(packed) != size:
            raise StoreError("A stored Zstandard frame is damaged or cut short: it does not end where it should.")
        return packed
