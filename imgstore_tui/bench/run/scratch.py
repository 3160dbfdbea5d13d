"""Where stores are made: a folder of ours, never in the user's data or around it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.bench.system.app_folders import scratch_notes_folder
from imgstore_tui.bench.system.ext4_placement import spread_folders
from imgstore_tui.bench.system.mounts import is_inside, mounts_below
from imgstore_tui.core.errors import StoreError, UnavailableError, UsageError
from imgstore_tui.core.paths import current_folder, expand_path
from imgstore_tui.storekit.safe_remove import Removal

SENTINEL = ".imgstore-tui-scratch"
"""Marks a folder as made by this program, lists what the run makes in it, and is locked while the run lives."""
WORKSPACE = "work"
"""What trials need beside their stores."""

BEGINNING_S = 60.0
"""A run has marked its folder that soon after it has made a note of it."""
_HEAD = b"Made by imgstore-tui; remove it with: imgstore-tui sweep\n"
_ROOM = 64 << 10
"""Bytes held for the list, so that it can grow when the disk is full."""


def choose_scratch(wanted: str | None, data_roots: Sequence[Path], before: str | None = None) -> Path:
    """Return the folder in which to make the run's own folder.

    Without a wish: the current directory, unless it lies in the data or cannot be written; then the folder beside
    the data, on its device; then the system's place for temporary files. A wish is taken at its word, so a folder
    that holds the data is refused: stores among the data are seldom what was meant.

    Args:
        wanted: The folder that the user has named; None for no wish.
        data_roots: Folders and files of the data.
        before: Where a run that goes on was begun, chosen as above: there and nowhere else is it to go on.

    Raises:
        UsageError: If the wished folder is none, or lies in the data or around it.
        UnavailableError: If no place can be written.
    """
    if wanted is not None:
        if not wanted:
            raise UsageError("No scratch folder is named. Write --scratch DIR, or leave it out.")
        place = expand_path(wanted)
        if not place.is_dir():
            raise UsageError(f"Scratch folder {place} is no folder. Make it, or name another with --scratch.")
        for root in data_roots:
            if is_inside(place, root):
                raise UsageError(f"Scratch folder {place} lies in the data ({root}). Name one apart from it.")
            if is_inside(root, place):
                raise UsageError(f"Scratch folder {place} holds the data ({root}). Name one apart from it.")
        if not _writable(place):
            raise UnavailableError(f"Scratch folder {place} cannot be written. Name another with --scratch.")
        return place.resolve()
    if before is not None:
        place = Path(before)
        if any(is_inside(place, root) for root in data_roots) or not place.is_dir() or not _writable(place):
            raise UnavailableError(f"The run was begun in {place}, where nothing can be written now. Start a new run.")
        return place.resolve()
    places = [*(root.resolve().parent for root in data_roots), Path(tempfile.gettempdir())]
    with contextlib.suppress(UnavailableError):  # the current folder is gone: the others may do
        places.insert(0, current_folder())
    for place in places:
        if not any(is_inside(place, root) for root in data_roots) and _writable(place):
            return place.resolve()
    raise UnavailableError("No folder for scratch can be written. Name one with --scratch.")


def _writable(place: Path) -> bool:
    """Tell by making a file: mode bits say nothing about root, read-only mounts or immutable folders."""
    try:
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


class RunFolder:
    """The run's own folder: marked, locked while the run lives, and noted where the next start finds it.

    The kernel drops the lock when the process dies, however it dies; the note then tells where to sweep, and the list
    in the sentinel what may be removed.
    """

    def __init__(self, place: Path, run_id: str) -> None:
        """Make the folder and its workspace.

        Args:
            place: Where to make it.
            run_id: Names it.

        Raises:
            UnavailableError: If it cannot be made.
        """
        self.path = place / f"imgstore-tui-{run_id}"
        self.workspace = self.path / WORKSPACE
        self._note = scratch_notes_folder() / run_id
        try:
            self._note.parent.mkdir(parents=True, exist_ok=True)
            # Noted first: a folder that is not noted would never be found again.
            self._note.write_bytes(os.fsencode(self.path))
        except OSError as error:
            raise UnavailableError(f"Nothing can be saved in {self._note.parent}: {error.strerror}.") from None
        try:
            self.path.mkdir(mode=0o700)
            spread_folders(self.path)
            self._sentinel = os.open(self.path / SENTINEL, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._sentinel, fcntl.LOCK_EX)
            os.posix_fallocate(self._sentinel, 0, _ROOM)
            self._end = os.pwrite(self._sentinel, _HEAD, 0)
            self.claim(WORKSPACE).mkdir()
        except OSError as error:
            raise UnavailableError(f"Scratch folder {self.path} cannot be made: {error.strerror}.") from None

    def claim(self, name: str) -> Path:
        """Put a name on the list of what the run makes in its folder, before it is made; return its path."""
        # A file system that does not take the list takes nothing else: what is made then fails in its own words. And
        # what were made nevertheless would be left and named, not removed.
        with contextlib.suppress(OSError):
            self._end += os.pwrite(self._sentinel, f"{name}\n".encode(), self._end)
        return self.path / name

    def pixel_cache(self, number: int) -> Path:
        """Return the folder of the pixel cache of the run's dataset 0, 1, ..."""
        return self.path / f"source-{number}"

    def remove(self, heard: Callable[[int], None] = lambda _: None) -> None:
        """Remove the folder, as ``remove_folder`` does; what could not be removed stays noted for the next sweep."""
        try:
            remove_folder(self.path, heard)
            self._note.unlink(missing_ok=True)
        finally:
            os.close(self._sentinel)


