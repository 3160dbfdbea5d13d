"""Gives a trial access to its stores beyond reading and writing: locations, syncing, draining, cache states, removal.

Stores in files are inspected by the instrument itself; for a server the backend is asked, and no local file system is
taken for that of the store.
"""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from imgstore_tui.bench.system.page_cache import resident_share
from imgstore_tui.bench.trial.after_close import CloseWatch
from imgstore_tui.bench.trial.cache_state import prepare_cache, proof
from imgstore_tui.bench.trial.cold_proof import check_fetched
from imgstore_tui.bench.trial.settle import drain_files
from imgstore_tui.bench.trial.source_row import SourceRow
from imgstore_tui.bench.trial.store_files import files_of, force_files, usage_of
from imgstore_tui.core.backend import Backend, DiskUsage, Durability, DurableBy, Editor, Writer
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.location import Location, ServerLocation, parse_location
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.server import ServerBackend

if TYPE_CHECKING:
    from imgstore_tui.bench.protocol.messages import TrialRequest, TrialResult


class Watch(Protocol):
    """Looks for what goes on after a close."""

    def closed(self, stores: Sequence[Any]) -> None:
        """Note the state as soon as the clock has stopped."""

    def check(self, seconds: float | None) -> None:
        """Raise StoreError if something was written after the close, given the seconds on the clock."""


class _Unwatched:
    def closed(self, stores: Sequence[Any]) -> None:
        """Do nothing: the stores of a server are not in this system's files."""

    def check(self, seconds: float | None) -> None:
        """Do nothing."""


class StoreAccess(ABC):
    """The stores of one request."""

    def __init__(self, request: TrialRequest) -> None:
        self._request = request
        self._cold = request.cache is CacheState.COLD

    @property
    @abstractmethod
    def location(self) -> Any:
        """The request's store, or where its many stores are made."""

    @property
    @abstractmethod
    def dummy(self) -> Any:
        """Location of a store of one image, on which the library is used before a clock starts."""

    @abstractmethod
    def begin_many(self) -> None:
        """Prepare for many stores."""

    @abstractmethod
    def one_of_many(self, number: int) -> Any:
        """Return the location of one of many stores."""

    @abstractmethod
    def check_sync(self) -> None:
        """Raise UnsupportedError if nothing makes a store durable at the request's sync level."""

    @abstractmethod
    def force(self, location: Any, writer: Writer) -> int | None:
        """Make a closed store durable, on the clock; return the sync calls, None if they cannot be counted."""

    def watch_close(self) -> Watch:
        """Return what watches the stores once they are closed; called before the clock starts."""
        return _Unwatched()

    @abstractmethod
    def drain(self, locations: Sequence[Any]) -> float:
        """Force what was written to the device, off the clock; return the seconds that it took."""

    @abstractmethod
    def usage(self, location: Any) -> DiskUsage:
        """Return what a store weighs; None, never 0, for what cannot be known."""

    @abstractmethod
    def prepare_cache(self, location: Any) -> float | None:
        """Bring a closed store into the request's cache state; return the share of it in memory, None if unknown.

        Raises:
            UnsupportedError: If it did not become cold, or that cannot be known: such a trial has no cold time.
        """

    @abstractmethod
    def resident(self, location: Any) -> float | None:
        """Return the share of a store in memory, 0 to 1; None if unknown."""

    @abstractmethod
    def check_fetched(self, location: Any, fetched: Sequence[int], contents: Sequence[int]) -> None:
        """Raise UnsupportedError if cold reads fetched too little of what is stored.

        Args:
            location: The store.
            fetched: Bytes that each sample fetched.
            contents: Bytes of the payloads or pixels that each sample has read.
        """

    @abstractmethod
    def cache_proof(self, share: float | None) -> str | None:
        """Return how the cache state is known, or why it is not, as text."""

    @abstractmethod
    def with_server(self, result: TrialResult) -> TrialResult:
        """Return a result with what a server adds to it, and without what is meaningless for a server."""

    @abstractmethod
    def destroy(self) -> None:
        """Remove all stores that the request's operation may have made, complete or not."""


def access_to(backend: Backend, request: TrialRequest) -> StoreAccess:
    """Return the access to the stores of a backend."""
    if isinstance(backend, ServerBackend):
        return ServerAccess(backend, request)
    if isinstance(backend, SourceRow):
        return InPlaceAccess(backend, request)
    if isinstance(backend, LocalBackend):
        return LocalAccess(backend, request)
    raise TypeError(f"backend {backend.name} is neither local nor a server")


