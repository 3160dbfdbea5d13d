"""Provides what codecs of picture formats share: fitting images into a format, and encoding by Pillow."""

from __future__ import annotations

import io
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import DataError, StoreError, UnsupportedError
from imgstore_tui.core.options import Option
from imgstore_tui.images import decode

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

ONE_CHANNEL = "HW1"
"""In a note: the image has a channel axis of one, which picture formats do not know."""
GREY = "HW"
"""In a note: the image has no channel axis, and the format has no grey."""
OPAQUE = "HW4"
"""In a note: the image has an alpha channel that is not in the file, because all of it is opaque."""
COLOUR = "HW3"
"""In a note that only records the depth of the image."""
DEEP = "/16"
"""End of a note: the image has 16 bits, the file 8."""
SUBSAMPLING = Option(
    "subsampling",
    "4:2:0",
    "How fine colour is kept beside brightness; 4:2:0, a quarter, as cameras and Pillow do by themselves.",
    choices=("4:4:4", "4:2:2", "4:2:0"),
)
"""Option of formats that keep colour apart from brightness."""


def has_picture_shape(shape: tuple[int, ...]) -> bool:
    """Return whether a shape (H, W) or (H, W, C) is that of a grey, RGB or RGBA picture, and no side is 0."""
    return (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))) and 0 not in shape


def check_picture(codec: str, shape: tuple[int, ...], dtype: str) -> None:
    """Refuse an image that is no grey, RGB or RGBA picture of 8 or 16 bits.

    Args:
        codec: Name of the codec, for the message.
        shape: Shape of the image, (H, W) or (H, W, C).
        dtype: Its NumPy type, such as ``uint8``.

    Raises:
        UnsupportedError: If it is none.
    """
    if not has_picture_shape(shape) or dtype not in ("uint8", "uint16"):
        raise UnsupportedError(
            f"Codec {codec} takes grey, RGB and RGBA images of 8 and 16 bits, not {dtype} of shape {shape}."
        )


def check_sides(codec: str, shape: tuple[int, ...], most: int) -> None:
    """Refuse an image with a side of more pixels than a format can hold.

    Raises:
        UnsupportedError: If it has one.
    """
    if max(shape) > most:
        raise UnsupportedError(f"Codec {codec} takes images of at most {most:,} pixels a side, not {max(shape):,}.")


class NotedCodec(Codec):
    """Encodes images in a picture format, with a note in the file if the format cannot express the shape or depth."""

    grey: ClassVar[bool] = True
    """Whether the format has grey images."""
    alpha: ClassVar[bool] = True
    """Whether the format has an alpha channel."""
    deep: ClassVar[bool] = True
    """Whether the format has 16 bits."""
    drops: tuple[str, ...] = ("EXIF", "ICC profile")

    @abstractmethod
    def note_in(self, payload: bytes) -> str | None:
        """Return the note that ``encode`` wrote, or None."""

    def flatten(self, image: Pixels) -> tuple[Pixels, str | None]:
        """Return an image in a form that the format can hold, and the note to restore its shape and depth."""
        channels = image.shape[2] if image.ndim == 3 else 0
        flat: Pixels = image
        layout: str | None = None
        deep = image.dtype == np.uint16 and not self.deep
        if deep:
            flat = np.asarray((flat.astype(np.uint32) + 128) // 257, np.uint8)
        if channels == 1:
            layout, flat = ONE_CHANNEL, flat[:, :, 0]
        elif channels == 4 and (not self.alpha or bool((image[:, :, 3] == np.iinfo(image.dtype).max).all())):
            layout = OPAQUE
            if not self.alpha:
                flat = flat[:, :, :3].copy()
        if channels < 2 and not self.grey:
            layout = layout or GREY
            flat = flat[:, :, None].repeat(3, axis=2)
        if deep:
            return flat, (layout or (COLOUR if channels else GREY)) + DEEP
        return flat, layout

    @staticmethod
    def restore(pixels: Pixels, note: str | None) -> Pixels:
        """Restore the shape and depth of an image from the pixels of the file and the note; inverse of ``flatten``."""
        layout, deep, _ = (note or "").partition(DEEP)
        if layout in (GREY, ONE_CHANNEL) and pixels.ndim == 3:
            pixels = pixels[:, :, 0].copy()
        if layout == ONE_CHANNEL:
            pixels = pixels[:, :, None]
        elif layout == OPAQUE and pixels.shape[2:] == (3,):
            whole = np.full((*pixels.shape[:2], 4), 255, np.uint8)
            whole[:, :, :3] = pixels
            pixels = whole
        return pixels.astype(np.uint16) * np.uint16(257) if deep and pixels.dtype == np.uint8 else pixels


class PictureCodec(NotedCodec):
    """Encodes by Pillow, and decodes like any picture file."""

    picture: ClassVar[str]
    """Pillow's name of the format."""
    requires = ("PIL",)

    @abstractmethod
    def settings(self, note: str | None) -> dict[str, Any]:
        """Return the arguments of Pillow's ``save``, with the note."""

    def encode(self, image: Pixels) -> bytes:
        """Encode one image."""
        from PIL import Image

        self.check(image.shape, image.dtype.name)
        flat, note = self.flatten(image)
        buffer = io.BytesIO()
        Image.fromarray(flat).save(buffer, self.picture, **self.settings(note))
        return buffer.getvalue()

    def decode(self, payload: bytes) -> Pixels:
        """Decode one payload, which must be of this format."""
        try:
            pixels = decode.decode(payload, only=self.picture)
        except DataError as error:
            raise unreadable(self.title, error) from None
        return self.restore(pixels, self.note_in(payload))

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Decode one payload into the caller's array, with one copy less if it has no note."""
        if self.note_in(payload) is not None or (out.ndim == 3 and out.shape[2] == 1):
            super().decode_into(payload, out)
            return
        try:
            decode.decode_into(payload, out, only=self.picture)
        except DataError as error:
            raise unreadable(self.title, error) from None


def unreadable(title: str, error: DataError) -> StoreError:
    """Return the error for a payload that cannot be decoded, from the error of decoding."""
    message = str(error)
    return StoreError(f"A stored {title} cannot be decoded: {message[0].lower()}{message[1:]}")
