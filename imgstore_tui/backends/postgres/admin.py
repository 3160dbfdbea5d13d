"""Looks at, weighs, renames and removes PostgreSQL stores, and asks the server about itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg import errors, sql

from imgstore_tui.backends.postgres.connection import client_name, connect, driver_errors, table
from imgstore_tui.backends.postgres.layout import NAME, OURS, claim, describe, lock_key
from imgstore_tui.core.backend import DiskUsage
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.storekit.server import least_seconds, still_listed

if TYPE_CHECKING:
    from imgstore_tui.backends.postgres.connection import Connection
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_SETTINGS = (
    "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "wal_level", "shared_buffers",
    "data_checksums", "block_size",
)  # fmt: skip
_FACTS = """
    SELECT current_setting('server_version'), inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr()
"""
_SIZES = """
    SELECT pg_total_relation_size(oid), pg_indexes_size(oid),
        coalesce(pg_total_relation_size(nullif(reltoastrelid, 0)), 0)
    FROM pg_class WHERE oid = to_regclass(%s)
"""
_LOG_SIZE = "SELECT sum(size)::bigint FROM pg_ls_waldir()"
_LIST = """
    SELECT c.relname FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND starts_with(c.relname, %s)
        AND starts_with(obj_description(c.oid, 'pg_class'), %s)
    ORDER BY c.relname
"""

_END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database() AND usename = current_user
        AND starts_with(application_name, %s)
"""


def exists(backend: ServerBackend, location: ServerLocation) -> bool:
    """Whether there is anything of that name."""
    with connect(backend, location, read_only=True) as connection, driver_errors(location, "looked at"):
        return describe(connection, location) is not None


def disk_usage(backend: ServerBackend, location: ServerLocation) -> DiskUsage:
    """Return the bytes of all files of the table, as the server counts; it does not say how many files they are."""
    with connect(backend, location, read_only=True) as connection, driver_errors(location, "weighed"):
        row = connection.execute(_SIZES, [table(location).as_string(connection)]).fetchone()
        if row is None:
            raise StoreError(f"{location} does not exist.")
        total, indexes, toast = row
        parts = (("table", total - indexes - toast), ("TOAST", toast), ("indexes", indexes))
        return DiskUsage(total, total, None, parts, _log_size(connection))


def _log_size(connection: Connection) -> int | None:
    """Return the size of the write-ahead log; None for a user who may not see it."""
    try:
        row = connection.execute(_LOG_SIZE).fetchone()
    except errors.InsufficientPrivilege:
        return None
    return None if row is None else row[0]


def settings(backend: ServerBackend, place: ServerLocation) -> dict[str, str]:
    """Return the settings that decide how durable and how fast the server is."""
    with connect(backend, place, read_only=True) as connection, driver_errors(place, "looked at"):
        return _settings(connection)


def _settings(connection: Connection) -> dict[str, str]:
    query = "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name"
    return dict(connection.execute(query, [list(_SETTINGS)]).fetchall())


def facts(backend: ServerBackend, place: ServerLocation) -> ServerFacts:
    """Return what the server says of itself."""
    with connect(backend, place, read_only=True) as connection, driver_errors(place, "looked at"):
        row = connection.execute(_FACTS).fetchone()
        version, same_host = row or ("", None)
        return ServerFacts(
            NAME, "PostgreSQL", str(version).split(" ", 1)[0], place.place.public(), same_host, _settings(connection)
        )


def list_stores(backend: ServerBackend, place: ServerLocation, prefix: str) -> Sequence[ServerLocation]:
    """Return the tables of ours whose names begin so."""
    with connect(backend, place, read_only=True) as connection, driver_errors(place, "looked at"):
        return [place.child(name) for (name,) in connection.execute(_LIST, [prefix, OURS]).fetchall()]


def end_requests(backend: ServerBackend, place: ServerLocation, prefix: str) -> bool:
    """End the connections that were opened for such a store; each is named after it."""
    with connect(backend, place, read_only=True) as connection, driver_errors(place, "looked at"):
        return bool(connection.execute(_END, [client_name(prefix)]).fetchall())


def drain(backend: ServerBackend, location: ServerLocation) -> None:
    """Ask for a checkpoint; a user who may not leaves it to the server."""
    with connect(backend, location) as connection, driver_errors(location, "drained"):
        try:
            connection.execute("CHECKPOINT")
        except errors.InsufficientPrivilege:
            return


def ping(backend: ServerBackend, location: ServerLocation) -> float:
    """Return the seconds of the smallest statement, the least of a few."""
    with connect(backend, location, read_only=True) as connection, driver_errors(location, "reached"):
        return least_seconds(lambda: connection.execute("SELECT 1").fetchone())


def destroy(backend: ServerBackend, location: ServerLocation) -> None:
    """Drop a table of ours; where there is none, there is nothing to do.

    Raises:
        StoreError: If it is not ours, and is left alone.
    """
    with connect(backend, location) as connection, driver_errors(location, "removed"):
        with connection.transaction():
            # Who wrote it may have died just now: the server ends that connection first, and then it is there or not.
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(location)])
            _drop(connection, location)
        if describe(connection, location) is not None:
            raise still_listed(location)


def deliver(backend: ServerBackend, staged: ServerLocation, final: ServerLocation, *, replace: bool) -> None:
    """Rename a table, and drop the store that had the name, in one transaction."""
    with connect(backend, staged) as connection, driver_errors(final, "named"), connection.transaction():
        claim(connection, final)
        if replace:
            _drop(connection, final)
        elif describe(connection, final) is not None:
            raise StoreError(f"{final} exists already. Name another destination, or add --replace.")
        name = table(final)._obj[-1]
        connection.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(table(staged), sql.Identifier(name)))


def _drop(connection: Connection, location: ServerLocation) -> None:
    found = describe(connection, location)
    if found is None:
        return
    comment, columns = found
    if columns is None or comment is None or not comment.startswith(OURS):
        raise StoreError(f"{location} was not made by imgstore-tui and is left alone.")
    connection.execute(sql.SQL("DROP TABLE {}").format(table(location)))
