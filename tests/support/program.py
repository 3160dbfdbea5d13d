"""Runs the program as a user does, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

SMALL_RUN = ["run", "-b", "disk,lmdb", "-n", "1,50", "-d", "synthetic,size=16", "--rounds", "3", "--quiet"]
"""Arguments of a run that takes a few seconds."""
SHORT_RUN = [*SMALL_RUN, "--rounds", "1"]
"""Arguments of a run of 18 trials, which still goes on when the first ones are in its journal."""


def program(*words: str, timeout: float = 120, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run ``imgstore-tui WORDS`` and return what it printed and how it ended."""
    import os

    return subprocess.run(
        [sys.executable, "-m", "imgstore_tui", *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout,
        check=False,
        env={**os.environ, **settings},
    )


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a refusal prints, having made sure that it is one and no traceback."""
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("imgstore-tui: ")
    return lines[0].removeprefix("imgstore-tui: ")