def remove_folder(folder: Path, heard: Callable[[int], None] = lambda _: None) -> None:
    """Remove a folder that ``RunFolder`` made: what its list names, and then the folder itself.

    All is done by handles: no link is followed and no mount is crossed. What is not on the list is left, and so is the
    folder then.

    Args:
        folder: The folder.
        heard: Told now and then how many files are gone; may raise to end it, which leaves the rest for another time.

    Raises:
        StoreError: If something was left, naming it.
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
        removal = Removal(handle, heard)
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
    with contextlib.suppress(FileNotFoundError):  # who looks for leftovers takes an empty one away, too
        folder.rmdir()


def _listed(handle: int) -> set[str] | None:
    """Return what the list in a folder of ours names; None if the folder is none."""
    try:
        sentinel = os.open(SENTINEL, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
    except OSError:
        return None
    with os.fdopen(sentinel, "rb") as stream:
        # A run that died while it began may have left it empty; what is held for the list is zeros.
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
    """Return the scratch folders that runs have left behind; notes of folders that are gone are dropped."""
    found = []
    notes = scratch_notes_folder()
    for note in sorted(path for path in notes.iterdir() if not path.suffix) if notes.is_dir() else []:
        with contextlib.suppress(FileNotFoundError):  # a run that ends just now takes folder and note with it
            path = Path(os.fsdecode(note.read_bytes()))
            if _is_left(path, note):
                found.append(Leftover(note.name, path))
    return found


def is_running(run_id: str) -> bool:
    """Whether a run holds its folder: it goes on, or is just beginning."""
    try:
        note = scratch_notes_folder() / run_id
        path = Path(os.fsdecode(note.read_bytes()))
        return _locked(path / SENTINEL) or time.time() - note.stat().st_mtime <= BEGINNING_S
    except OSError:
        return False


def _is_left(path: Path, note: Path) -> bool:
    """Whether a folder is there and its run has died; the note of one that is gone is dropped."""
    if not path.parent.is_dir():
        # A disk that is not mounted now may be tomorrow.
        return False
    beginning = time.time() - note.stat().st_mtime <= BEGINNING_S
    if (path / SENTINEL).is_file():
        # Between making the mark and locking it, a run has written nothing into it.
        return not _locked(path / SENTINEL) and not (beginning and not (path / SENTINEL).stat().st_size)
    # A run that died between making the folder and marking it has left it empty.
    # One that is just beginning has done so too, for a moment.
    if not beginning:
        with contextlib.suppress(OSError):
            path.rmdir()
        note.unlink(missing_ok=True)
    return False


def _locked(sentinel: Path) -> bool:
    try:
        with _lock_on(sentinel):
            return False
    except BlockingIOError:
        return True


@contextlib.contextmanager
def _lock_on(sentinel: Path) -> Iterator[None]:
    descriptor = os.open(sentinel, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def sweep(leftover: Leftover, heard: Callable[[int], None] = lambda _: None) -> None:
    """Remove what a dead run has left.

    Args:
        leftover: What it has left.
        heard: As for ``remove_folder``.

    Raises:
        StoreError: If it is not all ours, a file system is mounted in it, or a run or another sweep is at it.
        OSError: If something cannot be removed.
    """
    try:
        with _lock_on(leftover.path / SENTINEL):
            remove_folder(leftover.path, heard)
    except BlockingIOError:
        raise StoreError(f"{leftover.path} is in use by another process of this program and was left alone.") from None
    (scratch_notes_folder() / leftover.run_id).unlink(missing_ok=True)
