"""Paths as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.paths import absolute_path, current_folder, expand_path


def test_a_home_folder_is_found_and_one_of_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert expand_path("~/photos") == Path("/home/somebody/photos")
    assert expand_path("photos/~") == Path("photos/~")
    with pytest.raises(UsageError, match=r"'~nobody-at-all' is nobody's home.*write \./~nobody-at-all/x"):
        expand_path("~nobody-at-all/x")


def test_a_current_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    assert absolute_path(Path("x")) == current_folder() / "x"
    gone.rmdir()
    for ask in (current_folder, lambda: absolute_path(Path("x"))):
        with pytest.raises(UnavailableError, match="current folder is gone"):
            ask()
    assert absolute_path(Path("/x")) == Path("/x")
