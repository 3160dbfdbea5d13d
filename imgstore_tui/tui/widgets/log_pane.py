"""The live log: a line for everything that happened, as the command line would print it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.cells import cell_len
from rich.text import Span, Text
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from imgstore_tui.present.text.log_line import MOST_LINES
from imgstore_tui.tui.widgets.method_marks import MethodMarks

TimedLine = tuple[datetime, Text]
"""A line, and when what it says happened."""
_EMPTY = "Every trial gets a line here as it ends."
_METHOD = "method:"
_INDENT = "         "
"""Before the continuation of a long line: as wide as the clock."""


def method_style(label: str) -> str:
    """Return what stands in a line of the log for the colour of a storage method: it is looked up when painted."""
    return f"{_METHOD}{label}"


class LogPane(ScrollView, can_focus=True):
    """Lines with the time of day. The end stays in sight unless the user scrolled away from it.

    Textual's own log folds a line once, to the width there was when it came, which is none for a hidden pane;
    this one keeps the lines and folds them anew when the width changes.
    """

    marks: reactive[MethodMarks] = reactive(MethodMarks(), repaint=False)
    """The colours of storage methods."""

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "4 Log"
        self._lines: list[Text] = []
        self._rows: list[Text] = []
        self._behind: list[Text] = []
        """Lines that have no rows yet."""
        self._width = 0
        self._follows = True
        """Whether the end stays in sight."""
        self._moving = False
        """Whether it is this that scrolls now, and not the user."""

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything said, without its colours."""
        return tuple(line.plain for line in self._lines)

    def say(self, lines: Iterable[TimedLine]) -> None:
        """Add lines, all in one repaint."""
        new = [Text.assemble((f"{when.astimezone():%H:%M:%S} ", "dim"), line) for when, line in lines]
        if not new:
            return
        self._lines = [*self._lines, *new][-MOST_LINES:]
        # Out of sight nothing is laid out: each time the whole screen would be.
        self._behind = [*self._behind, *new][-MOST_LINES:]
        if self._width and self.display:
            self._catch_up()

    def watch_marks(self) -> None:
        """Paint in other colours."""
        self.refresh()

    def _coloured(self, line: Text) -> Text:
        """Return a line in which methods have the colours of now: themes change, and lines stay."""
        painted = line.copy()
        painted.spans = [
            Span(span.start, span.end, self.marks.style(span.style.removeprefix(_METHOD)))
            if isinstance(span.style, str) and span.style.startswith(_METHOD)
            else span
            for span in line.spans
        ]
        return painted

    def on_resize(self) -> None:
        """Fold all lines anew if the width changed, or those that came while the pane was out of sight."""
        width = self.scrollable_content_region.width
        if width and width != self._width:
            self._width, self._behind = width, []
            self._lay_out([row for line in self._lines for row in self._folded(line)], keep=False)
        elif width and self._behind:
            self._catch_up()

    def _catch_up(self) -> None:
        """Lay out the lines that came since the last time."""
        new, self._behind = self._behind, []
        self._lay_out([row for line in new for row in self._folded(line)], keep=True)

    def _lay_out(self, rows: list[Text], *, keep: bool) -> None:
        self._follows = self._follows or not keep
        self._rows = [*(self._rows if keep else ()), *rows][-MOST_LINES:]
        self.virtual_size = Size(self._width, len(self._rows))
        if self._follows:
            self.call_after_refresh(self._to_end)
        self.refresh()

    def _to_end(self) -> None:
        """Bring the end into sight, if the user has not scrolled away meanwhile."""
        if self._follows:
            self._moving = True
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
            self._moving = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Note whether the user scrolls away from the end, or back to it.

        Where the end is when lines come says nothing: those that came a moment ago may not be in sight yet.
        """
        super().watch_scroll_y(old_value, new_value)
        if not self._moving:
            self._follows = self.is_vertical_scroll_end

    def _folded(self, line: Text) -> list[Text]:
        if line.cell_len <= self._width or self._width <= len(_INDENT) + 10:
            return [line]
        console = self.app.console
        first, *_ = line.wrap(console, self._width)
        rest = line[len(first.plain) :]
        rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
        return [first, *(Text(_INDENT).append_text(row) for row in rest.wrap(console, self._width - len(_INDENT)))]

    def render_line(self, y: int) -> Strip:
        """Draw the row at ``y`` of what is in sight."""
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
