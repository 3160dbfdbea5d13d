"""Manages the folder beside the destination in which a conversion works, its lock and its facts."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from imgstore_tui.bench.system.app_folders import home_folder
from imgstore_tui.core.backend import Backend
from imgstore_tui.core.errors import ImgstoreError, StoreError, UnavailableError, UsageError
from imgstore_tui.core.files import force
from imgstore_tui.core.location import Location, ServerLocation
from imgstore_tui.core.units import format_count
from imgstore_tui.jobs.convert.checksums import Checksums
from imgstore_tui.storekit.atomic_write import atomic_file, rename_new
from imgstore_tui.storekit.file_lock import lacks_locks, try_lock
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.server import ServerBackend

_FORMAT = "imgstore-tui conversion 2"
_LOCK = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_STORE = "store"
"""Name of the unfinished store in the folder."""
_EARLY = frozenset({"lock", "conversion.json.partial", "sums.bin"})
"""Files that may exist before the facts are written."""


class Workspace:
    """The folder ``NAME.converting``: the unfinished store, its checksums, and the facts of the conversion."""

    def __init__(self, destination: Location, job: Mapping[str, Any], backend: Backend, *, restart: bool) -> None:
        """Create the folder, or open that of an unfinished conversion.

        Args:
            destination: Destination of the conversion.
            job: Facts that must be equal for an unfinished conversion to be resumed.
            backend: The backend of the store.
            restart: Whether an unfinished conversion is started over.

        Raises:
            UsageError: If the folder belongs to another conversion.
            UnavailableError: If that conversion is still running.
            StoreError: If the folder cannot be created.
        """
        self.folder = _folder_of(destination)
        self._backend = backend
        self.store: Location = self.folder / _STORE
        if isinstance(destination, ServerLocation):
            self.store = staged_name(destination)
        self._facts_path = self.folder / "conversion.json"
        self._lock = -1
        self.warning = ""
        """What the user should know, a sentence; empty where all is well."""
        try:
            self._open(job, restart)
        except OSError as error:
            self.close()
            raise StoreError(f"{self.folder} cannot be made: {error.strerror or error}.") from None
        except BaseException:
            self.close()
            raise

    def _open(self, job: Mapping[str, Any], restart: bool) -> None:
        foreign = UsageError(f"{self.folder} exists already and does not belong to a conversion. Move it away.")
        if os.path.lexists(self.folder) and not self._facts_path.exists():
            if self.folder.is_symlink() or not self.folder.is_dir():
                raise foreign
            if {path.name for path in self.folder.iterdir()} - _EARLY:
                raise foreign
        self.folder.mkdir(mode=0o700, exist_ok=True, parents=True)
        self._lock = os.open(self.folder / "lock", _LOCK, 0o666)
        try:
            locked = try_lock(self._lock)
        except OSError as error:
            if not lacks_locks(error):
                raise StoreError(f"{self.folder / 'lock'} cannot be locked: {error.strerror}.") from None
            locked = True
            self.warning = (
                f"The file system of {self.folder} has no locks ({error.strerror}): it is yours to see that no second "
                "conversion to the same destination runs at the same time."
            )
        if not locked:
            raise UnavailableError(f"{self.folder} is in use: this conversion is running already.")
        saved = _facts_in(self._facts_path)
        if saved is None and self._facts_path.exists():
            raise foreign
        other = [key for key in job if saved is not None and saved.get(key) != job[key]]
        if saved is not None and other == ["images"] and not restart:
            raise UsageError(
                f"{self.folder} holds this conversion as it was begun, with {format_count(saved['images'])} images; "
                f"now there are {format_count(job['images'])}. Add --restart to start over."
            )
        if other and not restart:
            raise UsageError(
                f"{self.folder} holds another, unfinished conversion (another {', '.join(other)}). Finish that with "
                "its own command, or add --restart to start over."
            )
        self.checksums = Checksums(self.folder / "sums.bin")
        if saved is None or restart:
            self.facts = dict(job)
            self.clear()
        else:
            self.facts = saved

    def clear(self) -> None:
        """Remove the store and its checksums, to start over."""
        if isinstance(self.store, ServerLocation):
            self._backend.destroy(self.store)
        elif self._backend.exists(self.store):
            with contextlib.suppress(StoreError, OSError):  # what stays is in the way of the next, which says so
                self._backend.destroy(self.store)
        self.checksums.truncate(0)
        for key in ("excluded", "content", "safe"):
            self.facts.pop(key, None)
        self.save()

    def discard(self) -> None:
        """Remove all of a conversion that has not come far enough to be continued.

        It stays where it says that a store was moved aside, and where a server does not remove what was begun there.
        """
        if self.facts.get("aside"):
            return
        try:
            if isinstance(self.store, ServerLocation):
                self._backend.destroy(self.store)
        except ImgstoreError:
            return
        self.finish()

    def finish(self) -> None:
        """Remove the folder."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def save(self) -> None:
        """Write the facts atomically."""
        text = json.dumps({**self.facts, "format": _FORMAT})
        with atomic_file(self._facts_path, partial_name="conversion.json.partial") as file:
            file.write(text.encode("utf-8"))

    def deliver_to_server(self, destination: ServerLocation, *, replace: bool) -> None:
        """Rename the store on a server to the destination."""
        if not isinstance(self._backend, ServerBackend) or not isinstance(self.store, ServerLocation):
            raise TypeError(f"{self.store} is not on a server")
        self._backend.deliver(self.store, destination, replace=replace)

    def deliver(self, destination: Path) -> None:
        """Rename the store to the destination."""
        if not isinstance(self.store, Path):
            raise TypeError(f"{self.store} is on a server")
        try:
            rename_new(self.store, destination)
        except FileExistsError:
            message = f"{destination} has appeared meanwhile; the store is complete in {self.store}."
            raise StoreError(message) from None
        force(destination.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the checksums and release the lock."""
        if hasattr(self, "checksums"):
            self.checksums.close()
        descriptor, self._lock = self._lock, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def finish_delivered(
    destination: Location, backend: Backend, remove_replaced: Callable[[Path], str | None] | None = None
) -> None:
    """Finish a conversion that was killed after its store had been renamed: remove what it has left.

    Args:
        destination: Where its store is.
        backend: The backend of the store.
        remove_replaced: Removes the store that it had moved aside, and returns what is in the way of that; None if
            that store stays, and the folder, which says whose it is.
    """
    folder = _folder_of(destination)
    facts = None if folder.is_symlink() else _facts_in(folder / "conversion.json")
    if facts is None or (facts.get("aside") and remove_replaced is None) or _is_staged(destination, folder, backend):
        return
    lock = os.open(folder / "lock", _LOCK, 0o666)
    try:
        if not try_lock(lock):  # it is running, and has not written anything yet
            return
        if isinstance(destination, Path) and facts.get("aside") and remove_replaced is not None:
            force(destination.parent)
            remove_replaced(destination)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _is_staged(destination: Location, folder: Path, backend: Backend) -> bool:
    """Whether there is a store that has not been renamed yet."""
    if isinstance(destination, ServerLocation):
        return backend.exists(staged_name(destination))
    return any(
        path.name.startswith(_STORE) for path in folder.iterdir()
    )  # a file is called otherwise until it is whole


def staged_name(destination: ServerLocation) -> ServerLocation:
    """Return the name that a store on a server has until it is whole."""
    return replace(destination, name=f"{destination.name}_converting")


def _folder_of(destination: Location) -> Path:
    """Return the folder of a conversion: beside the destination, or among our own if that is on a server."""
    if isinstance(destination, ServerLocation):
        name = hashlib.blake2b(destination.public().encode(), digest_size=8).hexdigest()
        return home_folder() / "conversions" / f"{name}.converting"
    return destination.with_name(f"{destination.name}.converting")


def _facts_in(path: Path) -> dict[str, Any] | None:
    """Return the facts of a conversion; None if the file is not one of this program."""
    try:
        with contextlib.closing(RawFile(path)) as file:  # a link is not followed, and a pipe not waited for
            facts = json.loads(file.read_at(0, file.size))
    except (OSError, StoreError, ValueError, RecursionError):
        return None
    valid = isinstance(facts, dict) and facts.get("format") == _FORMAT and isinstance(facts.get("images"), int)
    return facts if valid else None
