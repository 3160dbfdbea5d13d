"""Writes a DuckDB store."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from imgstore_tui.backends.duckdb.layout import COLUMNS, NAMES, VIEW, attach, check_names, put_images, put_names
from imgstore_tui.core.backend import Content, Writer
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_complete, check_put, image_bytes, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import OptionValue
from imgstore_tui.storekit.atomic_write import publish
from imgstore_tui.storekit.one_file import partial_path
from imgstore_tui.storekit.store_errors import require_open, write_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


class DuckdbWriter(Writer):
    """Inserts parts batch by batch; ``close`` inserts the manifest and gives the file its name."""

    def __init__(self, location: Path, content: Content, values: Mapping[str, OptionValue], sync: SyncLevel) -> None:
        self._location, self._content = location, content
        self._path = partial_path(location)
        self._sync_each_batch = sync is SyncLevel.BATCH
        self._part = int(values["part"]) * 1024
        self._layout = {"part": self._part}
        self._put = 0
        self._connection: Any = None
        try:
            self._path.unlink()  # DuckDB takes no empty file for a new one
            self._connection = attach(self._path, logged=self._sync_each_batch, forced=self._sync_each_batch)
            for name, columns in COLUMNS.items():
                plain = "BLOB USING COMPRESSION uncompressed" if values["compression"] == "none" else "BLOB"
                self._connection.execute(f"CREATE TABLE {name}({columns.replace('BLOB', plain)})")
            if content.name_bytes:
                self._connection.execute(f"CREATE TABLE names({NAMES})")
            self._connection.execute(VIEW)
        except (duckdb.Error, OSError) as error:
            self.abort()
            raise write_error(self._path, error) from None

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Insert the parts of payloads."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        self._insert(ids, np.fromiter(map(len, payloads), np.int64, len(payloads)), payloads, labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Insert the parts of images, straight from the array's memory."""
        check_put(self._location, self._content, self._put, ids, images, labels)
        self._insert(ids, np.full(len(ids), image_bytes(self._content)), images, labels)

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Insert one row per name."""
        try:
            put_names(require_open(self._connection, self._location, "put"), self._location, self._content, ids, names)
        except (duckdb.Error, pa.ArrowException) as error:
            raise write_error(self._path, error) from None

    def _insert(self, ids: Sequence[int], sizes: Labels, images: Any, labels: Labels) -> None:
        if self._connection is None:
            raise StoreError(f"{self._location} is closed: nothing more can be put.")
        if not len(ids):
            return
        try:
            self._connection.execute("BEGIN")
            put_images(self._connection, ids, sizes, images, labels, self._part)
            self._connection.execute("COMMIT")
            self.syncs += self._sync_each_batch
        except (duckdb.Error, pa.ArrowException) as error:
            raise write_error(self._path, error) from None
        self._put += len(ids)

    def close(self) -> None:
        """Write the manifest, checkpoint, and give the file its name, without which it is no store."""
        connection = self._connection
        if connection is None:
            return
        try:
            check_complete(self._location, self._content, self._put)
            check_names(connection, self._location, self._content)
            manifest = write_manifest("duckdb", self._content, **self._layout)
            connection.execute("INSERT INTO manifest VALUES (?)", (manifest,))
            connection.execute("CHECKPOINT store")
            self._connection = None
            connection.close()
            self.syncs += publish(self._path, self._location, durable=self._sync_each_batch)
        except (duckdb.Error, OSError) as error:
            raise write_error(self._path, error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the file without giving it its name."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(duckdb.Error):
                connection.close()
