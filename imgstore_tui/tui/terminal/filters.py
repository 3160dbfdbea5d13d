"""Filters what Textual paints, for terminals without colours or without Unicode."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from imgstore_tui.present.text.ascii import ascii_text


class NoColourFilter(LineFilter):
    """Removes all colours, for ``NO_COLOR``; text with a background colour of its own is reversed.

    Textual's own filter turns the terminal's default colours into black, text and background alike.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return segments without colours."""
        behind = background.rich_color
        return [
            segment if style is None else Segment(text, _without_colour(style, behind), control)
            for segment in segments
            for text, style, control in [segment]
        ]


@lru_cache(4096)
def _without_colour(style: Style, background: RichColor) -> Style:
    stands_out = style.bgcolor is not None and not style.bgcolor.is_default and style.bgcolor != background
    plain = style.without_color
    return plain + Style(reverse=True) if stands_out else plain


class AsciiFilter(LineFilter):
    """Replaces everything that is not ASCII, whether it comes from us, from Textual or from the user's data."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return segments of the same width; a character without an ASCII counterpart becomes ``?``."""
        return [
            segment if segment.text.isascii() else Segment(ascii_text(segment.text), segment.style, segment.control)
            for segment in segments
        ]
