"""Makes and removes the folder of a run in scratch: marked, locked while the run lives, found again after a crash."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.bench.system.app_folders import make_private, scratch_notes_folder
from imgstore_tui.bench.system.ext4_placement import spread_folders
from imgstore_tui.bench.system.mounts import mounts_below
from imgstore_tui.core.errors import StoreError, UnavailableError
from imgstore_tui.storekit.file_lock import lacks_locks, lock, try_lock
from imgstore_tui.storekit.safe_remove import Removal

SENTINEL = ".imgstore-tui-scratch"
"""Marks a folder as made by this program, lists what the run makes in it, and is locked while the run lives."""
WORKSPACE = "work"
"""Folder for what trials need beside their stores."""

BEGINNING_S = 60.0
"""Seconds after its note within which a run marks its folder."""
_HEAD = b"Made by imgstore-tui; remove it with: imgstore-tui sweep\n"
_LIST_BYTES = 64 << 10
"""Bytes reserved for the list, so that it can grow when the disk is full."""


class RunFolder:
    """The run's own folder: marked, locked while the run lives, and noted where the next start finds it.

    The kernel drops the lock when the process ends, however it ends; the note then tells where to sweep, and the list
    in the sentinel what may be removed.
    """

    def __init__(self, scratch: Path, run_id: str) -> None:
        """Make the folder and its workspace.

        Args:
            scratch: The folder in which to make it.
            run_id: The run; it names the folder.

        Raises:
            UnavailableError: If it cannot be made.
        """
        self.path = scratch / f"imgstore-tui-{run_id}"
        self.workspace = self.path / WORKSPACE
        self._note = scratch_notes_folder() / run_id
        self._held = -1
        """The note, if it is locked in place of the sentinel."""
        self.warning = ""
        """What the user should know of the folder, a sentence; empty where all is well."""
        try:
            make_private(self._note.parent)
            # Noted first: a folder without a note would never be found again.
            self._note.write_bytes(os.fsencode(self.path))
        except OSError as error:
            raise UnavailableError(f"Nothing can be saved in {self._note.parent}: {error.strerror}.") from None
        try:
            self.path.mkdir(mode=0o700)
            spread_folders(self.path)
            self._sentinel = os.open(self.path / SENTINEL, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._lock(scratch)
            os.posix_fallocate(self._sentinel, 0, _LIST_BYTES)
            self._end = os.pwrite(self._sentinel, _HEAD, 0)
            self.claim(WORKSPACE).mkdir()
        except OSError as error:
            raise UnavailableError(f"Scratch folder {self.path} cannot be made: {error.strerror}.") from None

    def _lock(self, scratch: Path) -> None:
        """Lock the sentinel; on a file system without locks, the note, which lies elsewhere."""
        try:
            lock(self._sentinel)
        except OSError as error:
            if not lacks_locks(error):
                raise
            self._held = os.open(self._note, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                lock(self._held)
            except OSError as second:
                raise OSError(second.errno, f"neither it nor {self._note} can be locked ({second.strerror})") from None
            self.warning = (
                f"The file system of {scratch} has no locks ({error.strerror}), so the run is marked as alive in "
                f"{self._note.parent}; another machine cannot see that it runs."
            )

    def claim(self, name: str) -> Path:
        """Add a name to the list of what the run makes in its folder, before it is made; return its path."""
        # A file system that does not take the list takes nothing else: what is made then fails with its own message.
        # Anything made nevertheless would be left and named, not removed.
        with contextlib.suppress(OSError):
            self._end += os.pwrite(self._sentinel, f"{name}\n".encode(), self._end)
        return self.path / name

    def pixel_cache(self, number: int) -> Path:
        """Return the folder of the pixel cache of the run's dataset 0, 1, ..."""
        return self.path / f"source-{number}"

    def remove(self, on_removed: Callable[[int], None] = lambda _: None) -> None:
        """Remove the folder, see ``remove_folder``; what cannot be removed stays noted for the next sweep."""
        try:
            remove_folder(self.path, on_removed)
            self._note.unlink(missing_ok=True)
        finally:
            os.close(self._sentinel)
            if self._held >= 0:
                os.close(self._held)


