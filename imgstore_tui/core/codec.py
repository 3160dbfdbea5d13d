"""Declares the contract of a codec, which turns one image into bytes and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from imgstore_tui.core.content import PayloadKind
from imgstore_tui.core.former_names import adopt_former_names
from imgstore_tui.core.options import Option, OptionValue

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Backend
    from imgstore_tui.core.content import Pixels


TRANSPARENCY = "transparency"
"""An entry of ``Codec.drops``: every image comes back opaque, in its colours."""
DEPTH = "16-bit depth"
"""An entry of ``Codec.drops``: images of 16 bits come back as 16 bits, of which 8 are significant."""


class Codec(ABC):
    """One way to turn an image into bytes, with its options set.

    Subclasses declare the class variables and import their library inside methods only.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    lossless: bool = True
    """Whether every bit of the pixels survives; an instance may differ from its class where an option decides."""
    is_raw: ClassVar[bool] = False
    """Payloads are the pixels as they are, so a backend may take images of one shape as one array instead."""
    from_file: ClassVar[bool] = False
    """Payloads are the source files' own bytes; ``encode`` is never called."""
    extension: ClassVar[str]
    """Suffix of a file that holds one payload, without the dot; for ``original`` a fallback."""
    drops: tuple[str, ...] = ()
    """What does not survive, such as ``EXIF``, TRANSPARENCY, DEPTH; an instance may drop more than its class."""
    requires: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str | None] = None
    options: ClassVar[tuple[Option, ...]] = ()
    fork_safe: ClassVar[bool] = True

    def __init_subclass__(cls, **arguments: object) -> None:
        super().__init_subclass__(**arguments)
        adopt_former_names(cls, {"meant": "kept_pixels"})

    def __init__(self, values: Mapping[str, OptionValue]) -> None:
        self.values = dict(values)

    @abstractmethod
    def check(self, shape: tuple[int, ...], dtype: str) -> None:
        """Raise UnsupportedError, in a sentence, if images of this shape and dtype cannot be encoded."""

    @abstractmethod
    def encode(self, image: Pixels) -> bytes:
        """Encode one image (H, W, C) or (H, W).

        Raises:
            UnsupportedError: If the shape or dtype is not claimed.
        """

    @abstractmethod
    def decode(self, payload: bytes) -> Pixels:
        """Decode one payload into an array that the caller owns, of the shape and dtype that was encoded.

        Raises:
            StoreError: If the payload is cut short, damaged or of another kind.
        """

    def kept_pixels(self, image: Pixels) -> Pixels:
        """Return the part of an image that decoding must give back, by which a lossy codec is judged."""
        dropped = TRANSPARENCY in self.drops and image.ndim == 3 and image.shape[2] == 4
        return image[:, :, :3] if dropped else image

    def decode_into(self, payload: bytes, out: Pixels) -> None:
        """Decode one payload into the caller's array of the right shape and dtype."""
        image = self.decode(payload)
        if image.shape != out.shape or image.dtype != out.dtype:
            from imgstore_tui.core.errors import StoreError

            raise StoreError(
                f"A stored image has shape {image.shape} and type {image.dtype}, not {out.shape} and {out.dtype}."
            )
        out[...] = image


def payload_kind(backend: Backend | type[Backend], codec: Codec | type[Codec], *, uniform: bool) -> PayloadKind:
    """Return the form in which a backend is given batches of images.

    Args:
        backend: The backend that stores them.
        codec: The codec of the images.
        uniform: Whether all images have one shape and dtype, and pixels at hand.

    Returns:
        ``ARRAY`` for raw pixels of one shape where the backend takes arrays, else ``BYTES``.
    """
    arrays = uniform and codec.is_raw and PayloadKind.ARRAY in backend.payloads
    return PayloadKind.ARRAY if arrays else PayloadKind.BYTES
