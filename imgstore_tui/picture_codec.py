"""What codecs that make picture files by Pillow have in common."""

from __future__ import annotations

import io
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from imgstore_tui import pictures
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import DataError, StoreError

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Pixels

ONE_CHANNEL = "HW1"
"""Note in a payload: the image has a channel axis of one, which picture formats do not know."""
OPAQUE = "HW4"
"""Note in a payload: the image has an alpha channel that is opaque everywhere, which some formats leave out."""


class PictureCodec(Codec):
    """Encodes with Pillow, and decodes as every picture file is decoded."""

    picture: ClassVar[str]
    """The format, by Pillow's name."""
    requires = ("PIL",)
    drops = ("EXIF", "ICC profile")

    @abstractmethod
    def settings(self, note: str | None) -> dict[str, Any]:
        """Return what Pillow is to be told, and how it is to leave a note in the file."""

    @abstractmethod
    def note_in(self, payload: bytes) -> str | None:
        """Return the note that ``encode`` has left."""

    def encode(self, image: Pixels) -> bytes:
        """Encode one image."""
        from PIL import Image

        self.check(image.shape, image.dtype.name)
        note = None
        if image.ndim == 3 and image.shape[2] == 1:
            note, image = ONE_CHANNEL, image[:, :, 0]
        elif image.ndim == 3 and image.shape[2] == 4 and bool((image[:, :, 3] == 255).all()):
            note = OPAQUE
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, self.picture, **self.settings(note))
        return buffer.getvalue()

    def decode(self, payload: bytes) -> Pixels:
        """Decode one payload, which must be of this format."""
        try:
            pixels = pictures.decode(payload, only=self.picture)
        except DataError as error:
            raise unreadable(self.title, error) from None
        note = self.note_in(payload)
        if note == ONE_CHANNEL and pixels.ndim == 2:
            return pixels[:, :, None]
        if note == OPAQUE and pixels.shape[2:] == (3,):
            whole = np.full((*pixels.shape[:2], 4), 255, np.uint8)
            whole[:, :, :3] = pixels
            return whole
        return pixels

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Decode one payload into the caller's array, with one copy less where there is no note."""
        if self.note_in(payload) is not None or (out.ndim == 3 and out.shape[2] == 1):
            super().decode_into(payload, out)
            return
        try:
            pictures.decode_into(payload, out, only=self.picture)
        except DataError as error:
            raise unreadable(self.title, error) from None


def unreadable(title: str, error: DataError) -> StoreError:
    """Build the error for a payload that is no picture, from what is wrong with the picture."""
    said = str(error)
    return StoreError(f"A stored {title} cannot be decoded: {said[0].lower()}{said[1:]}")
