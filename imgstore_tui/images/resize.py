"""Resizes pictures of any shape to 8-bit RGB of one size."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.text import safe_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imgstore_tui.core.content import Pixels

_LARGEST_EDGE = 16_384


def parse_size(text: str) -> tuple[int, int] | None:
    """Parse ``WIDTHxHEIGHT`` into width and height; None for an empty text.

    Raises:
        UsageError: If the text does not have that form, or is out of bounds.
    """
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (0 < width <= _LARGEST_EDGE and 0 < height <= _LARGEST_EDGE):
        raise UsageError(
            f"Option 'resize' of dataset folder takes WIDTHxHEIGHT, e.g. 256x256, at most {_LARGEST_EDGE:,} each, "
            f"not '{safe_text(text)}'."
        )
    return width, height


def resized(pixels: Pixels, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture as 8-bit RGB of a width and height."""
    import numpy as np
    from PIL import Image

    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    picture = Image.fromarray(pixels[..., :3] if pixels.ndim == 3 else pixels).convert("RGB")
    return np.array(picture.resize(size, Image.Resampling.BICUBIC))
