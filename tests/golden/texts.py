"""Runs commands in this process and compares what they print with the files in ``expected``.

``IMGSTORE_TUI_GOLDEN=write`` writes the files instead; the difference is then read in the commit.
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imgstore_tui.__main__ import main

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"
FIXTURES = HERE / "fixtures"
SHOWN_LINES = 60

QUICK = "20261127-141235-custom"
ARTICLE = "20261127-141240-article"
FAILURES = "20261127-141441-nightly"
RUNS = (QUICK, ARTICLE, FAILURES)


def same(text: str) -> str:
    return text


def as_words(text: str) -> str:
    """Return a help text without what differs between Python versions: wrapping, and how forms of an option stand."""
    text = re.sub(r"(-\w) [A-Z][A-Z ./\[\]]*, (--)", r"\1, \2", text)
    return " ".join(text.split())


def check(name: str, text: str, *, key: Callable[[str], str] = same) -> None:
    """Compare a text with the file ``expected/NAME``, or write that file.

    Args:
        name: The file's name.
        text: The text of now.
        key: What of both texts is compared.
    """
    path = EXPECTED / name
    if os.environ.get("IMGSTORE_TUI_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return
    expected = path.read_bytes().decode()
    if key(text) == key(expected):
        return
    lines = difflib.unified_diff(expected.splitlines(), text.splitlines(), f"expected/{name}", "now", lineterm="", n=1)
    pytest.fail("\n".join([*lines][:SHOWN_LINES]) or f"{name} differs in its line ends", pytrace=False)


def printed(
    capture: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[str, str, int]:
    """Return what ``imgstore-tui ARGUMENTS`` writes to standard output and standard error, and its exit code."""
    monkeypatch.setattr(sys, "argv", ["imgstore-tui", *arguments])
    capture.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capture.readouterr()
    return out.decode(), err.decode(), int(ended.value.code or 0)


def transcript(
    capture: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, *arguments: str, hide: str = ""
) -> str:
    """Return a command, its exit code and all it prints as one text; ``hide`` becomes ``HOME``."""
    out, err, code = printed(capture, monkeypatch, *arguments)
    text = f"$ imgstore-tui {' '.join(arguments)}\nexit {code}\n-- stdout\n{out}-- stderr\n{err}"
    return text.replace(hide, "HOME") if hide else text


def save_runs(home: Path) -> None:
    """Put the saved runs into the program's own folder."""
    (home / "runs").mkdir(parents=True, exist_ok=True)
    for run in RUNS:
        shutil.copy(FIXTURES / "runs" / f"{run}.jsonl", home / "runs")
