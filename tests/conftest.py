"""What every test gets: a home and a lock of its own, so that no test meets the user's runs or another test."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point saved runs, the run lock and the current directory at folders of this test."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("IMGSTORE_TUI_HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))
    return home
