"""Who walks: presses keys, waits for what must be seen, and takes a picture of every step."""

from __future__ import annotations

import difflib
import re
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rich.terminal_theme import TerminalTheme

from tests.walk.picture import write_picture
from tests.walk.terminal import NeverCame, Screen, Terminal

MOST_LINES = 60
"""A cursor that was moved so often has seen every list whole."""
WIDE, TALL = 120, 36
"""Columns and rows from which on all panes are seen at once."""


def differs(before: Screen, now: Screen) -> bool:
    """Whether anything is drawn otherwise than before."""
    return before != now


@dataclass
class Walker:
    """One walk at one size."""

    terminal: Terminal
    folder: Path
    """Where the shell is, and with it the stores and the exported files."""
    pictures: Path
    theme: TerminalTheme
    program: str = "imgstore-tui"
    """The command, with its environment and its words."""
    taken: list[Path] = field(default_factory=list)

    @property
    def size(self) -> str:
        return f"{self.terminal.columns}x{self.terminal.row_count}"

    @property
    def all_at_once(self) -> bool:
        """Whether all panes are seen at once."""
        return self.terminal.columns >= WIDE and self.terminal.row_count >= TALL

    def picture(self, name: str) -> Screen:
        """Take a picture of what stands there now; return that."""
        screen = self.terminal.at_rest()
        path = self.pictures / f"{len(self.taken) + 1:02}-{name}-{self.size}.svg"
        write_picture(path, screen, self.terminal.columns, self.terminal.row_count, self.theme)
        self.taken.append(path)
        sys.stderr.write(f"{path}\n")
        return screen

    # The program

    def start(self) -> None:
        """Start the program as one does, and wait until it can be told something."""
        self.terminal.write(self.program)
        self.terminal.press("Enter")
        self.terminal.until("Press r to run")

    def press_until(self, key: str, seen: str, *, seconds: float = 30) -> Screen:
        """Press a key and wait for what it does."""
        self.terminal.press(key)
        return self.terminal.until(seen, seconds=seconds)

    def close(self, words: str) -> None:
        """Leave what lies over the workbench, which shows these words."""
        self.terminal.press("Escape")
        self.gone(words)

    def gone(self, words: str, seconds: float = 30) -> Screen:
        """Wait until words are not seen any more."""
        return self.terminal.until(lambda screen: words not in screen, f"the end of {words!r}", seconds=seconds)

    def move(self, key: str, times: int = 1) -> None:
        """Take the keys elsewhere, as often as told; each time another frame is lit."""
        for _ in range(times):
            before = self.terminal.at_rest()
            self.terminal.press(key)
            self.terminal.until(partial(differs, before), f"the frame that {key} lights")

    def point_at(self, pattern: str, *, back: bool = False) -> None:
        """Bring the cursor of the list that has the keys to the row that matches."""
        for _ in range(MOST_LINES):
            screen = self.terminal.at_rest()
            if screen.lit(pattern):
                return
            self.terminal.press("Up" if back else "Down")
        raise NeverCame(f"The cursor never came to {pattern!r}. There stands:\n{screen.text}")

    def tick(self, label: str) -> None:
        """Tick an entry of the list that has the keys."""
        entry = rf"(. )?{re.escape(label)} "
        self.point_at(rf"\[.\] {entry}")
        self.terminal.press("Space")
        self.terminal.until(lambda screen: screen.find(rf"\[x\] {entry}"), f"the tick at {label}")

    def turn(self, key: str, name: str) -> None:
        """Press a key that changes the picture and, pressed again, leaves it exactly as it was."""
        before = self.terminal.at_rest()
        self.terminal.press(key)
        self.terminal.until(lambda screen: screen.text != before.text, f"what {key} changes")
        self.picture(name)
        self.terminal.press(key)
        try:
            self.terminal.until(lambda screen: screen.text == before.text, f"the picture before {key}")
        except NeverCame as problem:
            now = self.terminal.at_rest().text.splitlines()
            changed = "\n".join(difflib.unified_diff(before.text.splitlines(), now, "before", "now", "", "", 0, ""))
            raise NeverCame(f"{problem}\nWhat is not as before:\n{changed}") from None

    def all_of(self, key: str, name: str) -> int:
        """Step through everything that a key steps through, with a picture of each; return how many there are."""
        counter = rf"(\d+) of (\d+), {key}: next"
        match = self.terminal.until(lambda screen: screen.find(counter), f"'1 of n, {key}: next'").find(counter)
        assert match is not None
        first, count = int(match[1]), int(match[2])
        for step in range(count):
            here = (first - 1 + step) % count + 1
            self.terminal.until(f"{here} of {count}, {key}: next")
            self.picture(f"{name}-{here}")
            self.terminal.press(key)
        self.terminal.until(f"{first} of {count}, {key}: next")
        return count

    def reached(self, percent: int, seconds: float = 300) -> None:
        """Wait until the run is so far."""

        def far_enough(screen: Screen) -> bool:
            match = screen.find(r"(\d+)%  \d")
            return match is not None and int(match[1]) >= percent

        self.terminal.until(far_enough, f"{percent} % of the run", seconds=seconds)
