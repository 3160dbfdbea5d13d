"""Looks at, weighs, renames and removes MongoDB stores, and asks the server about itself."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pymongo import errors

from imgstore_tui.backends.mongodb.connection import (
    ADMIN_S,
    UNAUTHORIZED,
    check_name,
    connected,
)
from imgstore_tui.backends.mongodb.layout import NAME, Mark, marks
from imgstore_tui.core.backend import DiskUsage
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.storekit.server import is_this_machine, least_seconds, still_listed

if TYPE_CHECKING:
    from pymongo.database import Database

    from imgstore_tui.backends.mongodb.connection import Client
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_WRITES_END_S = 10.0
_DIRTY_SHARE = 0.05
"""A server always holds a few pages back; a size is unknown where it holds back more of a store than this."""
_WRITES = ("insert", "update", "remove", "command")


def exists(backend: ServerBackend, location: ServerLocation) -> bool:
    """Whether there is a collection or a view of that name."""
    check_name(location)
    with connected(backend, location, "looked at") as client:
        return location.name in client[location.database].list_collection_names(filter={"name": location.name})


def disk_usage(backend: ServerBackend, location: ServerLocation) -> DiskUsage:
    """Return the bytes of collections and indexes after a checkpoint; unknown where the user may ask for none."""
    check_name(location)
    with connected(backend, location, "weighed", answer_s=ADMIN_S) as client:
        database = client[location.database]
        there = marks(database)
        if location.name not in there:
            raise StoreError(f"{location} does not exist.")
        checkpointed = _checkpoint(client)
        names = [location.name, *_parts(there, there[location.name])]
        sizes = [size for name in names if (size := _size(database, name, trusted=checkpointed)) is not None]
    if len(sizes) < len(names):
        return DiskUsage(None, None, None)
    data, indexes = (sum(part) for part in zip(*sizes, strict=True))
    return DiskUsage(data + indexes, data + indexes, None, (("documents", data), ("indexes", indexes)))


def _size(database: Database[dict[str, Any]], name: str, *, trusted: bool) -> tuple[int, int] | None:
    """Return the bytes of a collection's documents and of its indexes; None where the server does not know them yet."""
    data = indexes = 0
    for shard in database[name].aggregate([{"$collStats": {"storageStats": {}}}]):
        stats = shard["storageStats"]
        dirty = stats.get("wiredTiger", {}).get("cache", {}).get("tracked dirty bytes in the cache")
        if not trusted and (dirty is None or dirty > _DIRTY_SHARE * stats["size"]):
            return None
        data += stats["storageSize"]
        indexes += stats["totalIndexSize"]
    return (data, indexes) if data else None


def _checkpoint(client: Client) -> bool:
    """Let the server write all that it holds; return whether it was allowed."""
    try:
        client.admin.command("fsync")
    except errors.OperationFailure as error:
        if error.code == UNAUTHORIZED:
            return False
        raise
    return True


def end_requests(backend: ServerBackend, place: ServerLocation, prefix: str) -> bool:
    """End the requests of this user for such a collection."""
    namespace = {"$regex": f"^{re.escape(f'{place.database}.{prefix}')}"}
    with connected(backend, place, "looked at") as client, _where_allowed():
        return _end(client, {"ns": namespace})
    return False


def drain(backend: ServerBackend, location: ServerLocation) -> None:
    """Ask for a checkpoint; a user who may not leaves it to the server, which makes one every minute."""
    with connected(backend, location, "drained", answer_s=ADMIN_S) as client:
        _checkpoint(client)


def facts(backend: ServerBackend, place: ServerLocation) -> ServerFacts:
    """Return what the server says of itself, as far as the user may ask."""
    with connected(backend, place, "looked at") as client:
        build = client.admin.command("buildInfo")
        address = client.address
        return ServerFacts(
            NAME,
            _product(build),
            str(build.get("version", "")),
            place.place.public(),
            is_this_machine(address[0]) if address else None,
            _settings(client),
            _free_bytes(client, place.database),
        )


def _free_bytes(client: Client, database: str) -> int | None:
    """Return the room on the server's disk, which it does not say for a database in which there is nothing yet."""
    for name in (database, "admin"):
        with _where_allowed():
            stats = client[name].command("dbStats")
            if stats["fsTotalSize"]:
                return int(stats["fsTotalSize"] - stats["fsUsedSize"])
    return None


def settings(backend: ServerBackend, place: ServerLocation) -> dict[str, str]:
    """Return the settings that decide how durable and how fast the server is, as far as the user may ask."""
    with connected(backend, place, "looked at") as client:
        return _settings(client)


def _product(build: Mapping[str, Any]) -> str:
    """Return who made the server: others speak its protocol, too."""
    if "ferretdb" in build or "ferretdbVersion" in build:
        return "FerretDB"
    if "psmdbVersion" in build:
        return "Percona Server for MongoDB"
    return "MongoDB Enterprise" if "enterprise" in build.get("modules", ()) else "MongoDB"


