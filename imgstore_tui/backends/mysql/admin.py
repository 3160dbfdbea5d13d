"""Looks at, weighs, renames and removes MySQL stores, and asks the server about itself."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pymysql

from imgstore_tui.backends.mysql.connection import Connection, driver_errors, table
from imgstore_tui.backends.mysql.layout import NAME, OURS, claim, comment_of
from imgstore_tui.core.backend import DiskUsage
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.storekit.server import CONNECT_S, least_seconds, still_listed

if TYPE_CHECKING:
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_SETTINGS = (
    "innodb_flush_log_at_trx_commit", "innodb_flush_method", "innodb_doublewrite", "sync_binlog", "log_bin",
    "innodb_buffer_pool_size", "innodb_page_size", "max_allowed_packet",
)  # fmt: skip
_TABLESPACES = {"MySQL": "innodb_tablespaces", "MariaDB": "innodb_sys_tablespaces"}
_LOG_SIZES = {
    "MySQL": "SELECT sum(size_in_bytes) FROM performance_schema.innodb_redo_log_files",
    "MariaDB": "SELECT @@global.innodb_log_file_size",
}
_PLAIN = re.compile(r"[0-9A-Za-z_]")


def exists(backend: ServerBackend, location: ServerLocation) -> bool:
    """Whether there is anything of that name."""
    table(location)
    with Connection(backend, location) as connection, driver_errors(location, "looked at"):
        return comment_of(connection, location) is not None


def disk_usage(backend: ServerBackend, location: ServerLocation) -> DiskUsage:
    """Return the size of the table's file, or, where the user may not ask for it, of the pages of its indexes."""
    table(location)
    with Connection(backend, location) as connection, driver_errors(location, "weighed"):
        if comment_of(connection, location) is None:
            raise StoreError(f"{location} does not exist.")
        try:
            rows = connection.query(
                f"SELECT file_size, allocated_size FROM information_schema.{_TABLESPACES[connection.product]} "  # noqa: S608 - from above
                "WHERE name = %s",
                [f"{_file_name(location.database)}/{_file_name(location.name)}"],
            )
        except pymysql.OperationalError:  # the privilege PROCESS is missing
            rows = ()
        connection.query(f"ANALYZE TABLE {table(location)}")
        if connection.product == "MySQL":
            connection.query("SET SESSION information_schema_stats_expiry = 0")
        lengths = connection.query(
            "SELECT data_length, index_length FROM information_schema.tables "
            "WHERE table_schema = DATABASE() AND table_name = %s",
            [location.name],
        )
        log = _log_size(connection)
    data, indexes = (int(length or 0) for length in lengths[0]) if lengths else (0, 0)
    # What is no secondary index lies with the rows, in the order of the primary key.
    parts = (("rows with the primary key", data), ("other indexes", indexes)) if data else ()
    if rows and rows[0][0]:
        return DiskUsage(int(rows[0][0]), int(rows[0][1]) or None, 1, parts, log)
    size = data + indexes or None
    return DiskUsage(size, size, None, parts, log)


def _log_size(connection: Connection) -> int | None:
    """Return the size of the redo log; None where the user may not ask for it."""
    try:
        (row,) = connection.query(_LOG_SIZES[connection.product])
    except pymysql.MySQLError:
        return None
    return int(row[0]) if row[0] else None


def _file_name(name: str) -> str:
    """Return the name that a database or table has as a file. Source: MySQL manual, Mapping of Identifiers."""
    return "".join(letter if _PLAIN.match(letter) else f"@{ord(letter):04x}" for letter in name)


def settings(backend: ServerBackend, place: ServerLocation) -> dict[str, str]:
    """Return the settings that decide how durable and how fast the server is."""
    with Connection(backend, place) as connection, driver_errors(place, "looked at"):
        return _settings(connection)


def _settings(connection: Connection) -> dict[str, str]:
    names = ", ".join(f"'{name}'" for name in _SETTINGS)
    rows = connection.query(f"SHOW GLOBAL VARIABLES WHERE variable_name IN ({names})")
    found = {str(name): str(value) for name, value in rows}
    return {name: found[name] for name in _SETTINGS if name in found}


