"""Fingerprints a sequence of images and labels, whether they are measured or converted."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_NO_PIXELS = np.zeros((0, 0), np.uint8)
"""Stands for the image of a file that is not decoded."""


class Fingerprint:
    """SHA-256 over shape, dtype, label and pixels of every image, in order.

    It is equal for equal images and labels, whatever stores them. Images without labels have another fingerprint than
    those with any.
    """

    def __init__(self, *, has_labels: bool = True) -> None:
        self._digest = hashlib.sha256()
        self._has_labels = has_labels

    def add(self, image: Pixels, label: int) -> None:
        """Add the next image.

        Args:
            image: uint8 or uint16 array (H, W) or (H, W, C).
            label: Its label; of no matter where images have none.
        """
        self._digest.update(f"{image.shape}{image.dtype}{self._text(label)};".encode())
        self._digest.update(np.ascontiguousarray(image).data)

    def add_file(self, data: bytes, label: int) -> None:
        """Add the next image of a dataset whose files are not decoded.

        Args:
            data: The file's bytes.
            label: Its label; of no matter where images have none.
        """
        self._digest.update(f"{_NO_PIXELS.shape}{_NO_PIXELS.dtype}{self._text(label)};".encode())
        self._digest.update(data)

    def _text(self, label: int) -> str:
        return str(label) if self._has_labels else "no label"

    def hexdigest(self) -> str:
        """Return the fingerprint of the images so far, 64 hexadecimal digits."""
        return self._digest.hexdigest()
