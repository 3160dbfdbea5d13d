"""Expands and completes paths as users write them."""

from __future__ import annotations

from pathlib import Path

from imgstore_tui.core.errors import UnavailableError, UsageError


def expand_path(text: str) -> Path:
    """Return a path with ``~`` or ``~USER`` at its beginning replaced by that home folder.

    Raises:
        UsageError: If there is no such user, or none has a home.
    """
    path = Path(text)
    try:
        return path.expanduser()
    except RuntimeError:
        message = f"'{path.parts[0]}' is nobody's home folder here. For a file or folder of that name write ./{path}"
        raise UsageError(message) from None


def absolute_path(path: Path) -> Path:
    """Return an absolute path.

    Raises:
        UnavailableError: If it is relative, and the current folder is gone.
    """
    return path if path.is_absolute() else current_folder() / path


def current_folder() -> Path:
    """Return the current folder of the process.

    Raises:
        UnavailableError: If it was removed, or cannot be reached any more.
    """
    try:
        return Path.cwd()
    except OSError as error:
        raise UnavailableError(f"The current folder is gone ({error.strerror}). Change to another (cd).") from None
