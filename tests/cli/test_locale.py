"""A terminal of the locale C gets ASCII; data that is written for programs stays as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from imgstore_tui.present.text.ascii import only_ascii
from imgstore_tui.testing.fake_runs import fake_run
from tests.support.saved_runs import save_journal

_PLAIN = {"LANG", "LC_ALL", "LC_CTYPE", "PYTHONUTF8", "PYTHONIOENCODING"}


def printed(*words: str, **settings: str) -> bytes:
    """Return what the program prints in a locale, on both streams."""
    environment = {name: value for name, value in os.environ.items() if name not in _PLAIN} | settings
    done = subprocess.run(
        [sys.executable, "-m", "imgstore_tui", *words], capture_output=True, check=True, env=environment
    )
    return done.stdout + done.stderr


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("words", [["show", "last", "all"], ["backends"], ["doctor"], ["runs"], ["show", "last"]])
def test_nothing_beyond_ascii_is_printed_in_the_locale_c(words: list[str]) -> None:
    save_journal(fake_run(rounds=3))
    assert printed(*words, LANG="C").isascii()


def test_the_same_is_drawn_with_lines_elsewhere_and_json_is_the_same_everywhere() -> None:
    save_journal(fake_run(rounds=3))
    drawn, plain = printed("show", "last", LC_ALL="C.UTF-8").decode(), printed("show", "last", LC_ALL="C").decode()
    assert "●" in drawn
    assert "µs" in drawn
    assert [len(line) for line in drawn.splitlines()] == [len(line) for line in plain.splitlines()]
    assert printed("runs", "--json", LANG="C") == printed("runs", "--json", LANG="C.UTF-8")
    assert json.loads(printed("datasets", "--json", LANG="C"))


@pytest.mark.parametrize(
    ("encoding", "environment", "utf8_mode", "plain"),
    [
        ("utf-8", {"LANG": "en_GB.UTF-8"}, False, False),
        ("utf-8", {}, True, False),
        ("utf-8", {"LANG": "C"}, True, True),
        ("utf-8", {"LANG": "POSIX"}, True, True),
        ("utf-8", {"LANG": "C.UTF-8", "LC_ALL": "C"}, True, True),
        ("utf-8", {"LANG": "C", "LC_ALL": "C.UTF-8"}, False, False),
        ("utf-8", {"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False, False),
        ("utf-8", {"LANG": "C", "PYTHONUTF8": "1"}, True, False),
        ("ascii", {"LANG": "en_GB.UTF-8"}, False, True),
        (None, {}, False, True),
    ],
)
def test_where_only_ascii_shows(
    encoding: str | None, environment: dict[str, str], utf8_mode: bool, plain: bool
) -> None:
    assert only_ascii(encoding, environment, utf8_mode=utf8_mode) is plain
