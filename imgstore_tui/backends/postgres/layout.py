"""Defines the table of a store: its columns, its comment, and the statements that put rows into it."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from psycopg import sql

from imgstore_tui.backends.postgres.connection import driver_errors, table
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.live_ids import LiveIds, next_id_in
from imgstore_tui.core.manifest import MAX_MANIFEST_BYTES, foreign, read_manifest
from imgstore_tui.storekit.row_reader import incomplete
from imgstore_tui.storekit.server_errors import LOCK_WAIT_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imgstore_tui.backends.postgres.connection import Connection
    from imgstore_tui.core.backend import Content, Labels
    from imgstore_tui.core.location import ServerLocation

NAME = "postgres"
OURS = json.dumps({"format": f"imgstore-tui {NAME}"})[:-1]
"""How the comment of every table of ours begins."""
UNFINISHED = f'{OURS}, "unfinished": true}}'
"""The comment of a table whose rows are made durable batch by batch, until it is whole."""

# The index holds the labels, too: they are read without touching pixels.
CREATE = sql.SQL(
    "CREATE TABLE {table} (id bigint, label bigint NOT NULL, data bytea STORAGE {storage} NOT NULL, "
    "PRIMARY KEY (id) INCLUDE (label)) WITH (toast_tuple_target = {inline})"
)
CREATE_BEFORE_16 = sql.SQL(
    "CREATE TABLE {table} (id bigint, label bigint NOT NULL, data bytea NOT NULL, "
    "PRIMARY KEY (id) INCLUDE (label)) WITH (toast_tuple_target = {inline}); "
    "ALTER TABLE {table} ALTER COLUMN data SET STORAGE {storage}"
)
"""The same for servers that do not take the storage of a column as it is made."""
STORAGE_IN_CREATE = 160_000
INSERT = sql.SQL("INSERT INTO {table} (id, label, data) VALUES (%s, %s, %s)")
REPLACE = sql.SQL(
    "INSERT INTO {table} (id, label, data) VALUES (%b, %b, %b) "
    "ON CONFLICT (id) DO UPDATE SET label = excluded.label, data = excluded.data"
)
COPY = sql.SQL("COPY {table} (id, label, data) FROM STDIN (FORMAT BINARY{frozen})")
_COLUMNS = [["id", "bigint"], ["label", "bigint"], ["data", "bytea"]]
_DESCRIBE = """
    SELECT obj_description(c.oid, 'pg_class'), c.relkind::text,
        (SELECT json_agg(json_build_array(attname, format_type(atttypid, NULL)) ORDER BY attnum)
         FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
    FROM pg_class c WHERE c.oid = to_regclass(%s)
"""
_LOCK_STEP_S = 0.05


def lock_key(location: ServerLocation) -> int:
    """Return the key of the advisory lock that whoever writes or removes a table of this name holds."""
    return int.from_bytes(hashlib.blake2b(location.name.encode(), digest_size=8).digest(), "big", signed=True)


def claim(connection: Connection, location: ServerLocation) -> None:
    """Take the lock of a name, for as long as the connection lasts.

    Raises:
        StoreError: If another process has it.
    """
    until = time.monotonic() + LOCK_WAIT_S
    while connection.execute("SELECT pg_try_advisory_lock(%s)", [lock_key(location)]).fetchone() != (True,):
        if time.monotonic() > until:
            raise StoreError(f"{location} is being written by another process.")
        time.sleep(_LOCK_STEP_S)


def describe(connection: Connection, location: ServerLocation) -> tuple[str | None, Any] | None:
    """Return the comment and the columns of what has this name, None for what is no table; None if there is nothing."""
    row = connection.execute(_DESCRIBE, [table(location).as_string(connection)]).fetchone()
    return None if row is None else (row[0], row[2] if row[1] == "r" else None)


def look_at(connection: Connection, location: ServerLocation) -> tuple[Content, Mapping[str, Any], LiveIds]:
    """Return what a store says of itself.

    Raises:
        StoreError: If it is missing, foreign, damaged or not finished.
    """
    with driver_errors(location, "read"):
        found = describe(connection, location)
        if found is None:
            raise StoreError(f"{location} does not exist.")
        comment, columns = found
        if comment is None or not comment.startswith(OURS) or len(comment) > MAX_MANIFEST_BYTES:
            raise foreign(NAME, location)
        if comment == UNFINISHED:
            raise StoreError(f"{location} was never finished: the process that wrote it has gone.")
        if columns != _COLUMNS:
            raise StoreError(f"{location} is damaged: its columns are not those of a store.")
        content, manifest = read_manifest(comment, NAME, location)
        next_id, gone = next_id_in(manifest, content, location), None
        if next_id != content.count:
            there = numbers(connection, location, "SELECT id FROM {table} ORDER BY id", content.count)
            if len(there) and (there[0] < 0 or there[-1] >= next_id):
                raise incomplete(location)
            gone = np.delete(np.arange(next_id), there)
        return content, manifest, LiveIds.of(location, content, next_id, gone)


def numbers(connection: Connection, location: ServerLocation, query: str, count: int) -> Labels:
    """Return the whole numbers that a query yields.

    Raises:
        StoreError: If there are not ``count`` of them.
    """
    with connection.cursor(binary=True) as cursor:
        found = cursor.execute(sql.SQL(query).format(table=table(location))).fetchall()
    if len(found) != count:
        raise incomplete(location)
    return np.fromiter((number for (number,) in found), np.int64, count)


def set_comment(location: ServerLocation, text: str) -> sql.Composed:
    """Return the statement that lets the table say what it holds."""
    return sql.SQL("COMMENT ON TABLE {} IS {}").format(table(location), sql.Literal(text))


def put_rows(
    connection: Connection,
    location: ServerLocation,
    ids: Sequence[int],
    values: Sequence[bytes | memoryview],
    labels: Labels,
    *,
    frozen: bool = False,
) -> None:
    """Copy rows in by one statement.

    Args:
        connection: In a transaction.
        location: The store.
        ids: Their ids.
        values: Bytes of each.
        labels: int64 array (n,).
        frozen: Whether the table was made in the same transaction: its rows are then written as they stay.
    """
    statement = COPY.format(table=table(location), frozen=sql.SQL(", FREEZE" if frozen else ""))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(["int8", "int8", "bytea"])
        for row in zip(ids, labels.tolist(), values, strict=True):
            copy.write_row(row)
