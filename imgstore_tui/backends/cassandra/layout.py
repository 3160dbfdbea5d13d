"""Defines the table of a store: its mark, its manifest, partitions of several images, large images in pieces.

The mark is the table's comment, which also holds the store's name: a table cannot be renamed, and its own name takes
letters, digits and underscores only. It is there from the moment at which the table is; so whatever a process leaves
that dies is known as ours. The manifest is a row in a partition of its own, images have numbers from 0.

An image has a row with part 0, its head. A payload of more than ``PIECE_BYTES`` lies in further rows, under part
numbers that no earlier version of the image has; the head says which. So a new version is complete when its head is.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.cassandra import driver
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.live_ids import LiveIds, next_id_in
from imgstore_tui.core.manifest import foreign, is_count, read_manifest
from imgstore_tui.storekit.store_errors import damaged_error

if TYPE_CHECKING:
    from imgstore_tui.backends.cassandra.driver import Session
    from imgstore_tui.core.backend import Content, Labels
    from imgstore_tui.core.location import ServerLocation

NAME = "cassandra"
FORMAT = f"imgstore-tui {NAME}"
PIECE_BYTES = 512 * 1024
"""A cell should stay below 1 MB, and the server takes no message beyond a part of its memory."""
PARTITION_BYTES = 4 * 2**20
"""About what a partition holds: one request reads it, and it is far from the 100 MB that a partition should have."""
PAGE_BYTES = 4 * 2**20
"""About what an answer holds."""
SYSTEM_BUCKET = -1
"""The partition of what is no image."""
MANIFEST_ID, PENDING_ID = 0, 1
_TABLE_NAME = re.compile(r"[A-Za-z0-9_]{1,48}")
_COLUMNS = "bucket bigint, id bigint, part int, label bigint, data blob, first int, parts int"
_COMPRESSION = {
    "none": "{'enabled': false}",
    "lz4": "{'class': 'LZ4Compressor'}",
    "zstd": "{'class': 'ZstdCompressor'}",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a keyspace."""

    keyspace: str
    name: str
    store: str | None
    """Name of the store whose rows it holds; None if it is not ours."""
    turn: int = 0
    """Of several tables that say that they are a store, the one with the highest turn is."""

    @property
    def cql(self) -> str:
        """Its name in a statement."""
        return f"{quoted(self.keyspace)}.{quoted(self.name)}"


def quoted(name: str) -> str:
    """Return a name as a statement takes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a statement takes it."""
    return "'" + text.replace("'", "''") + "'"


def comment(store: str, turn: int) -> str:
    """Return the mark of a table."""
    return json.dumps({"format": FORMAT, "name": store, "turn": turn})


def tables(session: Session, keyspace: str) -> list[Table]:
    """Return all tables of a keyspace, and its views as tables that are not ours."""
    found = session.execute(
        "SELECT table_name, comment FROM system_schema.tables WHERE keyspace_name = %s", (keyspace,)
    )
    views = session.execute("SELECT view_name FROM system_schema.views WHERE keyspace_name = %s", (keyspace,))
    listed = [_marked(keyspace, name, text) for name, text in found]
    return [*listed, *(Table(keyspace, name, None) for (name,) in views)]


def _marked(keyspace: str, name: str, text: str | None) -> Table:
    if text and text.startswith('{"format": '):
        try:
            mark = json.loads(text)
        except ValueError:
            mark = {}
        store, turn = mark.get("name"), mark.get("turn")
        if mark.get("format") == FORMAT and isinstance(store, str) and is_count(turn):
            return Table(keyspace, name, store, turn)
    return Table(keyspace, name, None)


def find(listed: Sequence[Table], location: ServerLocation) -> Table | None:
    """Return the table of a store, or one of somebody else that has its name; None if there is nothing."""
    own = [table for table in listed if table.store == location.name]
    if own:
        return max(own, key=lambda table: table.turn)
    return next((table for table in listed if table.store is None and table.name == location.name), None)


def create_table(session: Session, location: ServerLocation, compression: str) -> Table:
    """Create the table of a new store, with its mark, in one step.

    Raises:
        StoreError: If something of its name is there.
    """
    listed = tables(session, location.database)
    if find(listed, location) is not None:
        raise StoreError(f"{location} exists already; a store is made under a name of its own.")
    name = _own_name(location.name)
    if any(table.name == name for table in listed):  # of a store that has another name by now
        name = f"imgstore_tui_{uuid.uuid4().hex}"
    table = Table(location.database, name, location.name)
    session.execute(create_statement(table, compression), timeout=driver.SCHEMA_S)
    return table


