"""What stands for glyphs beyond ASCII where nothing else may be drawn: the same on the screen and in print."""

from __future__ import annotations

from rich.cells import cell_len

_PLAIN = str.maketrans(
    "·…µ×–—━─│┃▔▁╭╮╰╯┌┐└┘├┤┼▏▎▌▐█✓✗▶◐↑←→▲▼░▒▓●▂▃▄▅▆▇▀",
    "..ux--=-||-_+++++++++++||||#v!>~^<>^v-=#o_______",
)
"""What tables, bars, frames and words draw beyond ASCII, and what stands for it; each as wide as the other."""


def ascii_text(text: str) -> str:
    """Return text of the same width in ASCII, what has no counterpart written as ``?``."""
    if text.isascii():
        return text
    text = text.translate(_PLAIN)
    return "".join(letter if letter.isascii() else "?" * cell_len(letter) for letter in text)
