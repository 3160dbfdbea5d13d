"""Reads rows: consecutive ones as a stream of batches, others by one request for all."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lance
import numpy as np
import pyarrow as pa

from imgstore_tui.backends.lance import FOLDER
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_ids, check_out, image_bytes
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.arrow_batches import IMAGE, LABEL, NAME, columns_of, or_no_labels
from imgstore_tui.storekit.manifest_file import load_manifest
from imgstore_tui.storekit.names_file import require_names
from imgstore_tui.storekit.store_errors import damaged_error, require_open

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_TOGETHER = 2**22
"""Bytes of one request, at most: the library makes copies of each image, and keeps memory for more of them."""
_CACHED = 2**24
"""Bytes of metadata that the library caches."""


class LanceReader(Reader):
    """Reads rows by their numbers."""

    def __init__(self, location: Path) -> None:
        self._location, self.path = location, location / FOLDER
        self._dataset: Any = None
        self.content, _ = load_manifest("lance", location)
        self._look_at_files()
        with self._library():
            self._dataset = lance.dataset(
                os.fspath(self.path), index_cache_size_bytes=0, metadata_cache_size_bytes=_CACHED
            )
            schema, count = self._dataset.schema, self._dataset.count_rows()
        kinds = [pa.large_binary(), pa.int64(), pa.string()]
        columns = columns_of(self.content)
        if schema.names != columns or schema.types != kinds[: len(columns)]:
            raise self._damaged("its columns are not what they should be")
        if count != self.content.count:
            raise self._damaged(f"it has {count} rows, not {self.content.count}")

    def _look_at_files(self) -> None:
        """Refuse what is not a regular file before the library opens it, which follows links and blocks on a pipe."""
        for folder, _, names in os.walk(self.path):
            for name in names:
                path = Path(folder, name)
                if not stat.S_ISREG(path.lstat().st_mode):
                    raise StoreError(f"{path} is no ordinary file, and is not followed.")

    @contextlib.contextmanager
    def _library(self) -> Iterator[None]:
        """Turn the errors of the library into StoreError."""
        try:
            yield
        except (pa.ArrowException, OSError, ValueError, RuntimeError) as error:
            raise self._damaged(first_line(error)) from None
        except BaseException as error:
            # A damaged file can make it panic, which reaches Python as a BaseException.
            if type(error).__name__ != "PanicException":
                raise
            raise self._damaged("the library gave up on it") from None

    def _damaged(self, why: str) -> StoreError:
        return damaged_error(self.path, why, "Lance dataset")

    def _rows(self, ids: Sequence[int]) -> Iterator[tuple[int, Any, Any, Any]]:
        """Yield, in the order of the ids: number of rows, bounds of their values, their bytes, and labels."""
        span = check_ids(self._location, self.content.count, ids)
        dataset = require_open(self._dataset, self._location, "read")
        mean = self.content.payload_bytes // max(1, self.content.count)
        step = max(1, _TOGETHER // max(1, mean))
        with self._library():
            for first in range(0, len(ids), step):
                part = ids[first : first + step]
                if span is not None and len(ids) > 1:
                    table = dataset.to_table(
                        columns=[IMAGE, LABEL], offset=part[0], limit=len(part), batch_readahead=1, fragment_readahead=1
                    )
                else:
                    table = dataset.take(list(part), columns=[IMAGE, LABEL])
                if len(table) != len(part):
                    raise self._damaged("images are missing in it")
                for batch in table.to_batches():
                    yield len(batch), *self._values(batch)

    def _values(self, batch: Any) -> tuple[Any, Any, Any]:
        images, labels = batch.column(0), or_no_labels(batch.column(1), self.content)
        count = len(batch)
        if images.null_count or labels.null_count:
            raise self._damaged("images are missing in it")
        if images.type != pa.large_binary() or labels.type != pa.int64():
            raise self._damaged("its columns are not what they should be")
        starts = np.frombuffer(images.buffers()[1], np.int64)[images.offset : images.offset + count + 1]
        data = images.buffers()[2]
        size = data.size if data is not None else 0
        if len(starts) != count + 1 or starts[0] < 0 or starts[-1] > size or (np.diff(starts) < 0).any():
            raise self._damaged("its offsets do not fit its images")
        numbers = np.frombuffer(labels.buffers()[1], np.int64)[labels.offset : labels.offset + count]
        return starts, data if data is not None else b"", numbers

    def read_array(self, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
        """Copy images from the column into the caller's array."""
        if self.content.kind is not PayloadKind.ARRAY:
            super().read_array(ids, out, labels)
            return
        check_out(self._location, self.content, ids, out, labels)
        if not len(ids):
            return
        size, at = image_bytes(self.content), 0
        pixels = out.reshape(-1).view(np.uint8)
        for count, starts, data, numbers in self._rows(ids):
            if (np.diff(starts) != size).any():
                raise self._damaged(f"an image in it is not of {size} bytes")
            pixels[at * size : (at + count) * size] = np.frombuffer(data, np.uint8)[starts[0] : starts[-1]]
            labels[at : at + count] = numbers
            at += count

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Copy payloads from the column."""
        if self.content.kind is not PayloadKind.BYTES:
            return super().read_bytes(ids, labels)
        payloads: list[bytes] = []
        for count, starts, data, numbers in self._rows(ids) if len(ids) else ():
            memory, ends = memoryview(data), starts.tolist()
            labels[len(payloads) : len(payloads) + count] = numbers
            payloads += [bytes(memory[start:stop]) for start, stop in itertools.pairwise(ends)]
        return payloads

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Read the column of names alone."""
        require_names(self.content)
        check_ids(self._location, self.content.count, ids)
        if not len(ids):
            return []
        with self._library():
            column = require_open(self._dataset, self._location, "read").take(list(ids), columns=[NAME]).column(0)
        names: list[Any] = column.to_pylist()
        if len(names) != len(ids) or not all(isinstance(name, str) for name in names):
            raise self._damaged("its names are not what they should be")
        return names

    def read_labels(self) -> Labels:
        """Read the column of labels alone."""
        with self._library():
            column = require_open(self._dataset, self._location, "read").to_table(columns=[LABEL]).column(0)
        column = or_no_labels(column, self.content)
        if column.type != pa.int64() or column.null_count or len(column) != self.content.count:
            raise self._damaged("its labels are not what they should be")
        return np.array(column.to_numpy(), np.int64)

    def close(self) -> None:
        """Release the dataset."""
        self._dataset = None
