"""Looks at, weighs, renames and removes Cassandra stores, and asks the server about itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgstore_tui.backends.cassandra import driver
from imgstore_tui.backends.cassandra.connection import connected
from imgstore_tui.backends.cassandra.driver import Cause
from imgstore_tui.backends.cassandra.layout import NAME, create_statement, find, set_comment, tables
from imgstore_tui.core.backend import DiskUsage
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.storekit.server import is_this_machine, least_seconds, still_listed

if TYPE_CHECKING:
    from imgstore_tui.backends.cassandra.driver import Row, Session
    from imgstore_tui.backends.cassandra.layout import Table
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_FLUSH_PERIOD_MS = 100
_FLUSH_S = 60.0
_LOOK_AGAIN_S = 0.1
_POOLS = ("MemtableFlushWriter", "MemtablePostFlush", "MemtableReclaimMemory", "CompactionExecutor")
_SETTINGS = (
    "commitlog_sync", "commitlog_sync_period", "commitlog_sync_group_window", "batch_size_fail_threshold",
    "memtable_heap_space",
)  # fmt: skip


def exists(backend: ServerBackend, location: ServerLocation) -> bool:
    """Whether there is a store, or a table or view of somebody else, of that name."""
    with connected(backend, location, "looked at") as session:
        return find(tables(session, location.database), location) is not None


def disk_usage(backend: ServerBackend, location: ServerLocation) -> DiskUsage:
    """Return the bytes of the table's files as the server says them, in whole MiB; unknown where it says less."""
    with connected(backend, location, "weighed") as session:
        table = find(tables(session, location.database), location)
        if table is None:
            raise StoreError(f"{location} does not exist.")
        size = _size(session, table) or None
    # The server does not say how large its commit log is.
    return DiskUsage(size, size, None, (("SSTables", size),) if size else ())


def _size(session: Session, table: Table) -> int:
    rows = session.execute(
        "SELECT mebibytes FROM system_views.disk_usage WHERE keyspace_name = %s AND table_name = %s",
        (table.keyspace, table.name),
    )
    return int(rows[0][0]) << 20 if rows else 0


def drain(backend: ServerBackend, location: ServerLocation) -> None:
    """Have the table flushed to its files, and wait until the server neither flushes nor compacts.

    A client cannot order that. It can set the age at which the table is flushed, and take that back.
    """
    with connected(backend, location, "drained") as session:
        table = find(tables(session, location.database), location)
        if table is None or table.store is None:
            return
        head = f"ALTER TABLE {table.cql} WITH memtable_flush_period_in_ms ="
        try:
            session.execute(f"{head} {_FLUSH_PERIOD_MS}", timeout=driver.SCHEMA_S)
        except driver.ERRORS as error:
            if driver.cause(error) is Cause.FORBIDDEN:
                return
            raise
        try:
            time.sleep(2 * _FLUSH_PERIOD_MS / 1000)
            _wait_until_idle(session)
        finally:
            session.execute(f"{head} 0", timeout=driver.SCHEMA_S)


def _wait_until_idle(session: Session) -> None:
    """Wait until two looks in a row see no flush and no compaction, for at most ``_FLUSH_S`` seconds."""
    deadline, idle = time.monotonic() + _FLUSH_S, 0
    names = ", ".join(f"'{name}'" for name in _POOLS)
    query = f"SELECT active_tasks, pending_tasks FROM system_views.thread_pools WHERE name IN ({names})"  # noqa: S608
    while idle < 2 and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_S)
        busy = any(active or pending for active, pending in session.execute(query))
        idle = 0 if busy else idle + 1


def facts(backend: ServerBackend, place: ServerLocation) -> ServerFacts:
    """Return what the server says of itself, as far as the user may ask."""
    with connected(backend, place, "looked at") as session:
        (release,) = session.execute("SELECT release_version FROM system.local")[0]
        return ServerFacts(
            NAME,
            "Apache Cassandra",
            str(release),
            place.place.public(),
            is_this_machine(session.address),
            _settings(session, place),
        )


