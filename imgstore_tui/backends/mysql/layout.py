"""Defines the table of a store: its columns, its comment, the row that says what it holds, and how rows are put."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.mysql.connection import Connection, code_of, driver_errors, table
from imgstore_tui.core.content import Content
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.live_ids import LiveIds, next_id_in
from imgstore_tui.core.manifest import foreign, read_manifest
from imgstore_tui.storekit.row_reader import incomplete
from imgstore_tui.storekit.server_errors import LOCK_WAIT_S

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation

NAME = "mysql"
OURS = json.dumps({"format": f"imgstore-tui {NAME}"})
"""The comment of every table of ours."""
MANIFEST_ID = -1
"""Id of the row that says what the store holds: it changes in the same transaction as the images."""
_INDEX = ", KEY labels (id, label)"
_CREATE = (
    "CREATE TABLE {table} (id BIGINT PRIMARY KEY, label BIGINT NOT NULL, data LONGBLOB NOT NULL{index}) "
    "ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT='{comment}'"
)
_INSERT = "INSERT INTO {table} (id, label, data) VALUES "
_ON_DUPLICATE = b" ON DUPLICATE KEY UPDATE label = VALUES(label), data = VALUES(data)"
INSERT_ONE = "INSERT INTO {table} (id, label, data) VALUES (%s, %s, %s)"
_MOST_BYTES = 8 << 20
"""A statement is not longer, unless an image is."""
_REST_BYTES = 256
"""What a statement has beside the rows."""
_BAD_COLUMN, _NO_TABLE = 1054, 1146


def lock_name(location: ServerLocation) -> str:
    """Return the name of the lock that whoever writes or removes a table of this name holds."""
    digest = hashlib.blake2b(f"{location.database}\0{location.name}".encode(), digest_size=16).hexdigest()
    return f"imgstore-tui {digest}"


def claim(connection: Connection, location: ServerLocation, wait_s: int = LOCK_WAIT_S) -> None:
    """Take the lock of a name, for as long as the connection lasts.

    Raises:
        StoreError: If another process has it.
    """
    if connection.query("SELECT GET_LOCK(%s, %s)", [lock_name(location), wait_s])[0][0] != 1:
        raise StoreError(f"{location} is being written by another process.")


def create_statement(location: ServerLocation, *, index: bool) -> str:
    """Return the statement that makes the table."""
    return _CREATE.format(table=table(location), index=_INDEX if index else "", comment=OURS)


def look_at(connection: Connection, location: ServerLocation) -> tuple[Content, LiveIds]:
    """Return what a store says of itself.

    Raises:
        StoreError: If it is missing, foreign, damaged or not finished.
    """
    name = table(location)
    with driver_errors(location, "read"):
        try:
            rows = connection.query(f"SELECT data FROM {name} WHERE id = {MANIFEST_ID}")  # noqa: S608 - it is quoted
        except Exception as error:
            if code_of(error) == _BAD_COLUMN:
                raise foreign(NAME, location) from None
            raise
        if not rows:
            if comment_of(connection, location) != OURS:
                raise foreign(NAME, location)
            raise StoreError(f"{location} was never finished: the process that wrote it has gone.")
        if not isinstance(rows[0][0], bytes):
            raise foreign(NAME, location)
        content, manifest = read_manifest(rows[0][0], NAME, location)
        next_id, gone = next_id_in(manifest, content, location), None
        if next_id != content.count:
            there = numbers(connection, location, "id", content.count)
            if len(there) and (there[0] < 0 or there[-1] >= next_id):
                raise incomplete(location)
            gone = np.delete(np.arange(next_id), there)
        return content, LiveIds.of(location, content, next_id, gone)


def comment_of(connection: Connection, location: ServerLocation) -> str | None:
    """Return the comment of a table, an empty text for a view, None where there is neither."""
    rows = connection.query(
        "SELECT table_comment, table_type FROM information_schema.tables "
        "WHERE table_schema = DATABASE() AND table_name = %s",
        [location.name],
    )
    if not rows:
        return None
    return str(rows[0][0]) if rows[0][1] == "BASE TABLE" else ""


def numbers(connection: Connection, location: ServerLocation, column: str, count: int) -> Labels:
    """Return a column of whole numbers of all images, in the order of the ids.

    Raises:
        StoreError: If there are not ``count`` of them.
    """
    query = f"SELECT {column} FROM {table(location)} WHERE id >= 0 ORDER BY id"  # noqa: S608 - it is quoted
    found = connection.query(query)
    if len(found) != count:
        raise incomplete(location)
    return np.fromiter((number for (number,) in found), np.int64, count)


def most_bytes(connection: Connection) -> int:
    """Return the longest statement that the server takes."""
    return int(connection.query("SELECT @@max_allowed_packet")[0][0])


def put_manifest(connection: Connection, location: ServerLocation, text: str) -> None:
    """Put or replace the row that says what the store holds."""
    rows = [(MANIFEST_ID, 0, text.encode())]
    for statement in statements(connection, location, rows, _MOST_BYTES, replace=True):
        connection.query(statement)


def statements(
    connection: Connection,
    location: ServerLocation,
    rows: Sequence[tuple[int, int, bytes | memoryview]],
    most: int,
    *,
    replace: bool = False,
) -> Iterator[bytes]:
    """Yield the statements that put rows, each as long as it may be.

    A value is written as it is, between quotes: only these and the backslash are special there. That takes a third of
    the time of the driver's own escaping, which writes line ends and zeros in two characters, too.

    Args:
        connection: Where they are run.
        location: The store.
        rows: Id, label and bytes of each.
        most: ``max_allowed_packet`` of the server.
        replace: Whether rows of these ids are replaced.

    Raises:
        StoreError: If a row is longer than a statement may be.
    """
    head = connection.encoded(_INSERT.format(table=table(location)))
    tail = _ON_DUPLICATE if replace else b""
    rest = len(head) + len(tail) + _REST_BYTES
    parts: list[bytes] = []
    size = rest
    for number, label, data in rows:
        value = bytes(data).replace(b"\\", b"\\\\").replace(b"'", b"\\'")
        row = b"(%d,%d,_binary'%b')" % (number, label, value)
        if rest + len(row) > most:
            raise too_large(location, len(data), most)
        if parts and size + len(row) + 1 > min(most, _MOST_BYTES):
            yield head + b",".join(parts) + tail
            parts, size = [], rest
        parts.append(row)
        size += len(row) + 1
    if parts:
        yield head + b",".join(parts) + tail


def too_large(location: ServerLocation, size: int, most: int) -> StoreError:
    """Build the error for an image that no statement can carry."""
    return StoreError(
        f"{location} cannot take an image of {size:,} bytes: max_allowed_packet of the server is {most:,}. "
        "Raise that, or make images smaller."
    )
