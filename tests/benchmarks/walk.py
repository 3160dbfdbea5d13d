"""The whole program at a real terminal: ``python -m tests.benchmarks.walk [--size 80x24] [--out DIR]``.

Starts the program in tmux as anybody would, with a fresh home, and presses the keys of every step: choose three
backends and four numbers of images, run, watch, open a cell, step through charts and axes, sort and filter the tables,
export every format, quit, start again, open the run, resume one that was killed. Each step waits for what must be seen
and fails without it. A picture of each, colours included, is written as SVG, and as PNG where ``rsvg-convert`` is.

``--readme`` puts the pictures of the same names into ``tests/pictures``, from where README shows them.

``--times`` walks as three users would, at four sizes, and prints the seconds and keys from the start of the program to
the first number, to the standings, to the answer, and to an exported report, with a picture of each. It takes a minute
and more each.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.tui.themes import ANSI_DARK, ANSI_LIGHT
from tests.walk.steps import CHAPTERS
from tests.walk.terminal import NeverCame, Terminal, missing_tools
from tests.walk.times import ALL_SIZES, USERS, print_times
from tests.walk.walker import Walker

SIZES = ("80x24", "160x45")
README_PICTURES = Path(__file__).parents[1] / "pictures"


def walk(size: str, pictures: Path, program: str, *, light: bool) -> list[Path]:
    """Walk through everything at one size; return the pictures.

    Args:
        size: ``COLUMNSxROWS``.
        pictures: Where pictures are written.
        program: The command that starts the program.
        light: Whether the terminal's own colours are those of a light one.

    Raises:
        NeverCame: If a step did not do what it must.
    """
    columns, rows = map(int, size.split("x"))
    with tempfile.TemporaryDirectory(prefix="walk-", ignore_cleanup_errors=True) as name:
        folder = Path(name, "here")
        folder.mkdir()
        own = {"IMGSTORE_TUI_HOME": str(Path(name, "home")), "IMGSTORE_TUI_LOCK": str(Path(name, "lock"))}
        with Terminal(columns, rows, folder, Path(name), own) as terminal:
            walker = Walker(terminal, folder, pictures, ANSI_LIGHT if light else ANSI_DARK, program)
            for chapter in CHAPTERS.values():
                chapter(walker)
            return walker.taken


def refresh(taken: Sequence[Path]) -> None:
    """Put pictures in the place of those that have the same name in the README's folder."""
    for path in taken:
        old = README_PICTURES / path.name.partition("-")[2]
        if old.exists():
            shutil.copyfile(path, old)


def main(arguments: Sequence[str] | None = None) -> int:
    """Walk at every size asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.walk", description=__doc__.split("\n")[0])
    parser.add_argument("--size", action="append", metavar="COLUMNSxROWS", help=f"default: {' and '.join(SIZES)}")
    parser.add_argument(
        "--out", type=Path, default=Path("walk"), metavar="DIR", help="where pictures go (default: walk)"
    )
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="what the program is told")
    parser.add_argument("--light", action="store_true", help="draw the terminal's own colours as a light one has them")
    parser.add_argument("--readme", action="store_true", help="put the README's pictures in their place, too")
    parser.add_argument("words", nargs="*", help="words for the program, after --")
    parser.add_argument("--times", action="store_true", help="walk as three users, and print their times and keys")
    parser.add_argument("--user", action="append", choices=sorted(USERS), help="with --times: only this one")
    words = parser.parse_args(arguments)
    if problem := missing_tools():
        parser.exit(3, f"{problem}\n")
    words.out.mkdir(parents=True, exist_ok=True)
    if words.times:
        return print_times(words.user or sorted(USERS), words.size or ALL_SIZES, words.out)
    program = shlex.join(
        ["env", *words.env, "imgstore-tui", *words.words] if words.env else ["imgstore-tui", *words.words]
    )
    for size in words.size or SIZES:
        try:
            taken = walk(size, words.out, program, light=words.light)
        except NeverCame as problem:
            sys.stderr.write(f"{size}: {problem}\n")
            return 1
        print(f"{size}: {len(taken)} steps went as they must; their pictures are in {words.out}")
        if words.readme:
            refresh(taken)
    return 0


if __name__ == "__main__":
    sys.exit(main())
