"""Replaces glyphs beyond ASCII by ASCII ones of the same width, for the screen and for printed output."""

from __future__ import annotations

from collections.abc import Mapping

_PLAIN = str.maketrans(
    "·…µ×–—━─│┃▔▁╭╮╰╯┌┐└┘├┤┼▏▎▌▐█✓✗▶◐↑←→▲▼░▒▓●▂▃▄▅▆▇▀",
    "..ux--=-||-_+++++++++++||||#v!>~^<>^v-=#o_______",
)
"""The glyphs that tables, bars, frames and text use, and their replacements of the same width."""


def ascii_text(text: str) -> str:
    """Return text of the same width in ASCII; characters without a replacement become ``?``."""
    if text.isascii():
        return text
    from rich.cells import cell_len  # late: what terminal this is, is asked before anything of the screen is loaded

    text = text.translate(_PLAIN)
    return "".join(letter if letter.isascii() else "?" * cell_len(letter) for letter in text)


def only_ascii(encoding: str | None, environment: Mapping[str, str], *, utf8_mode: bool) -> bool:
    """Return whether the place to print on shows nothing beyond ASCII.

    Args:
        encoding: Encoding of the stream that is printed on.
        environment: The process environment.
        utf8_mode: Whether Python took UTF-8 in place of the locale's encoding. It does so for the locale C, whose
            terminals still show ASCII alone.
    """
    if "utf" not in (encoding or "ascii").lower():
        return True
    locale = environment.get("LC_ALL") or environment.get("LANG")
    return utf8_mode and locale in ("C", "POSIX") and "PYTHONUTF8" not in environment