def create_statement(table: Table, compression: str, *, unless_exists: bool = False) -> str:
    """Return the statement that makes the table of a store, with its mark."""
    mark = literal(comment(table.store or "", table.turn))
    options = f"comment = {mark} AND compression = {_COMPRESSION[compression]}"
    head = f"CREATE TABLE {'IF NOT EXISTS ' if unless_exists else ''}{table.cql}"
    return f"{head} ({_COLUMNS}, PRIMARY KEY ((bucket), id, part)) WITH {options}"


def _own_name(store: str) -> str:
    """Return the name of the table of a store: the same, unless it holds what the server does not take."""
    if _TABLE_NAME.fullmatch(store):
        return store
    return f"imgstore_tui_{hashlib.blake2b(store.encode(), digest_size=12).hexdigest()}"


def set_comment(session: Session, table: Table, store: str, turn: int) -> None:
    """Let a table say that it is another store."""
    session.execute(f"ALTER TABLE {table.cql} WITH comment = {literal(comment(store, turn))}", timeout=driver.SCHEMA_S)


def insert_text(table: Table, sign: str) -> str:
    """Return the statement that puts a row; ``sign`` stands for each of its seven values."""
    values = ", ".join([sign] * 7)
    columns = "bucket, id, part, label, data, first, parts"
    return f"INSERT INTO {table.cql} ({columns}) VALUES ({values})"  # noqa: S608 - a quoted name


@dataclass(frozen=True, slots=True)
class StoreState:
    """What a store says of itself."""

    table: Table
    content: Content
    live_ids: LiveIds
    text: str
    """Its manifest."""
    bucket_size: int
    """Images of a partition."""
    largest: int
    """Bytes of the largest payload ever put."""
    pending: Labels
    """Ids that are deleted, though their rows may still be there: whoever deleted them has died."""

    @property
    def page_rows(self) -> int:
        """Rows of an answer."""
        return page_rows(self.largest)


def page_rows(largest: int) -> int:
    """Return how many rows an answer may have, if the largest payload has so many bytes."""
    return max(1, min(5000, PAGE_BYTES // max(1, min(largest, PIECE_BYTES))))


def look_at(session: Session, location: ServerLocation) -> StoreState:
    """Return what a store says of itself.

    Raises:
        StoreError: If it is missing, foreign, damaged or not finished.
    """
    table = find(tables(session, location.database), location)
    if table is None:
        raise StoreError(f"{location} does not exist.")
    if table.store is None:
        raise foreign(NAME, location)
    query = f"SELECT id, data FROM {table.cql} WHERE bucket = {SYSTEM_BUCKET}"  # noqa: S608 - a quoted name
    rows = {number: data for number, data in session.execute(query)}  # noqa: C416 - typed
    if rows.get(MANIFEST_ID) is None:
        raise StoreError(f"{location} was never finished: the process that wrote it has gone.")
    text = bytes(rows[MANIFEST_ID]).decode("utf-8", "replace")
    content, manifest = read_manifest(text, NAME, location)
    next_id, bucket_size, largest = (
        next_id_in(manifest, content, location),
        manifest.get("bucket"),
        manifest.get("largest"),
    )
    pending = np.frombuffer(rows.get(PENDING_ID) or b"", "<i8").astype(np.int64)
    if not is_count(bucket_size) or bucket_size < 1 or not is_count(largest):
        raise damaged_error(location, "what it says of its layout makes no sense")
    live_ids = LiveIds(next_id)
    if next_id != content.count:
        present, _ = scan(session, table, location, next_id, pending)
        if len(present) != content.count:
            raise incomplete(location)
        live_ids = LiveIds.of(location, content, next_id, np.delete(np.arange(next_id), present))
    return StoreState(table, content, live_ids, text, bucket_size, largest, pending)


def scan(
    session: Session, table: Table, location: ServerLocation, next_id: int, pending: Labels
) -> tuple[Labels, Labels]:
    """Return ids and labels of all images, int64 arrays (n,), ascending by id; no payload is sent."""
    query = driver.simple(f"SELECT bucket, id, part, label FROM {table.cql}", 5000)  # noqa: S608 - a quoted name
    rows = [(number, label) for bucket, number, part, label in session.execute(query) if bucket >= 0 and part == 0]
    if any(label is None for _, label in rows):
        raise damaged_error(location, "an image in it has no label")
    ids, labels = np.array(rows, np.int64).reshape(-1, 2).T
    kept = (ids < next_id) & ~np.isin(ids, pending)
    order = np.argsort(ids[kept], kind="stable")
    return ids[kept][order], labels[kept][order]


def incomplete(location: ServerLocation) -> StoreError:
    """Return the error for a store in which rows are missing."""
    return damaged_error(location, "images are missing in it")


def bucket_size(content: Content, most: int) -> int:
    """Return how many images a partition of a new store gets."""
    if not content.count or not content.payload_bytes:
        return most
    return max(1, min(most, PARTITION_BYTES * content.count // content.payload_bytes))
