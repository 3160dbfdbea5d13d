"""Scroll bars that are drawn and not filled: slim, and told from what is beside them without any colour."""

from __future__ import annotations

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender

_UPRIGHT, _LYING = "▐", "▂"
"""What the thumb is made of: it leaves a gap to what is read."""


class SlimScrollBar(ScrollBarRender):
    """Draws a thumb half as wide as Textual's, which is a filled box that touches the words beside it."""

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = Color.default(),  # noqa: B008 - as Textual declares it
        bar_color: Color = Color.default(),  # noqa: B008
    ) -> Segments:
        """Return the bar, by cells; a click beside the thumb goes a page on, as it does with Textual's own."""
        size = max(0, int(size))
        before = thumb = 0
        if window_size and size and virtual_size > window_size:
            thumb = min(size, max(1, round(size * window_size / virtual_size)))
            before = round((size - thumb) * min(1.0, max(0.0, position / (virtual_size - window_size))))
        sign = (_UPRIGHT if vertical else _LYING).rjust(thickness if vertical else 1)
        blank = " " * len(sign)
        cells = [
            *[_cell(blank, back_color, bar_color, "scroll_up")] * before,
            *[_cell(sign, back_color, bar_color, "grab")] * thumb,
            *[_cell(blank, back_color, bar_color, "scroll_down")] * (size - before - thumb),
        ]
        if vertical:
            return Segments(cells, new_lines=True)
        return Segments([*cells, Segment.line()] * thickness, new_lines=False)


def _cell(sign: str, behind: Color, colour: Color, pressed: str) -> Segment:
    return Segment(sign, Style(color=colour, bgcolor=behind, meta={"@mouse.down": pressed}))
