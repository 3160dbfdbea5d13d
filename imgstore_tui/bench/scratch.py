"""Where stores are made: a folder of ours, never in the user's data or around it."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.bench.journal import runs_folder
from imgstore_tui.core.errors import StoreError, UnavailableError, UsageError

SENTINEL = ".imgstore-tui-scratch"
"""Marks a folder as made by this program, and so as one it may remove."""

_OURS = re.compile(r"^(source-\d+|store-\d{6}|dummy-\d+|probe)$")
"""What a run makes in its folder."""


def choose_scratch(wanted: str | None, data_roots: Sequence[Path]) -> Path:
    """Return the folder in which to make the run's own folder.

    Without a wish: the current directory, unless it lies in the data or cannot be written; then the folder beside
    the data, on its device; then the system's place for temporary files. A wish is taken at its word, so a folder
    that holds the data is refused: stores among the data are seldom what was meant.

    Raises:
        UsageError: If the wished folder is none, or lies in the data or around it.
        UnavailableError: If no place can be written.
    """
    if wanted is not None:
        place = Path(wanted).expanduser()
        if not place.is_dir():
            raise UsageError(f"Scratch folder {place} is no folder. Make it, or name another with --scratch.")
        for root in data_roots:
            if _lies_in(place, root):
                raise UsageError(f"Scratch folder {place} lies in the data ({root}). Name one apart from it.")
            if _lies_in(root, place):
                raise UsageError(f"Scratch folder {place} holds the data ({root}). Name one apart from it.")
        if not _writable(place):
            raise UnavailableError(f"Scratch folder {place} cannot be written. Name another with --scratch.")
        return place.resolve()
    for place in (Path.cwd(), *(root.resolve().parent for root in data_roots), Path(tempfile.gettempdir())):
        if not any(_lies_in(place, root) for root in data_roots) and _writable(place):
            return place.resolve()
    raise UnavailableError("No folder for scratch can be written. Name one with --scratch.")


def _lies_in(place: Path, folder: Path) -> bool:
    """Tell whether ``place`` is ``folder`` or below it, by what the folders are, not by how they are spelt."""
    real = place.resolve()
    wanted = folder.resolve().stat()
    return any(os.path.samestat(above.stat(), wanted) for above in (real, *real.parents))


def _writable(place: Path) -> bool:
    """Tell by making a file: mode bits say nothing about root, read-only mounts or immutable folders."""
    try:
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


class RunFolder:
    """The run's own folder: marked, locked while the run lives, and noted where the next start finds it.

    The kernel drops the lock when the process dies, however it dies; the note then tells where to sweep.
    """

    def __init__(self, place: Path, run_id: str) -> None:
        """Make the folder.

        Args:
            place: Where to make it.
            run_id: Names it.

        Raises:
            UnavailableError: If it cannot be made.
        """
        self.path = place / f"imgstore-tui-{run_id}"
        self._note = _notes_folder() / run_id
        try:
            self._note.parent.mkdir(parents=True, exist_ok=True)
            # Noted first: a folder that is not noted would never be found again.
            self._note.write_bytes(os.fsencode(self.path))
        except OSError as error:
            raise UnavailableError(f"Nothing can be saved in {self._note.parent}: {error.strerror}.") from None
        try:
            self.path.mkdir(mode=0o700)
            self._descriptor = os.open(self.path / SENTINEL, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            os.write(self._descriptor, b"Made by imgstore-tui; remove it with: imgstore-tui sweep\n")
        except OSError as error:
            raise UnavailableError(f"Scratch folder {self.path} cannot be made: {error.strerror}.") from None

    def remove(self) -> None:
        """Remove the folder, as ``remove_folder`` does; what could not be removed stays noted for the next sweep."""
        try:
            remove_folder(self.path)
            self._note.unlink(missing_ok=True)
        finally:
            os.close(self._descriptor)


def _notes_folder() -> Path:
    return runs_folder().parent / "scratch"


def remove_folder(folder: Path) -> None:
    """Remove a folder that ``RunFolder`` made: what a run makes in it, by name, and then the folder itself.

    No link is followed and no mount is crossed. What a run does not make is left, and so is the folder then.

    Raises:
        StoreError: If something was left, naming it.
    """
    if folder.is_symlink() or not (folder / SENTINEL).is_file():
        raise StoreError(f"{folder} is not a scratch folder of this program and was left alone.")
    mounted = _mounts_below(folder)
    if mounted:
        raise StoreError(f"{folder} was not removed: another file system is mounted at {mounted[0]}. Unmount it first.")
    foreign = []
    for entry in sorted(os.listdir(folder)):  # noqa: PTH208
        if _OURS.match(entry):
            path = folder / entry
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        elif entry != SENTINEL:
            foreign.append(entry)
    if foreign:
        raise StoreError(f"{folder / foreign[0]} was not made by a run and was left where it is.")
    (folder / SENTINEL).unlink()
    folder.rmdir()


def _mounts_below(folder: Path) -> list[str]:
    """Return the mount points in a folder. Source: ``/proc/self/mountinfo`` (proc(5)), field 5."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    points = [line.split()[4].encode("latin-1", "replace").decode("unicode_escape") for line in lines]
    inside = f"{folder.resolve()}/"
    return [point for point in points if point.startswith(inside)]


@dataclass(frozen=True, slots=True)
class Leftover:
    """A scratch folder whose run has died."""

    run_id: str
    path: Path


def leftovers() -> list[Leftover]:
    """Return the scratch folders that runs have left behind; notes of folders that are gone are dropped."""
    found = []
    notes = _notes_folder()
    for note in sorted(notes.iterdir()) if notes.is_dir() else []:
        path = Path(os.fsdecode(note.read_bytes()))
        if not path.parent.is_dir():
            # A disk that is not mounted now may be tomorrow.
            continue
        if not (path / SENTINEL).is_file():
            note.unlink()
        elif not _locked(path / SENTINEL):
            found.append(Leftover(note.name, path))
    return found


def _locked(sentinel: Path) -> bool:
    descriptor = os.open(sentinel, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def sweep(leftover: Leftover) -> None:
    """Remove what a dead run has left.

    Raises:
        StoreError: If it is not all ours, or a file system is mounted in it.
    """
    remove_folder(leftover.path)
    (_notes_folder() / leftover.run_id).unlink(missing_ok=True)


def free_bytes(place: Path) -> int:
    """Return the bytes that an ordinary user may still write on the file system of a place."""
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize


def free_files(place: Path) -> int | None:
    """Return how many files the file system of a place can still hold; None where it has no such limit."""
    status = os.statvfs(place)
    return status.f_favail if status.f_files else None
