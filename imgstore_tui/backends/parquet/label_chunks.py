"""Reads a column of labels of a Parquet file by few rows at a time: many rows may stand for one large value."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imgstore_tui.backends.parquet.unpacked_size import FREE_BYTES, check_pages
from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.label_column import NoLabelsError
from imgstore_tui.storekit.raw_file import RawFile

_MOST_ROWS = 65_536
_ROW_BYTES = 16_384
"""What the labels of a row may take on average beyond what may always be unpacked: one-hot rows of many classes."""


def read_bounded(file: RawFile, parquet: Any, name: str, field: str = "") -> Any:
    """Return a column as a ``pyarrow.ChunkedArray``, without dictionaries.

    Args:
        file: The Parquet file.
        parquet: The same as a ``pyarrow.parquet.ParquetFile``.
        name: Name of the column.
        field: Name of the field that is read of a column of structures; empty for the column as a whole.

    Raises:
        NoLabelsError: If it would unpack to far more than labels take.
    """
    facts = parquet.metadata
    allowed = FREE_BYTES + _ROW_BYTES * facts.num_rows
    kind = parquet.schema_arrow.field(name).type
    kind = kind.field(field).type if field else kind
    leaf = f"{name}.{field}" if field else name
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    chunks, size = [], 0
    for group in range(facts.num_row_groups):
        rows = _rows_at_once(file, facts.row_group(group), leaf, allowed)
        for batch in parquet.iter_batches(rows, row_groups=[group], columns=[leaf], use_threads=False):
            chunk = pc.struct_field(batch.column(0), field) if field else batch.column(0)
            chunk = chunk.cast(plain) if plain != kind else chunk
            size += chunk.nbytes
            if size > allowed:
                raise NoLabelsError("would unpack to far more than labels take")
            chunks.append(chunk)
    return pa.chunked_array(chunks, plain)


def _rows_at_once(file: RawFile, group: Any, path: str, allowed: int) -> int:
    """Return how many rows are read together: no value is larger than the page that it comes from."""
    largest = 1
    for number in range(group.num_columns):
        leaf = group.column(number)
        if f"{leaf.path_in_schema}.".startswith(f"{path}."):
            try:
                largest = max(largest, check_pages(file, leaf, allowed))
            except StoreError:
                raise NoLabelsError("would unpack to far more than labels take") from None
    return max(1, min(_MOST_ROWS, FREE_BYTES // largest))
