"""Reads Parquet files with a column of images, as Hugging Face datasets writes them, or of bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.foreign_files import ForeignFile

_IMAGES = ("image", "img", "picture", "jpg", "png")
_LABELS = ("label", "labels", "fine_label", "class", "cls")


class ParquetImages(ForeignFile):
    """A file of row groups; the one read last stays in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: tuple[int, Any] | None = None
        try:
            self._file = pq.ParquetFile(os.fspath(path), page_checksum_verification=True, pre_buffer=False)
            schema = self._file.schema_arrow
            self._column = next((name for name in _IMAGES if name in schema.names and _holds_images(schema, name)), "")
            label = next((x for x in _LABELS if x in schema.names and pa.types.is_integer(schema.field(x).type)), None)
            facts = self._file.metadata
            if facts.num_rows > path.stat().st_size:  # rows without a value take nothing, and are no pictures
                raise ValueError("it has more rows than bytes")
            groups = range(facts.num_row_groups if self._column else 0)
            self._rows = [(group, row) for group in groups for row in range(facts.row_group(group).num_rows)]
            self.labels = [0] * len(self._rows)
            if label is not None and self._rows:
                column = self._file.read(columns=[label], use_threads=False).column(0).cast(pa.int64())
                self.labels = [0 if value is None else value for value in column.to_pylist()]
        except (pa.ArrowException, OSError, ValueError) as error:
            raise self._damaged(error) from None

    def payload(self, number: int) -> bytes:
        """Return the bytes of a picture."""
        group, row = self._rows[number]
        if self._kept is None or self._kept[0] != group:
            try:
                column = self._file.read_row_group(group, columns=[self._column], use_threads=False).column(0)
            except (pa.ArrowException, OSError, ValueError) as error:
                raise self._damaged(error) from None
            self._kept = group, column
        value = self._kept[1][row].as_py()
        data = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(data, bytes):
            raise StoreError(f"{self.path}: row {number} holds no picture, only the place of one.")
        return data

    def _damaged(self, error: Exception) -> StoreError:
        return StoreError(f"{self.path} is damaged or no Parquet file: {first_line(error)}.")

    def close(self) -> None:
        """Close the file."""
        self._kept = None
        self._file.close(force=True)


def _holds_images(schema: Any, name: str) -> bool:
    arrow_type = schema.field(name).type
    if pa.types.is_struct(arrow_type):
        return any(field.name == "bytes" for field in arrow_type)
    return bool(pa.types.is_binary(arrow_type) or pa.types.is_large_binary(arrow_type))
