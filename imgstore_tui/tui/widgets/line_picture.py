"""A widget that is one picture made of lines, of which only those that changed are painted again."""

from __future__ import annotations

from rich.text import Span, Text
from textual.geometry import Region, Size
from textual.widget import Widget


class LinePicture(Widget):
    """Keeps its picture until it is drawn anew: a trial changes few lines, and the terminal may be far away."""

    def __init__(self) -> None:
        super().__init__()
        self._picture = Text()
        self._size_drawn = Size(0, 0)

    def picture(self) -> Text:
        """Return what is to be seen at the present size; for the subclass to say."""
        raise NotImplementedError

    def render(self) -> Text:
        """Return the picture as it was drawn last, drawn anew for another size."""
        if self._size_drawn != self.size:
            self._draw()
        return self._picture

    def _draw(self) -> None:
        self._size_drawn = self.size
        self._picture = self.picture()

    def redraw_with(self, *names: str) -> None:
        """Redraw whenever one of these reactives, which do not repaint by themselves, changes."""
        for name in names:
            self.watch(self, name, self.redraw, init=False)

    def notify_style_update(self) -> None:
        """Draw anew when it is painted next: colours may be others."""
        super().notify_style_update()
        self._size_drawn = Size(0, 0)

    def redraw(self) -> None:
        """Draw anew and repaint the lines that changed; out of sight, wait until it is seen."""
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
