"""Reads an SQLite store; the file is opened as immutable, so that no lock and no journal is created."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from imgstore_tui.backends.sqlite import FILE, JOURNAL
from imgstore_tui.backends.sqlite.layout import NAMES, TABLES, damaged
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.live_ids import LiveIds, next_id_in
from imgstore_tui.core.manifest import MAX_MANIFEST_BYTES, IdSpan, foreign, image_bytes, read_manifest
from imgstore_tui.storekit.checked_reader import LiveIdsReader
from imgstore_tui.storekit.names_file import require_names
from imgstore_tui.storekit.one_file import beside, file_of
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_MAGIC = b"SQLite format 3\0"
_MOST_MAPPED = 2**40
_RUN = "SELECT label, data FROM images WHERE id BETWEEN ? AND ? ORDER BY id"
_ONE = "SELECT label, data FROM images WHERE id = ?"
# Rows come in the order of the list, because SQLite does not reorder a CROSS JOIN.
_MANY = "SELECT label, data FROM json_each(?) AS asked CROSS JOIN images ON images.id = asked.value"
_NAMES_RUN = "SELECT name FROM names WHERE id BETWEEN ? AND ? ORDER BY id"
_NAMES_MANY = "SELECT name FROM json_each(?) AS asked CROSS JOIN names ON names.id = asked.value"
_LABELS = "SELECT label FROM images INDEXED BY labels ORDER BY id"
_GONE = "SELECT id FROM images INDEXED BY labels ORDER BY id"


class SqliteReader(LiveIdsReader):
    """Reads a batch by one statement, and copies each row into the caller's memory."""

    def __init__(self, location: Path) -> None:
        self._location, self.path = location, file_of(location, FILE)
        self._connection: sqlite3.Connection | None = None
        _check_file(location, self.path)
        uri = f"file:{quote(str(self.path.absolute()))}?mode=ro&immutable=1"
        try:
            # Threads may take turns; SQLite itself lets them.
            self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            # Code in a file from elsewhere must not run.
            self._connection.execute("PRAGMA trusted_schema=OFF")
            self._open(self._connection)
        except sqlite3.Error as error:
            self.close()
            raise damaged(self.path, error) from None
        except BaseException:
            self.close()
            raise

    def _open(self, connection: sqlite3.Connection) -> None:
        schema = dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchmany(9))
        if "manifest" not in schema or "images" not in schema:
            raise foreign("sqlite", self._location)
        if schema not in (TABLES, TABLES | NAMES):
            raise StoreError(f"{self.path} is damaged: its tables are not those of a store.")
        texts = connection.execute(
            "SELECT text FROM manifest WHERE typeof(text) = 'text' AND length(text) <= ?", (MAX_MANIFEST_BYTES,)
        ).fetchmany(2)
        if len(texts) != 1:
            raise foreign("sqlite", self._location)
        self.content, manifest = read_manifest(texts[0][0], "sqlite", self._location)
        if (schema != TABLES) != (self.content.name_bytes > 0):
            raise StoreError(f"{self.path} is damaged: its tables are not those of a store.")
        self.layout = {"map": bool(manifest.get("map")), "batch": bool(manifest.get("batch"))}
        if self.layout["map"]:
            connection.execute(f"PRAGMA mmap_size={_MOST_MAPPED}")
        next_id = next_id_in(manifest, self.content, self._location)
        deleted = None
        if next_id != self.content.count:
            live = self._numbers(_GONE, self.content.count)
            if len(live) and (live[0] < 0 or live[-1] >= next_id):
                raise self._incomplete()
            deleted = np.delete(np.arange(next_id), live)
        self.live_ids = LiveIds.of(self._location, self.content, next_id, deleted)

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy one row per id straight into the caller's array."""
        size, at = image_bytes(self.content), 0
        pixels, numbers = out.data.cast("B"), []
        try:
            for label, data in self._rows(ids, span):
                pixels[at : at + size] = data
                numbers.append(label)
                at += size
        except (ValueError, TypeError):
            raise StoreError(f"{self.path} is damaged: an image in it is not of {size} bytes.") from None
        self._fill_labels(labels, numbers)

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Return the value of one row per id."""
        rows = list(self._rows(ids, span))
        if not all(type(data) is bytes for _, data in rows):
            raise StoreError(f"{self.path} is damaged: an image in it is no bytes.")
        self._fill_labels(labels, [label for label, _ in rows])
        return [data for _, data in rows]

    def _fill_labels(self, labels: Labels, values: list[Any]) -> None:
        if len(values) != len(labels):
            raise self._incomplete()
        try:
            labels[:] = values
        except (ValueError, TypeError, OverflowError):
            raise StoreError(f"{self.path} is damaged: a label in it is no number.") from None

    def _rows(self, ids: Sequence[int], span: IdSpan | None) -> Iterator[tuple[Any, Any]]:
        """Yield label and value of the rows that exist, at most one per id."""
        connection = require_open(self._connection, self._location, "read")
        try:
            if not self.layout["batch"] or len(ids) == 1:
                for number in ids:
                    yield from connection.execute(_ONE, (number,))
            elif span is not None:
                yield from connection.execute(_RUN, (span[0], span[1] - 1))
            else:
                yield from connection.execute(_MANY, (str(list(ids)),))
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise damaged(self.path, sqlite3.DatabaseError(str(error))) from None

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Return the names of rows."""
        require_names(self.content)
        span = self._check_ids(ids)
        connection = require_open(self._connection, self._location, "read")
        try:
            if span is not None:
                rows = connection.execute(_NAMES_RUN, (span[0], span[1] - 1)).fetchall()
            else:
                rows = connection.execute(_NAMES_MANY, (str([int(number) for number in ids]),)).fetchall()
        except sqlite3.Error as error:
            raise damaged(self.path, error) from None
        if len(rows) != len(ids):
            raise self._incomplete()
        return [str(name) for (name,) in rows]

    def read_labels(self) -> Labels:
        """Read the index alone."""
        try:
            return self._numbers(_LABELS, self.content.count)
        except sqlite3.Error as error:
            raise damaged(self.path, error) from None

    def _numbers(self, statement: str, count: int) -> Labels:
        try:
            rows = require_open(self._connection, self._location, "read").execute(statement).fetchall()
            if len(rows) != count:
                raise self._incomplete()
            return np.fromiter((number for (number,) in rows), np.int64, count)
        except (ValueError, TypeError, OverflowError):
            raise StoreError(f"{self.path} is damaged: a label in it is no number.") from None

    def _incomplete(self) -> StoreError:
        return StoreError(f"{self.path} is damaged: images are missing in it.")

    def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()


def _check_file(location: Path, path: Path) -> None:
    """Check the file before SQLite maps it: a page beyond its end would kill the process."""
    file = RawFile.of_store("sqlite", location, path)
    try:
        head = file.read_at(0, 100) if file.size >= 100 else b""
        if not head.startswith(_MAGIC):
            raise StoreError(f"{path} is damaged or no SQLite file: it does not begin like one.")
        page = int.from_bytes(head[16:18], "big")
        if int.from_bytes(head[28:32], "big") * (65_536 if page == 1 else page) > file.size:
            raise StoreError(f"{path} is damaged: it is shorter than it says.")
    finally:
        file.close()
    journal = beside(path, JOURNAL)
    if journal.exists() and journal.stat().st_size:
        raise StoreError(
            f"{path} was being changed when the program that did so died; run: sqlite3 '{path}' 'PRAGMA quick_check', "
            "which takes back the half of a change that is in it."
        )
