"""The folder beside the destination in which a conversion works, and what it says of itself."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from imgstore_tui.core.errors import StoreError, UnavailableError, UsageError
from imgstore_tui.core.files import force
from imgstore_tui.core.units import format_count
from imgstore_tui.jobs.convert.checksums import Checksums
from imgstore_tui.storekit.atomic_write import atomic_file
from imgstore_tui.storekit.raw_file import RawFile

_FORMAT = "imgstore-tui conversion 2"
_LOCK = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_EARLY = frozenset({"lock", "conversion.json.partial", "sums.bin"})
"""What may be there before it is written down what this is."""


class Workspace:
    """``NAME.converting``: the store as far as it has come, sums of what is in it, and what it is to become."""

    def __init__(self, destination: Path, job: Mapping[str, Any], *, restart: bool) -> None:
        """Make the folder, or find the one of a conversion that was not finished.

        Raises:
            UsageError: If it is of another conversion.
            UnavailableError: If that is still running.
            StoreError: If the folder cannot be made.
        """
        self.folder = _folder_of(destination)
        self.store = self.folder / "store"
        self._facts_path = self.folder / "conversion.json"
        self._lock = -1
        try:
            self._enter(job, restart)
        except OSError as error:
            self.close()
            raise StoreError(f"{self.folder} cannot be made: {error.strerror or error}.") from None
        except BaseException:
            self.close()
            raise

    def _enter(self, job: Mapping[str, Any], restart: bool) -> None:
        foreign = UsageError(f"{self.folder} exists already and does not belong to a conversion. Move it away.")
        if os.path.lexists(self.folder) and not self._facts_path.exists():
            if self.folder.is_symlink() or not self.folder.is_dir():
                raise foreign
            if {path.name for path in self.folder.iterdir()} - _EARLY:
                raise foreign
        self.folder.mkdir(exist_ok=True)
        self._lock = os.open(self.folder / "lock", _LOCK, 0o666)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnavailableError(f"{self.folder} is in use: this conversion is running already.") from None
        found = self._read()
        if found is None and self._facts_path.exists():
            raise foreign
        other = [key for key in job if found is not None and found.get(key) != job[key]]
        if found is not None and other == ["images"] and not restart:
            raise UsageError(
                f"{self.folder} holds this conversion as it was begun, with {format_count(found['images'])} images; "
                f"now there are {format_count(job['images'])}. Add --restart to start over."
            )
        if other and not restart:
            raise UsageError(
                f"{self.folder} holds another, unfinished conversion (another {', '.join(other)}). Finish that with "
                "its own command, or add --restart to start over."
            )
        self.sums = Checksums(self.folder / "sums.bin")
        if found is None or restart:
            self.facts = dict(job)
            self.clear()
        else:
            self.facts = found

    def _read(self) -> dict[str, Any] | None:
        return _facts_in(self._facts_path)

    def clear(self) -> None:
        """Begin anew."""
        shutil.rmtree(self.store, ignore_errors=True)
        self.sums.truncate(0)
        for key in ("excluded", "content", "safe"):
            self.facts.pop(key, None)
        self.save()

    def save(self) -> None:
        """Write down what this is, whole or not at all."""
        text = json.dumps({**self.facts, "format": _FORMAT})
        with atomic_file(self._facts_path, partial_name="conversion.json.partial") as file:
            file.write(text.encode("utf-8"))

    def deliver(self, destination: Path) -> None:
        """Give the store its name, and remove the folder."""
        if os.path.lexists(destination):
            raise StoreError(f"{destination} has appeared meanwhile; the store is complete in {self.store}.")
        self.store.rename(destination)
        force(destination.parent)
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        if hasattr(self, "sums"):
            self.sums.close()
        descriptor, self._lock = self._lock, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def sweep_delivered(destination: Path) -> None:
    """Remove the folder of a conversion that died when its store had its name already, and nothing was left in it."""
    folder = _folder_of(destination)
    if folder.is_symlink() or (folder / "store").exists() or _facts_in(folder / "conversion.json") is None:
        return
    lock = os.open(folder / "lock", _LOCK, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:  # it is running, and has not put anything yet
        return
    finally:
        os.close(lock)


def _folder_of(destination: Path) -> Path:
    return destination.with_name(f"{destination.name}.converting")


def _facts_in(path: Path) -> dict[str, Any] | None:
    """Return what a conversion says of itself; None if it is none of ours."""
    try:
        with contextlib.closing(RawFile(path)) as file:  # a link is not followed, and a pipe not waited for
            found = json.loads(file.piece(0, file.size))
    except (OSError, StoreError, ValueError, RecursionError):
        return None
    known = isinstance(found, dict) and found.get("format") == _FORMAT and isinstance(found.get("images"), int)
    return found if known else None
