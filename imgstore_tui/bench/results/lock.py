"""Allows one run at a time on a machine: two at once would measure each other."""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from imgstore_tui.bench.system.app_folders import LOCK_VARIABLE, lock_path, runs_folder
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.text import safe_text
from imgstore_tui.storekit.file_lock import try_lock

WAIT_S = 0.1
"""Seconds to wait for a process that holds the lock for an instant only."""

_PROCESS, _RUN = "process ", "run "
_HOLDERS = (_PROCESS, _RUN)
"""How a line of the lock file begins; the first says who holds it, the second in which process."""


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
                raise UnavailableError(_other_run(self._descriptor))
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
        lines = dict.fromkeys((text, f"{_PROCESS}{os.getpid()}"))
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, "\n".join(lines).encode(), 0)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def running() -> str | None:
    """Return who holds the lock, e.g. ``run 20260102-030405-quick``; None if no run is being measured."""
    with _held_lock() as descriptor:
        return None if descriptor is None else _holder(descriptor)


def other_run_text() -> str:
    """Return that another run is going on, whose it is, and how to watch and to stop it; empty if none is."""
    with _held_lock() as descriptor:
        return "" if descriptor is None else _other_run(descriptor)


@contextlib.contextmanager
def _held_lock() -> Iterator[int | None]:
    """Yield a descriptor of the lock file if some process holds the lock, else None."""
    try:
        descriptor = os.open(lock_path(), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    try:
        held = False
        with contextlib.suppress(OSError):
            held = _is_lock_file(descriptor) and not try_lock(descriptor, shared=True)
        yield descriptor if held else None
    finally:
        os.close(descriptor)


def _other_run(descriptor: int) -> str:
    """Return which run holds the lock, in whose process, since when, and how to watch and to stop it."""
    holder, process = _holder(descriptor), _process(descriptor)
    facts = [part for part in (holder or "unknown", process and process[0]) if part]
    if process is not None and holder.startswith(_PROCESS):
        facts.remove(holder)
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(os.fstat(descriptor).st_mtime))
    ways = ["Wait for it"]
    run_id = holder.removeprefix(_RUN)
    if run_id != holder and os.access(runs_folder() / f"{run_id}.jsonl", os.R_OK):
        ways.append(f"watch it (imgstore-tui show {run_id} --follow)")
    stop = f", which keeps its results (kill {process[1]})" if process is not None and process[1] else ""
    return (
        f"Another run is going on ({', '.join(facts)}, since {since}). {', '.join(ways)} or stop it{stop}. "
        "More: imgstore-tui help sweep."
    )


def _process(descriptor: int) -> tuple[str, int] | None:
    """Return the process that holds the lock with its user, and its number if this user may end it, else 0.

    The file may be written by every user: of a process that can be looked at, only one that has it open is named.
    """
    lines = [line for line in _lines(descriptor) if line.startswith(_PROCESS)]
    number = lines[-1].removeprefix(_PROCESS) if lines else ""
    if not (number.isascii() and number.isdigit()):
        return None
    folder, file = Path("/proc") / number, os.fstat(descriptor)
    try:
        user = folder.stat().st_uid
    except OSError:
        return None
    may_end = False
    try:
        for entry in (folder / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                may_end = may_end or os.path.samestat(entry.stat(), file)
        if not may_end:
            return None
    except PermissionError:  # another user's
        pass
    except OSError:
        return None
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    return f"{_PROCESS}{number} of the user {safe_text(name)}", int(number) if may_end else 0


def _is_lock_file(descriptor: int) -> bool:
    """Return whether a file may be written to: regular, and with no other name."""
    facts = os.fstat(descriptor)
    return stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1


def _holder(descriptor: int) -> str:
    return next(iter(_lines(descriptor)), "")


def _lines(descriptor: int) -> list[str]:
    text = os.pread(descriptor, 400, 0).decode("utf-8", "replace").strip()
    return [safe_text(line.strip()) for line in text.splitlines()]
