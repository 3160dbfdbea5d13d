"""Reads Parquet files of other programs with a column of picture files, as Hugging Face datasets writes them, or bare.

A row may hold one picture or a list of them; rows without a picture are left out by name.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imgstore_tui.backends.parquet.label_chunks import read_bounded
from imgstore_tui.backends.parquet.unpacked_size import FREE_BYTES, allowed_bytes, check_pages, too_large
from imgstore_tui.core.dataset import Excluded
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import NOTHING_NAMED, ForeignLayout
from imgstore_tui.core.text import first_line
from imgstore_tui.images.picture_column import PictureColumn, choose_column, left_out_rows, present_pictures
from imgstore_tui.storekit.arrow_labels import table_labels
from imgstore_tui.storekit.arrow_names import PATH, picture_names
from imgstore_tui.storekit.foreign_files import ForeignFile
from imgstore_tui.storekit.label_column import no_labels
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import damaged_error

_MOST_ROWS = 256
_FIRST_ROWS = 8
"""Rows whose values show whether a column holds pictures."""


class ParquetImages(ForeignFile):
    """A file of row groups; the one read last stays in memory."""

    def __init__(self, path: Path, layout: ForeignLayout = NOTHING_NAMED) -> None:
        self.path = path
        self.excluded: list[Excluded] = []
        self.warnings: list[str] = []
        self.labels = no_labels("there are no pictures")
        self._cached_column: tuple[int, Any] | None = None
        self._refused: dict[int, StoreError] = {}
        self._raw: RawFile | None = None
        self._parquet: Any = None  # a pyarrow.parquet.ParquetFile
        self._version: tuple[int, ...] | None = None
        # Columns, not objects: row group, row in it, and place in the list of a row.
        self._groups, self._rows, self._items = array("l"), array("q"), array("l")
        try:
            parquet = self._open()
            schema, facts = parquet.schema_arrow, parquet.metadata
            if facts.num_rows > path.stat().st_size:  # rows without a value take nothing, and are no pictures
                raise ValueError("it has more rows than bytes")
            self._column, self.warnings = choose_column(path, schema, layout.image, self._first_values)
            if self._column is not None:
                picture_rows = self._index(self._column)
                rows = np.array(picture_rows, np.int64)
                self.labels = table_labels(
                    schema, len(rows), self._column.name, lambda name: self._read_column(name, rows), layout.label
                )
                self.names = self._names(schema, self._column, rows)
            else:
                self.excluded, more = left_out_rows(path, range(facts.num_rows))
                self.warnings += more
        except (pa.ArrowException, OSError, ValueError) as error:
            self.close()
            raise self._damaged(error) from None
        except BaseException:
            self.close()
            raise

    def _open(self) -> Any:
        """Return the file, which is opened if it is not open; what is in it must not have changed.

        Raises:
            StoreError: If it has.
        """
        if self._parquet is None:
            self._raw = RawFile(self.path.resolve())
            if self._version not in (None, self._raw.version):
                raise StoreError(f"{self.path} has changed since it was scanned.")
            self._version = self._raw.version
            self._parquet = pq.ParquetFile(os.fspath(self.path), page_checksum_verification=True, pre_buffer=False)
        return self._parquet

    @property
    def count(self) -> int:
        """Number of pictures."""
        return len(self._rows)

    def _names(self, schema: Any, form: PictureColumn, rows: np.ndarray[Any, Any]) -> list[str]:
        """Return the names of pictures; empty where a row holds several, or not all have one."""
        if form.in_list:
            return []
        return picture_names(
            schema,
            form.name,
            in_struct=form.in_struct,
            read_paths=lambda: self._read_column(form.name, rows, PATH),
            read=lambda name: self._read_column(name, rows),
        )

    def _read_column(self, name: str, rows: np.ndarray[Any, Any], field: str = "") -> Any:
        """Return the values of a column in rows, of which one may count several times.

        Raises:
            NoLabelsError: If it would unpack to far more than labels take.
        """
        assert self._raw is not None  # noqa: S101 - opened with the file
        column = read_bounded(self._raw, self._parquet, name, field)
        whole = len(rows) == len(column) and (rows == np.arange(len(rows))).all()
        return column if whole else column.take(pa.array(rows))

    def _first_values(self, form: PictureColumn) -> list[Any]:
        """Return values of a column from the first rows that have one."""
        for group in range(self._parquet.metadata.num_row_groups):
            for batch in self._batches(form, group, _FIRST_ROWS):
                if values := [value for value in batch.to_pylist() if value and any(form.pictures(value))]:
                    return values
        return []

    def _index(self, form: PictureColumn) -> list[int]:
        """Locate the pictures; return the row of the file that each is from. Other rows are left out by name."""
        picture_rows: list[int] = []
        empty: list[int] = []
        at = 0
        for group in range(self._parquet.metadata.num_row_groups):
            count = self._parquet.metadata.row_group(group).num_rows
            if not form.in_list and self._has_all(form, group):
                self._add(group, range(count), [0] * count)
                picture_rows += range(at, at + count)
                at += count
                continue
            row = 0
            for batch in self._batches(form, group, _MOST_ROWS):
                for number, sizes in enumerate(present_pictures(form, batch), row):
                    self._add(group, [number] * len(sizes), sizes)
                    picture_rows += [at + number] * len(sizes)
                    if not sizes:
                        empty.append(at + number)
                row += len(batch)
            at += count
        self.excluded, more = left_out_rows(self.path, empty)
        self.warnings += more
        return picture_rows

    def _add(self, group: int, rows: Any, items: list[int]) -> None:
        self._groups.extend([group] * len(items))
        self._rows.extend(rows)
        self._items.extend(items)

    def _leaf(self, form: PictureColumn, group: int) -> Any:
        """Return the chunk of a row group that holds the bytes of pictures, as the footer describes it."""
        facts = self._parquet.metadata.row_group(group)
        leaves = [facts.column(number) for number in range(facts.num_columns)]
        own = [leaf for leaf in leaves if leaf.path_in_schema.split(".")[0] == form.name]
        if form.in_struct:
            own = [leaf for leaf in own if leaf.path_in_schema.endswith(".bytes")]
        if len(own) != 1:
            raise ValueError(f"its column {form.name} is not laid out as its type says")
        return own[0]

    def _has_all(self, form: PictureColumn, group: int) -> bool:
        """Whether the footer says that every row of a group has bytes."""
        statistics = self._leaf(form, group).statistics
        return bool(statistics is not None and statistics.has_null_count and statistics.null_count == 0)

    def payload(self, number: int) -> bytes:
        """Return the bytes of a picture."""
        group, row, item = self._groups[number], self._rows[number], self._items[number]
        form = self._column
        if self._cached_column is None or self._cached_column[0] != group:
            if group in self._refused:
                raise self._refused[group]
            try:
                self._open()
                column = pa.chunked_array(list(self._batches(form, group, _MOST_ROWS))) if form else None
            except (pa.ArrowException, OSError, ValueError) as error:
                raise self._damaged(error) from None
            except StoreError as error:
                # Every row of it is refused, and only one must cost the time to find out.
                self._refused[group] = error
                raise
            self._cached_column = group, column
        pictures = form.pictures(self._cached_column[1][row].as_py()) if form else []
        data = pictures[item] if item < len(pictures) else None
        if not isinstance(data, bytes):
            raise StoreError(f"{self.path}: row {row} of group {group} holds no picture, only the place of one.")
        return data

    def _batches(self, form: PictureColumn, group: int, most_rows: int) -> Iterator[Any]:
        """Yield the column of a row group in chunks; one that unpacks to far more than pictures do is refused."""
        column = self._leaf(form, group)
        assert self._raw is not None  # noqa: S101 - opened with the file
        allowed = allowed_bytes(column)
        largest = check_pages(self._raw, column, allowed)
        # No value is larger than the page it comes from.
        rows = max(1, min(most_rows, FREE_BYTES // max(1, largest)))
        size = 0
        leaf = column.path_in_schema
        for batch in self._parquet.iter_batches(rows, row_groups=[group], columns=[leaf], use_threads=False):
            size += batch.nbytes
            if size > allowed:
                raise too_large(self._raw, size, allowed)
            yield batch.column(0)

    def _damaged(self, error: Exception) -> StoreError:
        return damaged_error(self.path, first_line(error), "Parquet file")

    def release(self) -> None:
        """Close the file until it is read again; a row group in memory stays no longer."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._cached_column = None
        if self._parquet is not None:
            self._parquet.close(force=True)
            self._parquet = None
        if self._raw is not None:
            self._raw.close()
            self._raw = None
