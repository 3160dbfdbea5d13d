"""Stores the bytes of the user's own picture files, untouched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.content import ORIGINAL_CODEC
from imgstore_tui.core.errors import DataError, UnsupportedError
from imgstore_tui.images import decode
from imgstore_tui.images.picture_codec import unreadable

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels


class OriginalCodec(Codec):
    """Stores each picture file as it is; decoding gives the pixels that the dataset folder gives."""

    name = ORIGINAL_CODEC
    title = "Original files"
    from_file = True
    extension = "bin"
    requires = ("PIL",)

    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Accept any shape and dtype: nothing is encoded."""

    def encode(self, image: Pixels) -> bytes:
        """Raise UnsupportedError: payloads are the bytes of files."""
        raise UnsupportedError("Codec original stores the bytes of picture files and encodes nothing; use png or raw.")

    def decode(self, payload: bytes) -> Pixels:
        """Decode a picture file of any accepted format."""
        try:
            return decode.decode(payload)
        except DataError as error:
            raise unreadable(self.name, error) from None

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Decode a picture file into the caller's array."""
        try:
            decode.decode_into(payload, out)
        except DataError as error:
            raise unreadable(self.name, error) from None
