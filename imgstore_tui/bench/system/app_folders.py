"""Locates the program's own folders and files: saved runs, plans, the last choice, scratch notes, the run lock."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs

HOME_VARIABLE = "IMGSTORE_TUI_HOME"
LOCK_VARIABLE = "IMGSTORE_TUI_LOCK"
LOCK_NAME = "imgstore-tui.lock"
SHARED = Path("/tmp")  # noqa: S108 - the one folder in which all users of a machine may make a file


def home_folder() -> Path:
    """Return the folder of all that the program keeps: ``IMGSTORE_TUI_HOME`` if set, else in the user's data."""
    home = os.environ.get(HOME_VARIABLE)
    return Path(home) if home else platformdirs.user_data_path("imgstore-tui", appauthor=False)


def runs_folder() -> Path:
    """Return the folder of saved runs."""
    return home_folder() / "runs"


def plans_folder() -> Path:
    """Return the folder of the user's named plans."""
    return home_folder() / "plans"


def last_choice_file() -> Path:
    """Return the file that holds what was chosen last on the screen."""
    return home_folder() / "last-choice.json"


def scratch_notes_folder() -> Path:
    """Return the folder of notes on where runs have made their scratch folders."""
    return home_folder() / "scratch"


def lock_path() -> Path:
    """Return the lock of this machine: one path whatever ``TMPDIR`` says, or ``IMGSTORE_TUI_LOCK`` if set."""
    path = os.environ.get(LOCK_VARIABLE)
    if path:
        return Path(path)
    return (SHARED if SHARED.is_dir() else Path(tempfile.gettempdir())) / LOCK_NAME
