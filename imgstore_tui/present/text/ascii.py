"""Replaces glyphs beyond ASCII by ASCII ones of the same width, for the screen and for printed output."""

from __future__ import annotations

from rich.cells import cell_len

_PLAIN = str.maketrans(
    "·…µ×–—━─│┃▔▁╭╮╰╯┌┐└┘├┤┼▏▎▌▐█✓✗▶◐↑←→▲▼░▒▓●▂▃▄▅▆▇▀",
    "..ux--=-||-_+++++++++++||||#v!>~^<>^v-=#o_______",
)
"""The glyphs that tables, bars, frames and text use, and their replacements of the same width."""


def ascii_text(text: str) -> str:
    """Return text of the same width in ASCII; characters without a replacement become ``?``."""
    if text.isascii():
        return text
    text = text.translate(_PLAIN)
    return "".join(letter if letter.isascii() else "?" * cell_len(letter) for letter in text)
