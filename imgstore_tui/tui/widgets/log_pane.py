"""Shows the live log: one line per event, as the command line prints it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.cells import cell_len
from rich.text import Span, Text
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from imgstore_tui.present.text.log_line import MOST_LINES, without_optional
from imgstore_tui.tui.widgets.method_marks import MethodMarks

TimedLine = tuple[datetime, Text]
"""A line and the time of its event."""
_EMPTY = "Every trial gets a line here as it ends."
_METHOD = "method:"
_INDENT = "         "
"""Indents the continuation of a long line by the width of the clock."""


def method_style(label: str) -> str:
    """Return the placeholder style of a storage method; its colour is looked up when the line is painted."""
    return f"{_METHOD}{label}"


class LogPane(ScrollView, can_focus=True):
    """Lines with the time of day. The end stays visible unless the user scrolls away from it.

    Textual's own log wraps a line once, to the width at that time, which is 0 in a hidden pane; this one keeps the
    lines and wraps them again when the width changes.
    """

    marks: reactive[MethodMarks] = reactive(MethodMarks(), repaint=False)
    """The colours of storage methods."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "4 Log"
        self._lines: list[Text] = []
        self._rows: list[Text] = []
        self._pending: list[Text] = []
        """Lines that are not wrapped into rows yet."""
        self._width = 0
        self._follows = True
        """Whether the end stays visible."""
        self._moving = False
        """Whether the pane itself scrolls now, and not the user."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines, without their colours."""
        return tuple(line.plain for line in self._lines)

    def copied_text(self) -> str:
        """Return all lines."""
        return "\n".join(self.lines)

    def add_lines(self, lines: Iterable[TimedLine]) -> None:
        """Add lines, all in one repaint."""
        new = [Text.assemble((f"{when.astimezone():%H:%M:%S} ", "dim"), line) for when, line in lines]
        if not new:
            return
        self._lines = [*self._lines, *new][-MOST_LINES:]
        # A hidden pane is not laid out, since that would lay out the whole screen.
        self._pending = [*self._pending, *new][-MOST_LINES:]
        if self._width and self.display:
            self._lay_out_pending()

    def watch_marks(self) -> None:
        """Paint in other colours."""
        self.refresh()

    def _coloured(self, line: Text) -> Text:
        """Return a line with the current colours of the methods."""
        painted = line.copy()
        painted.spans = [
            Span(span.start, span.end, self.marks.style(span.style.removeprefix(_METHOD)))
            if isinstance(span.style, str) and span.style.startswith(_METHOD)
            else span
            for span in line.spans
        ]
        return painted

    def on_resize(self) -> None:
        """Wrap all lines again if the width changed, or those that came while the pane was hidden."""
        width = self.scrollable_content_region.width
        if width and width != self._width:
            self._width, self._pending = width, []
            self._lay_out([row for line in self._lines for row in self._folded(line)], keep=False)
        elif width and self._pending:
            self._lay_out_pending()

    def _lay_out_pending(self) -> None:
        """Lay out the pending lines."""
        new, self._pending = self._pending, []
        self._lay_out([row for line in new for row in self._folded(line)], keep=True)

    def _lay_out(self, rows: list[Text], *, keep: bool) -> None:
        self._follows = self._follows or not keep
        self._rows = [*(self._rows if keep else ()), *rows][-MOST_LINES:]
        self.virtual_size = Size(self._width, len(self._rows))
        if self._follows:
            self.call_after_refresh(self._to_end)
        self.refresh()

    def _to_end(self) -> None:
        """Scroll to the end unless the user has scrolled away."""
        if self._follows:
            self._moving = True
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
            self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Note whether the user scrolls away from the end, or back to it.

        This is not checked when lines arrive, since earlier ones may not be scrolled to yet.
        """
        super().watch_scroll_y(old_value, new_value)
        if not self._moving:
            self._follows = self.is_vertical_scroll_end

    def _folded(self, line: Text) -> list[Text]:
        if line.cell_len > self._width:
            line = without_optional(line)
        if line.cell_len <= self._width or self._width <= len(_INDENT) + 10:
            return [line]
        console = self.app.console
        first, *_ = line.wrap(console, self._width)
        rest = line[len(first.plain) :]
        rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
        return [first, *(Text(_INDENT).append_text(row) for row in rest.wrap(console, self._width - len(_INDENT)))]

    def render_line(self, y: int) -> Strip:
        """Draw the visible row at ``y``."""
        number = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        base = self.rich_style
        if not self._rows and y == self.size.height // 2:
            empty = Text.assemble(" " * (max(0, width - cell_len(_EMPTY)) // 2), (_EMPTY, "dim"))
            return Strip(empty.render(self.app.console)).apply_style(base).adjust_cell_length(width, base)
        if number >= len(self._rows):
            return Strip.blank(width, base)
        segments = self._coloured(self._rows[number]).render(self.app.console)
        return Strip(segments).apply_style(base).adjust_cell_length(width, base)