def facts(backend: ServerBackend, place: ServerLocation) -> ServerFacts:
    """Return what the server says of itself."""
    with Connection(backend, place) as connection, driver_errors(place, "looked at"):
        ((host_name,),) = connection.query("SELECT @@hostname")
        return ServerFacts(
            NAME,
            connection.product,
            connection.version,
            place.place.public(),
            str(host_name) == socket.gethostname(),
            _settings(connection),
        )


def list_stores(backend: ServerBackend, place: ServerLocation, prefix: str) -> Sequence[ServerLocation]:
    """Return the tables of ours whose names begin so."""
    with Connection(backend, place) as connection, driver_errors(place, "looked at"):
        rows = connection.query(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() "
            "AND table_type = 'BASE TABLE' AND table_comment = %s ORDER BY table_name",
            [OURS],
        )
    return [place.child(str(name)) for (name,) in rows if str(name).startswith(prefix)]


def end_requests(backend: ServerBackend, place: ServerLocation, prefix: str) -> bool:
    """End the connections of this user that run a statement which names such a store."""
    with Connection(backend, place) as connection, driver_errors(place, "looked at"):
        rows = connection.query(
            "SELECT id FROM information_schema.processlist "
            "WHERE id <> connection_id() AND command <> 'Sleep' AND locate(%s, info) > 0",
            [prefix],
        )
        for (number,) in rows:
            with contextlib.suppress(pymysql.MySQLError):  # it has ended by itself
                connection.query(f"KILL {int(number)}")
    return bool(rows)


def drain(backend: ServerBackend, location: ServerLocation) -> None:
    """Have the pages of the table written; a user who may not leaves it to the server."""
    name = table(location)
    with Connection(backend, location) as connection, driver_errors(location, "drained"):
        try:
            connection.query(f"FLUSH TABLES {name} FOR EXPORT")
        except pymysql.OperationalError:  # the privileges RELOAD and LOCK TABLES are missing
            return
        connection.query("UNLOCK TABLES")


def ping(backend: ServerBackend, location: ServerLocation) -> float:
    """Return the seconds of the smallest statement, the least of a few."""
    with Connection(backend, location) as connection, driver_errors(location, "reached"):
        return least_seconds(lambda: connection.query("SELECT 1"))


def destroy(backend: ServerBackend, location: ServerLocation) -> None:
    """Drop a table of ours; where there is none, there is nothing to do.

    Raises:
        StoreError: If it is not ours, and is left alone.
    """
    table(location)
    with Connection(backend, location) as connection, driver_errors(location, "removed"):
        # Who wrote it may have died just now: the server ends that connection first.
        claim(connection, location, CONNECT_S)
        if _is_ours(connection, location):
            connection.query(f"DROP TABLE {table(location)}")
        if comment_of(connection, location) is not None:
            raise still_listed(location)


def deliver(backend: ServerBackend, staged: ServerLocation, final: ServerLocation, *, replace: bool) -> None:
    """Rename a table; a store that had the name gets the staged one's in the same step, and is dropped."""
    aside = staged.child(f"{staged.name[:40]}_exchanged")
    table(final)
    with Connection(backend, staged) as connection, driver_errors(final, "named"):
        claim(connection, final)
        taken = comment_of(connection, final) is not None
        if taken and not replace:
            raise StoreError(f"{final} exists already. Name another destination, or add --replace.")
        if not taken or not _is_ours(connection, final):
            connection.query(f"RENAME TABLE {table(staged)} TO {table(final)}")
            return
        connection.query(
            f"RENAME TABLE {table(final)} TO {table(aside)}, {table(staged)} TO {table(final)}, "
            f"{table(aside)} TO {table(staged)}"
        )
        connection.query(f"DROP TABLE {table(staged)}")


def _is_ours(connection: Connection, location: ServerLocation) -> bool:
    """Whether there is a table of ours.

    Raises:
        StoreError: If there is something else.
    """
    comment = comment_of(connection, location)
    if comment is not None and comment != OURS:
        raise StoreError(f"{location} was not made by imgstore-tui and is left alone.")
    return comment is not None
