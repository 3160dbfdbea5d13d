"""Seconds and keys that three users need on the screen: to a first number, to standings, to an answer, to a report."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from imgstore_tui.tui.themes import ANSI_DARK
from tests.walk.picture import write_picture
from tests.walk.terminal import NeverCame, Screen, Terminal

ALL_SIZES = ("80x24", "120x30", "130x36", "160x45")
STEPS = ("first number", "standings", "answer", "report")
_ANSWER = re.compile(r"(Take|Rather take) \S+( for \S+)?: |will do( so far)?: |Stay with your files")
_NUMBER = re.compile(r"\d(\.\d+)? ?(ms|µs|s)\b.*[┼┤]|[┼┤].*\d ?(ms|µs|s)\b|\d(ms|µs|s)┼")
_MOST_FEWER = 3
"""The most often that fewer images are asked for."""
_MOST_LINES = 20
"""A cursor that was moved so often has seen the list whole."""
_RUN_S = 400.0
"""The longest that a run may take."""


@dataclass(frozen=True)
class User:
    """Who sits at the screen, and what they do until their run begins."""

    name: str
    prepare: Callable[[Path], None]
    """Makes their data in the folder in which they start."""
    words: str = ""
    """What they write after the program's name."""


def write_thumbnails(folder: Path) -> None:
    """Write 2,000 JPEG pictures of 64x64 in ten classes."""
    chance = np.random.default_rng(0)
    for number in range(2000):
        place = folder / "thumbs" / f"class-{number % 10}"
        place.mkdir(parents=True, exist_ok=True)
        _picture(chance, 64, 64).save(place / f"{number:05}.jpg", quality=85)


def write_mixed_tree(folder: Path) -> None:
    """Write 60 pictures of several formats and sizes in folders by year, and a file that is none."""
    chance = np.random.default_rng(1)
    for number in range(60):
        place = folder / "archive" / f"20{20 + number % 3}" / "holidays"
        place.mkdir(parents=True, exist_ok=True)
        width, height = (int(side) for side in chance.integers(200, 700, 2))
        suffix = ("jpg", "png", "webp")[number % 3]
        _picture(chance, width, height).save(place / f"picture {number}.{suffix}")
    (folder / "archive" / "notes.txt").write_text("No picture.")


def _picture(chance: np.random.Generator, width: int, height: int) -> Image.Image:
    """Return clouds of colour: they compress about as photographs do."""
    coarse = chance.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    grown = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = chance.integers(-9, 10, grown.shape, dtype=np.int16)
    return Image.fromarray(np.clip(grown + grain, 0, 255).astype(np.uint8))


def _nothing(_: Path) -> None:
    """Bring no data: synthetic images will do."""


USERS = {
    user.name: user
    for user in (
        User("engineer", write_thumbnails, "-d folder:thumbs"),
        User("archivist", write_mixed_tree, "-d folder:archive"),
        User("lecturer", _nothing),
    )
}


@dataclass
class Stopwatch:
    """Seconds and keys since the program was started, with a picture of the screen at each step."""

    terminal: Terminal
    pictures: Path
    name: str
    """Of the user, in the names of the pictures."""
    began: float = field(default_factory=time.monotonic)
    keys: int = 0
    steps: dict[str, tuple[float, int]] = field(default_factory=dict)

    def note(self, step: str) -> None:
        """Note that a step is reached."""
        self.steps[step] = (time.monotonic() - self.began, self.terminal.keys - self.keys)
        self.picture(f"{len(self.steps)}-{step.replace(' ', '-')}")

    def picture(self, step: str) -> None:
        """Take a picture of what stands there."""
        columns, rows = self.terminal.columns, self.terminal.row_count
        path = self.pictures / f"{self.name}-{columns}x{rows}-{step}.svg"
        write_picture(path, self.terminal.at_rest(), columns, rows, ANSI_DARK)


