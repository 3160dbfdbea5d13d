"""A page of text: labels at the left, words folded beside them, headings between."""

from __future__ import annotations

import textwrap

from rich.text import Text

from imgstore_tui.core.text import safe_text
from imgstore_tui.present.text.ascii import ascii_text

LABEL_COLUMNS = 11
"""Columns of the words at the left."""
LEAST_COLUMNS = 24
"""Columns below which a page is not made narrower."""


class TextPage:
    """Lines being gathered."""

    def __init__(self, width: int) -> None:
        self.width = max(LEAST_COLUMNS, width)
        self.lines: list[Text] = []

    def heading(self, words: str) -> None:
        """Begin a part."""
        self.lines += [Text(), *(Text(line, style="bold") for line in textwrap.wrap(words, self.width))]

    def pair(self, label: str, words: str, *, style: str = "") -> None:
        """Say something under a label."""
        folded = textwrap.wrap(safe_text(words), max(LEAST_COLUMNS - LABEL_COLUMNS, self.width - LABEL_COLUMNS)) or [""]
        for number, line in enumerate(folded):
            self.lines.append(Text.assemble((f"{label if not number else '':<{LABEL_COLUMNS}}", "dim"), (line, style)))

    def add(self, line: Text) -> None:
        """Add a line that was laid out already; where it has no room its end gives way, with a sign."""
        line.truncate(self.width, overflow="ellipsis")
        self.lines.append(line)

    def text(self, *, ascii_only: bool) -> Text:
        """Return everything."""
        for line in self.lines if ascii_only else ():
            line.plain = ascii_text(line.plain)
        text = Text("\n").join(self.lines)
        text.no_wrap = True
        return text