def remove_folder(folder: Path, on_removed: Callable[[int], None] = lambda _: None) -> None:
    """Remove a folder that ``RunFolder`` made: what its list names, and then the folder itself.

    Everything is opened by handle: no link is followed and no mount is crossed. What is not on the list is left, and
    then the folder is left, too.

    Args:
        folder: The folder.
        on_removed: Called now and then with the number of files removed; may raise to stop, which leaves the rest.

    Raises:
        StoreError: If something was left; it is named.
        OSError: If something cannot be removed.
    """
    foreign = StoreError(f"{folder} is not a scratch folder of this program and was left alone.")
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise foreign from None
    try:
        listed = _listed(handle)
        if listed is None:
            raise foreign
        mounted = mounts_below(folder)
        if mounted:
            raise StoreError(
                f"{folder} was not removed: another file system is mounted at {mounted[0].point}. Unmount it first."
            )
        removal = Removal(handle, on_removed)
        names = sorted(set(os.listdir(handle)) - {SENTINEL})  # noqa: PTH208 - by handle
        for name in names:
            if name in listed:
                removal.remove(name, handle, folder / name)
        left = [name for name in names if name not in listed]
        if left:
            raise StoreError(f"{folder / left[0]} was not made by a run and was left where it is.")
        os.unlink(SENTINEL, dir_fd=handle)
    finally:
        os.close(handle)
    with contextlib.suppress(FileNotFoundError):  # a search for leftovers removes an empty folder, too
        folder.rmdir()


def _listed(handle: int) -> set[str] | None:
    """Return the names on the list of a run's folder; None if it is not a run's folder."""
    try:
        sentinel = os.open(SENTINEL, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
    except OSError:
        return None
    with os.fdopen(sentinel, "rb") as stream:
        # A run that died while it began may have left it empty; reserved space reads as zeros.
        data = stream.read().rstrip(b"\0")
    if data and not data.startswith(_HEAD):
        return None
    return set(data.decode("utf-8", "replace").splitlines()[1:])


@dataclass(frozen=True, slots=True)
class Leftover:
    """A scratch folder whose run has died."""

    run_id: str
    path: Path


def leftovers() -> list[Leftover]:
    """Return the folders that dead runs have left; notes of folders that are gone are removed."""
    left = []
    notes = scratch_notes_folder()
    for note in sorted(path for path in notes.iterdir() if not path.suffix) if notes.is_dir() else []:
        with contextlib.suppress(FileNotFoundError):  # a run that ends just now removes folder and note
            path = Path(os.fsdecode(note.read_bytes()))
            if _is_left(path, note):
                left.append(Leftover(note.name, path))
    return left


def is_run_alive(run_id: str) -> bool:
    """Return whether a run is running: it holds its folder before it makes anything elsewhere."""
    try:
        note = scratch_notes_folder() / run_id
        return _locked(Path(os.fsdecode(note.read_bytes())) / SENTINEL, note)
    except OSError:
        return False


def _is_left(path: Path, note: Path) -> bool:
    """Return whether a folder exists and its run has died; the note of a folder that is gone is removed."""
    if not path.parent.is_dir():
        # A disk that is not mounted now may be mounted later.
        return False
    beginning = time.time() - note.stat().st_mtime <= BEGINNING_S
    if (path / SENTINEL).is_file():
        # Between making the sentinel and locking it, a run has written nothing into it; and one that removes its folder
        # lets go of the sentinel when it is gone. Hence the size is asked for before the lock, and the file after it.
        empty = not (path / SENTINEL).stat().st_size
        return not _locked(path / SENTINEL, note) and not (beginning and empty) and (path / SENTINEL).is_file()
    # A run that died between making the folder and marking it has left it empty, and so has one that is just beginning.
    if not beginning:
        with contextlib.suppress(OSError):
            path.rmdir()
        note.unlink(missing_ok=True)
    return False


def _locked(sentinel: Path, note: Path) -> bool:
    with _trying_lock(sentinel, note) as locked:
        return not locked


@contextlib.contextmanager
def _trying_lock(sentinel: Path, note: Path) -> Iterator[bool]:
    """Lock a sentinel, or its note where the file system has no locks, if no process holds it.

    Yields:
        Whether that worked; False if neither can be locked, so that nothing is taken from a run that may be alive.
    """
    descriptor, locked = -1, False
    try:
        for path in (sentinel, note):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                locked = try_lock(descriptor)
                break
            except OSError as error:
                os.close(descriptor)
                descriptor = -1
                if not lacks_locks(error):
                    raise
        yield locked
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def sweep(leftover: Leftover, on_removed: Callable[[int], None] = lambda _: None) -> None:
    """Remove the folder that a dead run has left.

    Args:
        leftover: The folder.
        on_removed: As for ``remove_folder``.

    Raises:
        StoreError: If not all in it was made by the run, a file system is mounted in it, or another process uses it.
        OSError: If something cannot be removed.
    """
    with _trying_lock(leftover.path / SENTINEL, scratch_notes_folder() / leftover.run_id) as locked:
        if not locked:
            raise StoreError(f"{leftover.path} is in use by another process of this program and was left alone.")
        remove_folder(leftover.path, on_removed)
    (scratch_notes_folder() / leftover.run_id).unlink(missing_ok=True)
