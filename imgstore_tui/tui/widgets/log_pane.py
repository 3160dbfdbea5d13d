"""The live log: a line for everything that happened, as the command line would print it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.text import Text
from textual.widgets import RichLog

MAX_LINES = 5_000
"""Older lines are dropped; the journal has everything."""


class LogPane(RichLog):
    """Lines with the time of day; long ones are folded to the width there is."""

    BORDER_TITLE = "4 Log"

    def __init__(self) -> None:
        super().__init__(max_lines=MAX_LINES, wrap=True, markup=False, highlight=False, min_width=20)

    def say(self, lines: Iterable[Text]) -> None:
        """Add lines at once: many in one repaint cost little more than one."""
        clock = datetime.now().astimezone().strftime("%H:%M:%S ")
        text = Text("\n").join(Text.assemble((clock, "dim"), line) for line in lines)
        if text:
            self.write(text)
