"""One run at a time on a machine: two at once would measure each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from pathlib import Path
from typing import Self

from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.text import safe_text

LOCK_NAME = "imgstore-tui.lock"
LOCK_VARIABLE = "IMGSTORE_TUI_LOCK"
SHARED = Path("/tmp")  # noqa: S108 - the one place where all users of a machine may make a file
PATIENCE_S = 0.1


def lock_path() -> Path:
    """Return where the lock of this machine lies: one place whatever ``TMPDIR`` says, or ``IMGSTORE_TUI_LOCK``."""
    given = os.environ.get(LOCK_VARIABLE)
    if given:
        return Path(given)
    return (SHARED if SHARED.is_dir() else Path(tempfile.gettempdir())) / LOCK_NAME


class RunLock:
    """A lock that the kernel drops when its holder dies, however it dies."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or lock_path()
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._descriptor = self._open()
        except OSError as error:
            raise UnavailableError(
                f"The lock file that keeps runs apart, {self._path}, cannot be opened: {error.strerror}. Remove what "
                f"is there, or name another place in {LOCK_VARIABLE}."
            ) from None
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Whoever only looks holds the lock for an instant.
                if time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                holder = safe_text(os.read(self._descriptor, 200).decode("utf-8", "replace").strip())
                os.close(self._descriptor)
                raise UnavailableError(
                    f"Another run is going on ({holder or 'unknown'}). Wait for it or stop it."
                ) from None
            break
        self.name(f"process {os.getpid()}")
        return self

    def _open(self) -> int:
        try:
            # Existing first: in a sticky folder the kernel refuses O_CREAT on another user's file.
            return os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            pass
        except PermissionError:
            return os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        os.fchmod(descriptor, 0o666)
        return descriptor

    def name(self, text: str) -> None:
        """Say who holds the lock, for the one who is refused; where the file is another user's, that is not to be."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode(), 0)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def running() -> str | None:
    """Return who holds the lock, e.g. ``run 20260102-030405-quick``; None if nobody measures."""
    try:
        descriptor = os.open(lock_path(), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return safe_text(os.read(descriptor, 200).decode("utf-8", "replace").strip())
    finally:
        os.close(descriptor)
    return None