class LocalAccess(StoreAccess):
    """Stores in local files."""

    def __init__(self, backend: LocalBackend, request: TrialRequest) -> None:
        super().__init__(request)
        self._backend = backend

    @property
    def location(self) -> Path:
        """The store, or the folder of many stores."""
        return Path(self._request.location)

    @property
    def dummy(self) -> Path:
        """Named after the process: what a trial that died has left here is not in the way."""
        return Path(self._request.workspace) / f"dummy-{os.getpid()}{self._backend.file_suffix}"

    def begin_many(self) -> None:
        """Create their folder."""
        self.location.mkdir()

    def one_of_many(self, number: int) -> Path:
        """Return a path in their folder."""
        return self.location / f"{number:03}{self._backend.file_suffix}"

    def check_sync(self) -> None:
        """Accept: files can be forced."""

    def force(self, location: Path, writer: Writer) -> int | None:
        """Force the files that changed, and their folders."""
        changed = writer.changed_paths() if isinstance(writer, Editor) else None
        return force_files(location, changed)

    def watch_close(self) -> CloseWatch:
        """Watch the files, this process and its children."""
        return CloseWatch()

    def drain(self, locations: Sequence[Path]) -> float:
        """Force the files."""
        return drain_files(*locations)

    def _files(self, location: Path) -> Iterator[Path]:
        return files_of(location)

    def usage(self, location: Path) -> DiskUsage:
        """Return what its files and folders weigh."""
        return usage_of(location)

    def prepare_cache(self, location: Path) -> float | None:
        """Evict the pages of the files if the request is cold."""
        files, drop = list(self._files(location)), self._request.drop_caches
        return prepare_cache(files, location, cold=self._cold, drop_caches=drop)

    def resident(self, location: Path) -> float | None:
        """Return the share of its pages in the page cache."""
        return resident_share(self._files(location))

    def check_fetched(self, location: Path, fetched: Sequence[int], contents: Sequence[int]) -> None:
        """Compare with the weight of the files."""
        request = self._request
        images = request.cutoff / request.operation.images(request.cutoff)
        check_fetched(list(self._files(location)), fetched, contents, images)

    def cache_proof(self, share: float | None) -> str | None:
        """Return the residency according to mincore."""
        return proof(share, cold=self._cold, drop_caches=self._request.drop_caches)

    def with_server(self, result: TrialResult) -> TrialResult:
        """Return the result without requests: there is no server."""
        return replace(result, requests=None, retries=None)

    def destroy(self) -> None:
        """Remove the store, or all stores in their folder."""
        if self._request.operation is not Operation.WRITE_ONE:
            self._backend.destroy(self.location)
            return
        for store in sorted(self.location.iterdir()):
            if self._backend.exists(store):  # what lies beside a store that is one file goes with it
                self._backend.destroy(store)
        self.location.rmdir()


class InPlaceAccess(LocalAccess):
    """The user's own files, read in place: they lie wherever the list of them says."""

    def _files(self, location: Path) -> Iterator[Path]:
        return self._backend.files(location)

    def usage(self, location: Path) -> DiskUsage:
        """Return what the files weigh."""
        return self._backend.disk_usage(location)


class ServerAccess(StoreAccess):
    """Stores on a server, each under a name that begins with that of the request's location."""

    def __init__(self, backend: ServerBackend, request: TrialRequest) -> None:
        super().__init__(request)
        self._backend = backend
        location: Location = parse_location(request.location, dict.fromkeys(backend.schemes, backend.scheme()))
        if not isinstance(location, ServerLocation):
            raise TypeError(f"{request.location} is not on a server")
        self._location = location
        self._durability = Durability(DurableBy.NOTHING)

    @property
    def location(self) -> ServerLocation:
        """The store, or the prefix of the names of many stores."""
        return self._location

    def _beside(self, suffix: str) -> ServerLocation:
        name = self._location.name.rpartition("/")[2]
        prefix = self._location.name[: len(self._location.name) - len(name)]
        return self._location.place.child(f"{prefix}{name}_{suffix}")

    @property
    def dummy(self) -> ServerLocation:
        """A name beside the store, with the id of the process."""
        return self._beside(f"d{os.getpid()}")

    def begin_many(self) -> None:
        """Do nothing: names need no folder."""

    def one_of_many(self, number: int) -> ServerLocation:
        """Return a name beside the location."""
        return self._beside(f"{number:03}")

    def check_sync(self) -> None:
        """Ask the server what its settings guarantee at the sync level."""
        sync = self._request.sync
        self._durability = self._backend.durability(self._location, sync)
        if sync is not SyncLevel.BUFFERED and self._durability.by is not DurableBy.ACKNOWLEDGE:
            raise UnsupportedError(self._durability.reason)

    def force(self, location: ServerLocation, writer: Writer) -> int | None:
        """Do nothing: the server acknowledges only what is durable."""
        return None

    def drain(self, locations: Sequence[ServerLocation]) -> float:
        """Let the server write what it buffers."""
        began = time.perf_counter()
        self._backend.drain(locations[0])
        return time.perf_counter() - began

    def usage(self, location: ServerLocation) -> DiskUsage:
        """Ask the server."""
        return self._backend.disk_usage(location)

    def prepare_cache(self, location: ServerLocation) -> float | None:
        """Refuse cold: the caches of a server cannot be inspected."""
        if self._cold:
            raise UnsupportedError(f"Nothing is called cold, because {self._backend.unknown_cache()}.")
        return None

    def resident(self, location: ServerLocation) -> float | None:
        """Return None."""
        return None

    def check_fetched(self, location: ServerLocation, fetched: Sequence[int], contents: Sequence[int]) -> None:
        """Do nothing: cold was refused."""

    def cache_proof(self, share: float | None) -> str | None:
        """Return that the state is unknown, and why."""
        return f"unknown, because {self._backend.unknown_cache()}"

    def with_server(self, result: TrialResult) -> TrialResult:
        """Add the server with its settings and distance; what the kernel counts of this process is not the store's."""
        facts = self._backend.facts(self._location.place)
        settings = self._durability.reason if self._request.operation.writes else ""
        return replace(
            result,
            server=f"{facts.label}{f' ({settings})' if settings else ''}",
            round_trip_s=self._backend.ping(self._location),
            io_read_bytes=None,
            io_dirtied_bytes=None,
        )

    def destroy(self) -> None:
        """Remove the store and all stores whose names begin with its name."""
        for store in self._backend.list_stores(self._location.place, f"{self._location.name}_"):
            self._backend.destroy(store)
        self._backend.destroy(self._location)
