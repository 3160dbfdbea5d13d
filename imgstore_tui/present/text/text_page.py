"""Lays out text in columns: pages of labelled lines, and lines whose continuation is indented."""

from __future__ import annotations

import textwrap

from rich.text import Text

from imgstore_tui.core.text import safe_text
from imgstore_tui.present.text.ascii import ascii_text

LABEL_COLUMNS = 11
"""Columns of the labels at the left."""
LEAST_COLUMNS = 24
"""Columns below which a page is not made narrower."""
_LEAST_FOLDED = 24
"""Columns below which text is not folded beside its head."""


class TextPage:
    """A page under construction: labels at the left, text folded beside them, headings between."""

    def __init__(self, width: int) -> None:
        self.width = max(LEAST_COLUMNS, width)
        self.lines: list[Text] = []

    def heading(self, text: str) -> None:
        """Add a blank line and a heading."""
        self.lines += [Text(), *(Text(line, style="bold") for line in textwrap.wrap(text, self.width))]

    def pair(self, label: str, text: str, *, style: str = "") -> None:
        """Add text beside a label; the text is made harmless and folded."""
        folded = textwrap.wrap(safe_text(text), max(LEAST_COLUMNS - LABEL_COLUMNS, self.width - LABEL_COLUMNS)) or [""]
        for number, line in enumerate(folded):
            self.lines.append(Text.assemble((f"{label if not number else '':<{LABEL_COLUMNS}}", "dim"), (line, style)))

    def add(self, line: Text) -> None:
        """Add a line that is laid out already; where it is too long its end gives way to an ellipsis."""
        line.truncate(self.width, overflow="ellipsis")
        self.lines.append(line)

    def text(self, *, ascii_only: bool) -> Text:
        """Return the whole page."""
        for line in self.lines if ascii_only else ():
            line.plain = ascii_text(line.plain)
        text = Text("\n").join(self.lines)
        text.no_wrap = True
        return text


def folded_line(
    head: str, head_style: str, text: str, width: int | None, *, indent: int | None = None, style: str = ""
) -> Text:
    """Return a head and a text that continues, where it is too long, on indented lines.

    Args:
        head: What stands before the text.
        head_style: Rich style of the head.
        text: The text.
        width: Columns available; None folds nothing.
        indent: Columns before the continuation; None for the length of the head.
        style: Rich style of the text.
    """
    before = len(head) if indent is None else indent
    if width is None or width - before < _LEAST_FOLDED:
        return Text.assemble((head, head_style), (text, style), "\n")
    lines = textwrap.wrap(
        f"{'.' * len(head)}{text}", width, subsequent_indent=" " * before, break_on_hyphens=False
    ) or [head]  # names of methods, operations and commands stay whole
    return Text.assemble((head, head_style), ("\n".join([lines[0][len(head) :], *lines[1:]]), style), "\n")
