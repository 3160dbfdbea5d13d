"""A terminal of a given size with a shell in it, kept by tmux: keys go in, what stands on it comes out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.text import Text

PROMPTS = ("$", "#")
"""How a shell's last line ends when it waits: a user's, or root's."""
SHELL = "sh"
_CONFIGURATION = """\
set -g status off
set -g default-terminal tmux-256color
set -s escape-time 0
set -s set-clipboard on
set -g remain-on-exit on
"""
_LOOK_S, _REST_S = 0.05, 0.2
_CONSOLE = Console()
_FRAMES = "│|"


class NeverCame(AssertionError):
    """What was to be seen was not, within its time."""


@dataclass(frozen=True)
class Screen:
    """What stood on the terminal at one moment."""

    codes: str
    """As tmux tells it: a line a row, with its colour codes."""

    @cached_property
    def rows(self) -> tuple[Text, ...]:
        """Each row with its styles; those go on from one row to the next."""
        return tuple(AnsiDecoder().decode(self.codes))

    @cached_property
    def text(self) -> str:
        """The characters alone."""
        return "\n".join(row.plain.rstrip() for row in self.rows)

    def __contains__(self, words: str) -> bool:
        return words in self.text

    def find(self, pattern: str) -> re.Match[str] | None:
        """Return where a regular expression first matches."""
        return re.search(pattern, self.text)

    def lit(self, pattern: str) -> bool:
        """Whether the cursor of a list is on the row that matches: it is drawn on another ground than its frame."""
        for row in self.rows:
            match = re.search(pattern, row.plain)
            frame = -1 if match is None else max(row.plain.rfind(sign, 0, match.start()) for sign in _FRAMES)
            if match is not None and frame >= 0 and self._ground(row, match.start()) != self._ground(row, frame):
                return True
        return False

    @staticmethod
    def _ground(row: Text, place: int) -> tuple[object, bool]:
        style = row.get_style_at_offset(_CONSOLE, place)
        return style.bgcolor, bool(style.reverse)


class Terminal:
    """A shell in a window of tmux, of a server of its own. A context manager: at its end nothing of it is left."""

    def __init__(self, columns: int, rows: int, folder: Path, own: Path, environment: Mapping[str, str]) -> None:
        """Open the terminal.

        Args:
            columns: Its width.
            rows: Its height.
            folder: Where the shell is.
            own: Where the server keeps its socket and its settings.
            environment: What the shell is told beside PATH, HOME and the language.
        """
        self.columns, self.row_count = columns, rows
        self.keys = 0
        """How many keys were pressed."""
        self._socket, settings = own / "tmux", own / "tmux.conf"
        settings.write_text(_CONFIGURATION)
        # Nothing of ours but this reaches the program: it is to start as it does for anybody.
        told = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(own),
            "LANG": "C.UTF-8",
            "COLORTERM": "truecolor",
            **environment,
        }
        self._environment, self._folder = told, folder
        words = [
            "-f",
            str(settings),
            "new-session",
            "-d",
            "-x",
            str(columns),
            "-y",
            str(rows),
            "-c",
            str(folder),
            SHELL,
        ]
        subprocess.run([*self._tmux, *words], check=True, env=told, cwd=folder)

    @property
    def _tmux(self) -> list[str]:
        return ["tmux", "-S", str(self._socket)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ask("kill-server", check=False)

    def _ask(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            [*self._tmux, *words], check=check, capture_output=True, env=self._environment, cwd=self._folder
        )
        return done.stdout.decode()

    def press(self, *keys: str) -> None:
        """Press keys, each by the name that tmux has for it: ``a``, ``Enter``, ``Escape``, ``Tab``, ``Down``."""
        for key in keys:
            self.keys += 1
            self._ask("send-keys", key)

    def write(self, words: str) -> None:
        """Write words, letter by letter."""
        self.keys += len(words)
        self._ask("send-keys", "-l", "--", words)

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self.columns, self.row_count = columns, rows
        self._ask("resize-window", "-x", str(columns), "-y", str(rows))

    def look(self) -> Screen:
        """Return what stands on the terminal."""
        return Screen(self._ask("capture-pane", "-p", "-e", "-N"))

    def at_rest(self, seconds: float = 2.0) -> Screen:
        """Return what stands on the terminal once two looks see the same, or after so many seconds."""
        deadline, before = time.monotonic() + seconds, self.look()
        while time.monotonic() < deadline:
            time.sleep(_REST_S)
            now = self.look()
            if now == before:
                break
            before = now
        return before

    def until(self, seen: str | Callable[[Screen], object], what: str = "", *, seconds: float = 30) -> Screen:
        """Wait until something is to be seen.

        Args:
            seen: Words, or a question to what stands on the terminal.
            what: Says what is waited for where that is a question.
            seconds: How long to wait.

        Raises:
            NeverCame: With what stands there in its place.
        """
        deadline = time.monotonic() + seconds
        asked: Callable[[Screen], object] = (lambda screen: seen in screen) if isinstance(seen, str) else seen
        while True:
            screen = self.look()
            if asked(screen):
                return screen
            if time.monotonic() > deadline:
                wanted = repr(seen) if isinstance(seen, str) else what
                raise NeverCame(f"{wanted} did not come within {seconds:g} s. There stands:\n{screen.text}")
            time.sleep(_LOOK_S)

    def clipboard(self) -> str:
        """Return what the program last sent to the clipboard: tmux keeps it as a buffer of its own."""
        return self._ask("show-buffer", check=False)

    def children(self) -> Sequence[int]:
        """Return the processes that the shell has started."""
        shell = int(self._ask("display-message", "-p", "#{pane_pid}"))
        return [int(pid) for pid in Path(f"/proc/{shell}/task/{shell}/children").read_text().split()]

    def another_shell(self) -> None:
        """End whatever there is and start the shell anew, as one opens another window."""
        self._ask("respawn-pane", "-k", "-c", str(self._folder), SHELL)
        self._ask("clear-history")
        self.until(lambda screen: screen.text.strip() in PROMPTS, "the prompt of the shell")

    def back_in_shell(self) -> None:
        """Wait until the program has left the terminal to the shell."""
        self.until(lambda screen: screen.text.rstrip().endswith(PROMPTS), "the prompt of the shell")


def missing_tools() -> str:
    """Return what is needed and is not there, in a sentence; empty where all is."""
    if shutil.which("tmux") is None:
        return "The walk needs tmux: apt-get install tmux."
    if not Path(sys.executable).with_name("imgstore-tui").exists():
        return "The walk needs the program installed where this Python is: pip install -e ."
    return ""
