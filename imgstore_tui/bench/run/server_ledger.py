"""Lists the stores that a run makes on servers, each before it is made, so that all are found again."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.bench.run.run_folder import is_run_alive
from imgstore_tui.bench.system.app_folders import make_private, scratch_notes_folder
from imgstore_tui.core.errors import ImgstoreError, StoreError, UnavailableError
from imgstore_tui.core.files import force
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.server_process import REMOVE_LIMIT_S, list_stores, remove_stores
from imgstore_tui.storekit.atomic_write import atomic_file
from imgstore_tui.storekit.server import ServerBackend, run_prefix

SUFFIX = ".servers"


def ledger_path(run_id: str) -> Path:
    """Return the path of a run's ledger, beside the note of its folder."""
    return scratch_notes_folder() / f"{run_id}{SUFFIX}"


class ServerLedger:
    """The databases or buckets in which a run makes stores, and the names of the stores."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._path = ledger_path(run_id)
        self._stores = 0

    def claim(self, backend: type[ServerBackend]) -> ServerLocation:
        """Return a name for a store that does not exist yet, after it was added to the ledger on the device.

        Raises:
            UnavailableError: If the ledger cannot be written, or no server is named for the backend.
        """
        place, _ = backend.address()
        self._stores += 1
        location = place.child(f"{run_prefix(self._run_id, place.form)}{self._stores}")
        line = json.dumps({"backend": backend.name, "place": place.public(), "name": location.name})
        try:
            new = not self._path.exists()
            make_private(self._path.parent)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
                file.flush()
                os.fsync(file.fileno())
            if new:
                force(self._path.parent)
        except OSError as error:
            raise UnavailableError(f"{self._path} cannot be written: {error.strerror}. Nothing was made.") from None
        return location

    def clear(self, limit_s: float) -> None:
        """Remove all stores of the run from the servers, then the ledger.

        Args:
            limit_s: Seconds that each server may take.

        Raises:
            ImgstoreError: If a server cannot be asked; the ledger stays for ``sweep``.
        """
        for leftover in leftovers_in(self._path):
            sweep_server(leftover, limit_s)


@dataclass(frozen=True, slots=True)
class ServerLeftover:
    """What a dead run may have left in one database or bucket."""

    run_id: str
    place: str
    """The address of the database or bucket, without a secret."""

    @property
    def path(self) -> str:
        """The address of all its stores, for messages."""
        return f"{self.place} {self.prefix}*"

    @property
    def prefix(self) -> str:
        """What the names of its stores begin with."""
        with contextlib.suppress(ImgstoreError):
            return run_prefix(self.run_id, _location(self).form)
        return run_prefix(self.run_id)


def leftovers_in(path: Path) -> list[ServerLeftover]:
    """Return the places that a ledger lists; of a line that is cut short no store was made."""
    addresses = []
    with contextlib.suppress(FileNotFoundError):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                addresses.append(str(json.loads(line)["place"]))
    return [ServerLeftover(path.name.removesuffix(SUFFIX), place) for place in dict.fromkeys(addresses)]


def server_leftovers() -> list[ServerLeftover]:
    """Return what the ledgers of dead runs list."""
    folder = scratch_notes_folder()
    listed = [leftover for path in sorted(folder.glob(f"*{SUFFIX}")) for leftover in leftovers_in(path)]
    return [leftover for leftover in listed if not is_run_alive(leftover.run_id)]


def find_stores(leftover: ServerLeftover) -> list[str]:
    """Return the names of the stores that still exist.

    Raises:
        ImgstoreError: If the server cannot be asked.
    """
    return list_stores(_location(leftover), leftover.prefix)


def sweep_server(leftover: ServerLeftover, limit_s: float = REMOVE_LIMIT_S) -> int:
    """Remove the stores of a run from one place, and its lines from the ledger; return the number of stores.

    Raises:
        ImgstoreError: If the server cannot be asked, or one must stay; the ledger stays, too.
    """
    try:
        names = remove_stores(_location(leftover), leftover.prefix, limit_s)
    except ImgstoreError as error:
        raise type(error)(
            f"{error} Stores there that are called {leftover.prefix}* stay listed for: imgstore-tui sweep"
        ) from None
    forget(leftover)
    return len(names)


def forget(leftover: ServerLeftover) -> None:
    """Strike a place from the ledger of a run, whatever is there."""
    path = ledger_path(leftover.run_id)
    rest = [other for other in leftovers_in(path) if other.place != leftover.place]
    if rest:
        with atomic_file(path) as file:
            file.write("".join(f"{json.dumps({'place': other.place})}\n" for other in rest).encode())
    else:
        path.unlink(missing_ok=True)


def _location(leftover: ServerLeftover) -> ServerLocation:
    location = registry.parse_location(leftover.place)
    if not isinstance(location, ServerLocation):
        raise StoreError(f"{leftover.place} is not the address of a server.")
    return location
