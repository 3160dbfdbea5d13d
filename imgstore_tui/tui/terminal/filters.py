"""What is done to the picture last, for terminals that show less: no colours at all, nothing beyond ASCII."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from imgstore_tui.present.text.ascii import ascii_text


class NoColourFilter(LineFilter):
    """Leaves no colour code, for ``NO_COLOR``; what stood out by its background is reversed instead.

    Textual's own filter of this kind turns the terminal's default colours into black, text and background alike.
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
    """Lets nothing but ASCII reach the terminal: not from us, from Textual, nor from the user's data."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return segments of the same width, what has no counterpart written as ``?``."""
        return [
            segment if segment.text.isascii() else Segment(ascii_text(segment.text), segment.style, segment.control)
            for segment in segments
        ]
