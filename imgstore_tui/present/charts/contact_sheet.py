"""Draws a grid of labelled thumbnails with the characters of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.style import Style
from rich.text import Text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rgb = NDArray[np.uint8]

_RAMP = " .:-=+*#%@"
"""From dark to light."""
_LEAST = 4
"""Columns below which a picture is not recognisable."""


class PixelStyle(Enum):
    """How pixels become characters."""

    BLOCKS = "half blocks"
    """Two pixels per character, one above the other, in their colours."""
    SHADES = "shades"
    """One character per two pixels, by their lightness: needs neither colour nor anything beyond ASCII."""


def contact_sheet(
    pictures: Sequence[tuple[Rgb, str]], width: int, height: int, style: PixelStyle, *, light: bool = False
) -> Text:
    """Return pictures in a grid, each over its label, as large as they can be.

    Args:
        pictures: uint8 arrays (H, W, 3), each with its label.
        width: Columns available.
        height: Lines available.
        style: How pixels are drawn.
        light: Whether the background is light.

    Returns:
        At most ``height`` lines of at most ``width`` columns; empty where there is no room or no picture.
    """
    columns, rows, across, down = _grid(len(pictures), width, height)
    if not pictures or across < _LEAST or down < 1:
        return Text()
    ramp = _RAMP[::-1] if light else _RAMP
    lines: list[Text] = []
    for row in range(rows):
        tiles = pictures[row * columns : (row + 1) * columns]
        drawn = [
            _blocks(pixels, across, down) if style is PixelStyle.BLOCKS else _shades(pixels, across, down, ramp)
            for pixels, _ in tiles
        ]
        lines += [Text(" ").join([tile[line] for tile in drawn]) for line in range(down)]
        captions = [_centred(label, across) for _, label in tiles]
        lines.append(Text(" ".join(captions), style="dim"))
    return Text("\n", no_wrap=True).join(lines)


def full_rows(count: int, available: int, width: int, height: int) -> int:
    """Return a number of pictures near ``count`` that fills all rows of the sheet.

    Args:
        count: Number of pictures to show.
        available: Number of pictures available; all are shown where they are no more than ``count``.
        width: Columns available.
        height: Lines available.
    """
    if available <= count:
        return available
    columns, rows, _, _ = _grid(count, width, height)
    return columns * rows if columns * rows <= available else count // columns * columns


def _grid(count: int, width: int, height: int) -> tuple[int, int, int, int]:
    """Return columns and rows of the grid with the largest pictures, and their width and height in characters."""
    best = (1, 1, 0, 0)
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        across = (width - (columns - 1)) // columns
        down = height // rows - 1  # a line each is for the label
        if min(across, 2 * down) > min(best[2], 2 * best[3]):
            # No higher than it is wide, so that its label stands right below it.
            best = (columns, rows, min(across, 2 * down), min(down, -(-across // 2)))
    return best


def _centred(text: str, width: int) -> str:
    while cell_len(text) > width:
        text = text[:-1]
    return set_cell_size(" " * ((width - cell_len(text)) // 2) + text, width)


def _fitted(pixels: Rgb, across: int, down: int) -> tuple[Rgb, int, int]:
    """Return a picture scaled to fit ``across`` by ``down`` pixels, and the offsets of its left and upper edges."""
    import numpy as np
    from PIL import Image

    height, width = pixels.shape[:2]
    scale = min(across / width, down / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    # Enlarged pictures keep their pixels; in reduced ones each pixel is the mean of those it covers.
    resampling = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.BOX
    fitted = np.array(Image.fromarray(pixels).resize(size, resampling))
    return fitted, (across - size[0]) // 2, (down - size[1]) // 2


def _blocks(pixels: Rgb, across: int, down: int) -> list[Text]:
    fitted, left, above = _fitted(pixels, across, 2 * down)
    high, wide = fitted.shape[:2]
    lines = []
    for line in range(down):
        text = Text()
        for column in range(across):
            x, upper = column - left, 2 * line - above
            inside = 0 <= x < wide
            top = _colour(fitted[upper, x]) if inside and 0 <= upper < high else None
            bottom = _colour(fitted[upper + 1, x]) if inside and 0 <= upper + 1 < high else None
            if top is None and bottom is None:
                text.append(" ")
            elif top is None:
                text.append("▄", Style(color=bottom))
            else:
                text.append("▀", Style(color=top, bgcolor=bottom))
        lines.append(text)
    return lines


def _colour(pixel: NDArray[np.uint8]) -> Color:
    return Color.from_rgb(int(pixel[0]), int(pixel[1]), int(pixel[2]))


def _shades(pixels: Rgb, across: int, down: int, ramp: str) -> list[Text]:
    fitted, left, above = _fitted(pixels, across, 2 * down)
    # Perceived lightness by ITU-R BT.601.
    luma = (fitted @ [0.299, 0.587, 0.114]) / 255
    high, wide = luma.shape
    lines = []
    for line in range(down):
        letters = []
        for column in range(across):
            x, upper = column - left, 2 * line - above
            rows = [row for row in (upper, upper + 1) if 0 <= row < high] if 0 <= x < wide else []
            share = sum(luma[row, x] for row in rows) / len(rows) if rows else -1.0
            letters.append(" " if share < 0 else ramp[min(len(ramp) - 1, int(share * len(ramp)))])
        lines.append(Text("".join(letters)))
    return lines
