"""Reads Parquet files with a column of images, as Hugging Face datasets writes them, or of bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from imgstore_tui.backends.parquet.unpacked_size import FREE_BYTES, allowed_bytes, check_pages, too_large
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.arrow_labels import table_labels
from imgstore_tui.storekit.foreign_files import ForeignFile
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import damaged_error

_IMAGES = ("image", "img", "picture", "jpg", "png")
_MOST_ROWS = 256


class ParquetImages(ForeignFile):
    """A file of row groups; the one read last stays in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: tuple[int, Any] | None = None
        self._refused: dict[int, StoreError] = {}
        self._raw: RawFile | None = None
        try:
            self._raw = RawFile(path.resolve())
            self._file = pq.ParquetFile(os.fspath(path), page_checksum_verification=True, pre_buffer=False)
            schema = self._file.schema_arrow
            self._column = next((name for name in _IMAGES if name in schema.names and _holds_images(schema, name)), "")
            facts = self._file.metadata
            if facts.num_rows > path.stat().st_size:  # rows without a value take nothing, and are no pictures
                raise ValueError("it has more rows than bytes")
            groups = range(facts.num_row_groups if self._column else 0)
            self._rows = [(group, row) for group in groups for row in range(facts.row_group(group).num_rows)]
            self.labels = table_labels(schema, len(self._rows), self._column, self._read_labels)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._damaged(error) from None

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self._rows)

    def _read_labels(self, name: str) -> Any:
        return self._file.read(columns=[name], use_threads=False).column(name)

    def payload(self, number: int) -> bytes:
        """Return the bytes of a picture."""
        group, row = self._rows[number]
        if self._kept is None or self._kept[0] != group:
            if group in self._refused:
                raise self._refused[group]
            try:
                column = self._read(group)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise self._damaged(error) from None
            except StoreError as error:
                # Every row of it is refused, and only one must cost the time to find out.
                self._refused[group] = error
                raise
            self._kept = group, column
        value = self._kept[1][row].as_py()
        data = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(data, bytes):
            raise StoreError(f"{self.path}: row {number} holds no picture, only the place of one.")
        return data

    def _read(self, group: int) -> Any:
        """Return the column of a row group in chunks; one that unpacks to far more than pictures do is refused."""
        facts = self._file.metadata.row_group(group)
        leaves = {facts.column(number).path_in_schema: number for number in range(facts.num_columns)}
        leaf = next(name for name in (f"{self._column}.bytes", self._column) if name in leaves)
        column = facts.column(leaves[leaf])
        assert self._raw is not None  # noqa: S101 - opened with the file
        allowed = allowed_bytes(column)
        largest = check_pages(self._raw, column, allowed)
        # No value is larger than the page it comes from.
        rows = max(1, min(_MOST_ROWS, FREE_BYTES // max(1, largest)))
        chunks, size = [], 0
        for batch in self._file.iter_batches(rows, row_groups=[group], columns=[leaf], use_threads=False):
            size += batch.nbytes
            if size > allowed:
                raise too_large(self._raw, size, allowed)
            chunks.append(batch.column(0))
        return pa.chunked_array(chunks)

    def _damaged(self, error: Exception) -> StoreError:
        return damaged_error(self.path, first_line(error), "Parquet file")

    def close(self) -> None:
        """Close the file."""
        self._kept = None
        self._file.close(force=True)
        if self._raw is not None:
            self._raw.close()


def _holds_images(schema: Any, name: str) -> bool:
    arrow_type = schema.field(name).type
    if pa.types.is_struct(arrow_type):
        return any(field.name == "bytes" for field in arrow_type)
    return bool(pa.types.is_binary(arrow_type) or pa.types.is_large_binary(arrow_type))
