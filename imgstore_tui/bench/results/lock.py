"""Allows one run at a time on a machine: two at once would measure each other."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from pathlib import Path
from typing import Self

from imgstore_tui.bench.system.app_folders import LOCK_VARIABLE, lock_path
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.text import safe_text
from imgstore_tui.storekit.file_lock import try_lock

WAIT_S = 0.1
"""Seconds to wait for a process that holds the lock for an instant only."""

_HOLDERS = ("process ", "run ")
"""How the text in the lock file begins."""


class RunLock:
    """The lock of a machine; the kernel drops it when the holding process ends, however it ends."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or lock_path()
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._descriptor = self._open()
        except OSError as error:
            raise self._refusal(f"cannot be opened: {error.strerror}") from None
        try:
            self._hold()
        except BaseException:
            os.close(self._descriptor)
            raise
        self.set_holder(f"process {os.getpid()}")
        return self

    def _hold(self) -> None:
        if not _is_lock_file(self._descriptor):
            raise self._refusal("is no file of its own: a link, or something else than a file")
        deadline = time.monotonic() + WAIT_S
        while True:
            holder = _holder(self._descriptor)
            if holder and not holder.startswith(_HOLDERS):
                raise self._refusal("holds something else")
            try:
                if try_lock(self._descriptor):
                    return
            except OSError as error:
                raise self._refusal(f"cannot be locked: {error.strerror}") from None
            # A process that only tests the lock holds it for an instant.
            if time.monotonic() > deadline:
                raise UnavailableError(f"Another run is going on ({holder or 'unknown'}). Wait for it or stop it.")
            time.sleep(0.02)

    def _refusal(self, reason: str) -> UnavailableError:
        return UnavailableError(
            f"The lock file that keeps runs apart, {self._path}, {reason}. Remove it, or name another path in "
            f"{LOCK_VARIABLE}."
        )

    def _open(self) -> int:
        flags = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            # Existing first: in a sticky folder the kernel refuses O_CREAT on another user's file.
            return os.open(self._path, os.O_RDWR | flags)
        except FileNotFoundError:
            pass
        except PermissionError:
            return os.open(self._path, os.O_RDONLY | flags)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | flags, 0o666)
        except FileExistsError:  # another process was faster
            return os.open(self._path, os.O_RDWR | flags)
        os.fchmod(descriptor, 0o666)
        return descriptor

    def set_holder(self, text: str) -> None:
        """Write who holds the lock, for other processes; another user's file may not be writable."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode(), 0)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def running() -> str | None:
    """Return who holds the lock, e.g. ``run 20260102-030405-quick``; None if no run is being measured."""
    try:
        descriptor = os.open(lock_path(), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not _is_lock_file(descriptor):
            return None
        return None if try_lock(descriptor, shared=True) else _holder(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _is_lock_file(descriptor: int) -> bool:
    """Return whether a file may be written to: regular, and with no other name."""
    facts = os.fstat(descriptor)
    return stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1


def _holder(descriptor: int) -> str:
    return safe_text(os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip())