def walk_as(user: User, size: str, pictures: Path) -> dict[str, tuple[float, int]]:
    """Return the seconds and keys of each step that a user reached.

    Args:
        user: The user.
        size: ``COLUMNSxROWS``.
        pictures: Where a picture of each step is written.

    Raises:
        NeverCame: If something that must be seen was not.
    """
    columns, rows = map(int, size.split("x"))
    with tempfile.TemporaryDirectory(prefix="walk-", ignore_cleanup_errors=True) as name:
        folder = Path(name, "here")
        folder.mkdir()
        user.prepare(folder)
        own = {"IMGSTORE_TUI_HOME": str(Path(name, "home")), "IMGSTORE_TUI_LOCK": str(Path(name, "lock"))}
        with Terminal(columns, rows, folder, Path(name), own) as terminal:
            terminal.write(f"imgstore-tui {user.words}".strip())
            terminal.press("Enter")
            watch = Stopwatch(terminal, pictures, user.name, keys=terminal.keys)
            terminal.until("r Run")
            watch.picture("0-start")
            _until_answered_in_time(terminal)
            terminal.press("r")
            terminal.until(lambda screen: _NUMBER.search(screen.text), "a number", seconds=120)
            watch.note("first number")
            _seen_in_verdict(terminal, lambda screen: "Standings" in screen or _answered(screen), "standings")
            watch.note("standings")
            _seen_in_verdict(terminal, _ended, "the end of the run")
            watch.picture("end")
            if _answered(terminal.at_rest()):
                watch.note("answer")
            terminal.press("e")
            terminal.until("Export")
            _point_at_html(terminal)
            terminal.press("Enter", "Enter")
            terminal.until("Saved")
            assert list(folder.glob("*.html")), "the report is written"
            watch.note("report")
            terminal.press("q")
            terminal.back_in_shell()
            return watch.steps


def _until_answered_in_time(terminal: Terminal) -> None:
    """Take the advice of the line above the keys: fewer images while the budget ends the run before an answer."""
    for _ in range(_MOST_FEWER):
        terminal.until(lambda screen: screen.find(r"an answer( in|:| needs)"), "when an answer comes", seconds=60)
        if "stops after" not in terminal.at_rest():
            return
        terminal.press("<")
        terminal.at_rest()


def _answered(screen: Screen) -> bool:
    return _ANSWER.search(" ".join(screen.text.split())) is not None


def _ended(screen: Screen) -> bool:
    return "trials kept" in screen and "removing its stores" not in screen


def _seen_in_verdict(terminal: Terminal, seen: Callable[[Screen], object], what: str) -> None:
    """Wait for something in the verdict; go there first where it is hidden."""
    if "5 Verdict ─" not in terminal.look().text:
        terminal.press("5")
    terminal.until(seen, what, seconds=_RUN_S)


def _point_at_html(terminal: Terminal) -> None:
    for _ in range(_MOST_LINES):
        screen = terminal.at_rest()
        if screen.lit(r"\[.\] html "):
            return
        terminal.press("Down")
        terminal.until(lambda now, before=screen: now != before, "another line of the list")  # type: ignore[misc]
    raise NeverCame("The cursor never came to html.")


def print_times(users: Sequence[str], sizes: Sequence[str], pictures: Path) -> int:
    """Print a row per user and size; return 1 if a walk failed, 3 if a run ended without an answer, else 0."""
    code = 0
    print(f"{'user':10} {'size':>7}  " + "  ".join(f"{step:>16}" for step in STEPS))
    for user in users:
        for size in sizes:
            try:
                steps = walk_as(USERS[user], size, pictures)
            except NeverCame as problem:
                sys.stderr.write(f"{user} {size}: {problem}\n")
                code = 1
                continue
            cells = [f"{seconds:.0f} s {keys:>2} keys" for seconds, keys in steps.values()]
            shown = dict(zip(steps, cells, strict=True))
            print(f"{user:10} {size:>7}  " + "  ".join(f"{shown.get(step, 'none'):>16}" for step in STEPS), flush=True)
            code = code or (0 if "answer" in steps else 3)
    return code
