"""Draws a widget line by line and repaints only the lines that changed."""

from __future__ import annotations

from rich.text import Span, Text
from textual.geometry import Region, Size
from textual.widget import Widget


class LinePicture(Widget):
    """Caches its lines: a trial changes few of them, and the terminal may be remote."""

    def __init__(self) -> None:
        super().__init__()
        self._picture = Text()
        self._size_drawn = Size(0, 0)

    def picture(self) -> Text:
        """Return the content for the current size; implemented by the subclass."""
        raise NotImplementedError

    def render(self) -> Text:
        """Return the cached picture; draw it again if the size has changed."""
        if self._size_drawn != self.size:
            self._draw()
        return self._picture

    def _draw(self) -> None:
        self._size_drawn = self.size
        self._picture = self.picture()

    def redraw_with(self, *names: str) -> None:
        """Redraw whenever one of these reactives changes."""
        for name in names:
            self.watch(self, name, self.redraw, init=False)

    def notify_style_update(self) -> None:
        """Draw again at the next paint, since colours may have changed."""
        super().notify_style_update()
        self._size_drawn = Size(0, 0)

    def redraw(self) -> None:
        """Draw again and repaint the lines that changed; if hidden, wait until it is visible."""
        if not self.size or not self.is_on_screen:
            self._size_drawn = Size(0, 0)
            return
        before = _lines(self._picture)
        self._draw()
        after = _lines(self._picture)
        if len(before) != len(after):
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))


def _lines(picture: Text) -> list[tuple[str, list[Span]]]:
    return [(line.plain, line.spans) for line in picture.split("\n")]
