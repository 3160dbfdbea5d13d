"""Locates the program's own folders and files: saved runs, plans, the last choice, scratch notes, the run lock."""

from __future__ import annotations

import contextlib
import os
import stat
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


def make_private(folder: Path) -> None:
    """Make a folder of the program's own that only its user can enter: what was measured names paths and machines.

    One of an earlier version that others can enter is closed to them; a home that the user has named stays as it is.

    Args:
        folder: The home, or a folder in it.

    Raises:
        OSError: If it cannot be made.
    """
    home = home_folder()
    for part in [*(parent for parent in reversed(folder.parents) if parent.is_relative_to(home)), folder]:
        try:
            part.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            if not part.is_dir():
                raise
            if part != home or not os.environ.get(HOME_VARIABLE):
                _close_to_others(part)


def _close_to_others(folder: Path) -> None:
    facts = folder.lstat()
    if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and facts.st_mode & 0o077:
        with contextlib.suppress(OSError):  # a file system without modes, or one that became read-only
            folder.chmod(stat.S_IMODE(facts.st_mode) & ~0o077)


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