def _settings(client: Client) -> dict[str, str]:
    found: dict[str, str] = {}
    hello = client.admin.command("hello")
    if "setName" in hello:
        found["replica_set"] = str(hello["setName"])
    with _where_allowed():
        engine = client.admin.command("serverStatus").get("storageEngine", {})
        found["storage_engine"] = str(engine.get("name", "unknown"))
        found["persistent"] = str(engine.get("persistent", "unknown")).lower()
    with _where_allowed():
        answer = client.admin.command({"getParameter": 1, "journalCommitInterval": 1})
        found["journal_commit_interval_ms"] = str(answer["journalCommitInterval"])
    with _where_allowed():
        storage = client.admin.command("getCmdLineOpts")["parsed"].get("storage", {})
        found["journal"] = str(storage.get("journal", {}).get("enabled", True)).lower()
        cache = storage.get("wiredTiger", {}).get("engineConfig", {}).get("cacheSizeGB")
        found |= {} if cache is None else {"cache_size_gb": f"{cache:g}"}
    return found


def _where_allowed() -> contextlib.suppress:
    """Return a context that leaves out what the user may not ask for, or this server does not know."""
    return contextlib.suppress(errors.OperationFailure, KeyError, AttributeError, TypeError)


def list_stores(backend: ServerBackend, place: ServerLocation, prefix: str) -> Sequence[ServerLocation]:
    """Return the collections of ours whose names begin so."""
    with connected(backend, place, "looked at") as client:
        there = marks(client[place.database])
    return [
        place.child(name)
        for name, mark in sorted(there.items())
        if mark is not None and not mark.part and name.startswith(prefix)
    ]


def ping(backend: ServerBackend, location: ServerLocation) -> float:
    """Return the seconds of the smallest request, the least of a few."""
    with connected(backend, location, "reached") as client:
        return least_seconds(lambda: client.admin.command("ping"))


def destroy(backend: ServerBackend, location: ServerLocation) -> None:
    """Drop a collection of ours and its bucket; where there is none, there is nothing to do.

    Raises:
        StoreError: If it is not ours, and is left alone.
    """
    check_name(location)
    with connected(backend, location, "removed", answer_s=ADMIN_S) as client:
        database = client[location.database]
        there = marks(database)
        if location.name in there:
            _check_ours(location, there[location.name])
            _end_writes(client, f"{location.database}.{location.name}")
            database.drop_collection(location.name)
            del there[location.name]
            _drop_orphans(database, there)
            if location.name in database.list_collection_names(filter={"name": location.name}):
                raise still_listed(location)


def deliver(backend: ServerBackend, staged: ServerLocation, final: ServerLocation, *, replace: bool) -> None:
    """Rename a collection, which drops the store that had the name, in one step; the bucket keeps its name."""
    check_name(staged)
    check_name(final)
    with connected(backend, final, "named", answer_s=ADMIN_S) as client:
        database = client[final.database]
        there = marks(database)
        if staged.name not in there:
            raise StoreError(f"{staged} does not exist.")
        _check_ours(staged, there[staged.name])
        if final.name in there:
            if not replace:
                raise StoreError(f"{final} exists already. Name another destination, or add --replace.")
            _check_ours(final, there[final.name])
        database[staged.name].rename(final.name, dropTarget=replace)
        there[final.name] = there.pop(staged.name)
        _drop_orphans(database, there)


def _check_ours(location: ServerLocation, mark: Mark | None) -> None:
    if mark is None or mark.part:
        raise StoreError(f"{location} was not made by imgstore-tui and is left alone.")


def _parts(there: Mapping[str, Mark | None], mark: Mark | None) -> list[str]:
    """Return the names of the collections of a store's bucket."""
    return [name for name, other in there.items() if mark and other and other.part and other.bucket == mark.bucket]


def _drop_orphans(database: Database[dict[str, Any]], there: Mapping[str, Mark | None]) -> None:
    """Drop the buckets of stores that are gone; a bucket is made after its store, so none is of one to come."""
    owned = {mark.bucket for mark in there.values() if mark is not None and not mark.part}
    for name, mark in there.items():
        if mark is not None and mark.part and mark.bucket not in owned:
            database.drop_collection(name)


def _end_writes(client: Client, namespace: str) -> None:
    """End the writes to a collection that a process has sent that died: one that comes late would make it again."""
    deadline = time.monotonic() + _WRITES_END_S
    with _where_allowed():
        while time.monotonic() < deadline:
            if not _end(client, {"ns": namespace, "op": {"$in": _WRITES}}):
                return
            time.sleep(0.02)


def _end(client: Client, condition: Mapping[str, Any]) -> bool:
    """End the operations of this program that run and meet a condition; return whether there were any."""
    running = client.admin.aggregate([
        {"$currentOp": {"allUsers": False, "idleConnections": False}},
        {"$match": {"active": True, "appName": "imgstore-tui", **condition}},
    ])  # fmt: skip
    operations = [operation["opid"] for operation in running]
    for operation in operations:
        client.admin.command("killOp", op=operation)
    return bool(operations)