def settings(backend: ServerBackend, place: ServerLocation) -> dict[str, str]:
    """Return the settings that decide how durable and how fast the server is, as far as the user may ask."""
    with connected(backend, place, "looked at") as session:
        return _settings(session, place)


def _settings(session: Session, place: ServerLocation) -> dict[str, str]:
    names = ", ".join(f"'{name}'" for name in _SETTINGS)
    found = _allowed(session, f"SELECT name, value FROM system_views.settings WHERE name IN ({names})")  # noqa: S608
    values = {name: str(value) for name, value in found if value}
    durable, replication = session.execute(
        "SELECT durable_writes, replication FROM system_schema.keyspaces WHERE keyspace_name = %s", (place.database,)
    )[0]
    copies = {name: value for name, value in dict(replication).items() if name != "class"}
    values["durable_writes"] = str(bool(durable)).lower()
    values["replication"] = " ".join(f"{name}={value}" for name, value in sorted(copies.items()))
    return values


def _allowed(session: Session, query: str) -> list[Row]:
    """Return the rows of a query, none where the user may not ask or the server does not know it."""
    try:
        return session.execute(query)
    except driver.ERRORS as error:
        if driver.cause(error) in (Cause.GONE, Cause.TIMEOUT):
            raise
        return []


def list_stores(backend: ServerBackend, place: ServerLocation, prefix: str) -> Sequence[ServerLocation]:
    """Return the stores whose names begin so."""
    with connected(backend, place, "looked at") as session:
        names = {table.store for table in tables(session, place.database) if table.store is not None}
    return [place.child(name) for name in sorted(names) if name.startswith(prefix)]


def end_requests(backend: ServerBackend, place: ServerLocation, prefix: str) -> bool:
    """Return whether the node that is asked runs a statement that names such a store; none can be ended."""
    with connected(backend, place, "looked at") as session:
        return any(prefix in str(task) for (task,) in _allowed(session, "SELECT task FROM system_views.queries"))


def ping(backend: ServerBackend, location: ServerLocation) -> float:
    """Return the seconds of the smallest statement, the least of a few."""
    with connected(backend, location, "reached") as session:
        return least_seconds(lambda: session.execute("SELECT key FROM system.local"))


def destroy(backend: ServerBackend, location: ServerLocation) -> None:
    """Drop the table of a store, and all that it has replaced; where there is none, there is nothing to do.

    Raises:
        StoreError: If it is not ours, and is left alone.
    """
    with connected(backend, location, "removed") as session:
        listed = tables(session, location.database)
        table = find(listed, location)
        if table is not None and table.store is None:
            raise StoreError(f"{location} was not made by imgstore-tui and is left alone.")
        _drop(session, [table for table in listed if table.store == location.name])
        if find(tables(session, location.database), location) is not None:
            raise still_listed(location)


def deliver(backend: ServerBackend, staged: ServerLocation, final: ServerLocation, *, replace: bool) -> None:
    """Let the table say that it is the final store, in one step; then drop the one that said so before."""
    with connected(backend, final, "named") as session:
        listed = tables(session, final.database)
        new, old = find(listed, staged), find(listed, final)
        if new is None or new.store is None:
            raise StoreError(f"{staged} does not exist.")
        if old is not None and not replace:
            raise StoreError(f"{final} exists already. Name another destination, or add --replace.")
        if old is not None and old.store is None:
            raise StoreError(f"{final} was not made by imgstore-tui and is left alone.")
        set_comment(session, new, final.name, old.turn + 1 if old else 0)
        _drop(session, [table for table in listed if table.store == final.name])


def _drop(session: Session, listed: Sequence[Table]) -> None:
    for table in listed:
        session.execute(f"DROP TABLE IF EXISTS {table.cql}", timeout=driver.SCHEMA_S)
        if table in tables(session, table.keyspace):
            # A node that was killed reads its schema first and its commit log then: a table that only the log knows is
            # listed, but cannot be dropped. One that is made under its name can, and takes what is listed with it.
            session.execute(create_statement(table, "none", unless_exists=True), timeout=driver.SCHEMA_S)
            session.execute(f"DROP TABLE IF EXISTS {table.cql}", timeout=driver.SCHEMA_S)
