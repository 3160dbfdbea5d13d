"""One run at a time on a machine: two at once would measure each other."""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import Self

from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.text import safe_text

LOCK_NAME = "imgstore-tui.lock"


class RunLock:
    """A lock that the kernel drops when its holder dies, however it dies."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or Path(tempfile.gettempdir()) / LOCK_NAME
        self._descriptor = -1

    def __enter__(self) -> Self:
        self._descriptor = self._open()
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = safe_text(os.read(self._descriptor, 200).decode("utf-8", "replace").strip())
            os.close(self._descriptor)
            raise UnavailableError(
                f"Another run is going on ({holder or 'unknown'}). Wait for it or stop it."
            ) from None
        os.ftruncate(self._descriptor, 0)
        self.name(f"process {os.getpid()}")
        return self

    def _open(self) -> int:
        try:
            # Existing first: in a sticky folder the kernel refuses O_CREAT on another user's file.
            return os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            pass
        except PermissionError:
            return os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        os.fchmod(descriptor, 0o666)
        return descriptor

    def name(self, text: str) -> None:
        """Say who holds the lock, for the one who is refused."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode(), 0)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def running() -> str | None:
    """Return who holds the lock, e.g. ``run 20260102-030405-quick``; None if nobody measures."""
    try:
        descriptor = os.open(Path(tempfile.gettempdir()) / LOCK_NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return safe_text(os.read(descriptor, 200).decode("utf-8", "replace").strip())
    finally:
        os.close(descriptor)
    return None
