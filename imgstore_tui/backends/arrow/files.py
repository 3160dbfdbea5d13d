"""Writes and reads the IPC file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from imgstore_tui.backends.arrow import BEFORE, FILE
from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.manifest import image_bytes
from imgstore_tui.core.options import OptionValue
from imgstore_tui.storekit.arrow_batches import (
    IMAGE,
    LABEL,
    NAME,
    BatchesFileWriter,
    BatchesReader,
    columns_of,
    rows_per_batch,
)
from imgstore_tui.storekit.fixed_records import FixedRecords
from imgstore_tui.storekit.one_file import beside, leave_to_library
from imgstore_tui.storekit.raw_file import RawFile

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

_MAGIC_BYTES = 8
"""Start of a file; what follows is a stream of batches."""
_VIEWS = 1_000_000
"""Number of batches that stay in memory: views of the map cost nothing."""


class ArrowWriter(BatchesFileWriter):
    """Writes record batches."""

    def __init__(
        self, location: Path, content: Content, values: Mapping[str, OptionValue], whole_batches: int | None = None
    ) -> None:
        super().__init__("arrow", location, content, rows_per_batch(content, int(values["rows"])))
        compression = None if values["compression"] == "none" else str(values["compression"])
        kind = pa.binary(image_bytes(content)) if content.kind is PayloadKind.ARRAY else pa.large_binary()
        fields = [
            pa.field(IMAGE, kind, nullable=False),
            pa.field(LABEL, pa.int64(), nullable=not content.has_labels),
            pa.field(NAME, pa.string(), nullable=False),
        ]
        fields = fields[: len(columns_of(content))]
        self._schema = pa.schema(fields, self.metadata(mapped=compression is None))
        before = beside(location, BEFORE)
        self._records: Any = None
        self._file: Any = None
        try:
            if whole_batches is not None and not before.exists():  # else an earlier attempt died while it copied
                self._path.rename(before)
            leave_to_library(self._path)
            self._records = pa.OSFile(os.fspath(self._path), "wb")
            options = pa.ipc.IpcWriteOptions(compression=compression)
            self._file = pa.ipc.new_file(self._records, self._schema, options=options)
            if whole_batches is not None:
                if whole_batches:  # else the file may lack even a schema
                    self._copy(before, whole_batches)
                before.unlink()
        except (pa.ArrowException, OSError, StopIteration) as error:
            self.abort()
            raise self._failed(error) from None

    def _copy(self, path: Path, count: int) -> None:
        """Copy the complete batches of ``whole_batches`` rows; only the library can write the end of a file."""
        if count % self._rows:
            raise pa.ArrowInvalid("so many images fill no batch")
        with pa.OSFile(os.fspath(path), "rb") as source:
            source.seek(_MAGIC_BYTES)
            with pa.ipc.open_stream(source) as batches:
                for _ in range(count // self._rows):
                    batch = batches.read_next_batch()
                    if batch.num_rows != self._rows or not batch.schema.equals(self._schema):
                        raise pa.ArrowInvalid("it does not hold the batches that were written")
                    self._file.write_batch(batch)

    def checkpoint(self) -> int:
        """Return the rows of the batches in the file: those that are full."""
        return self._put - self._filled

    def _column(self, payloads: list[bytes]) -> Any:
        return pa.array(payloads, pa.large_binary())

    def _write_batch(self, columns: list[Any]) -> None:
        self._file.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def _write_end(self) -> None:
        self._file.close()
        self._records.close()

    def _release(self) -> None:
        for part in (self._file, self._records):
            if part is not None:
                with contextlib.suppress(pa.ArrowException, OSError):
                    part.close()


class ArrowReader(BatchesReader):
    """Reads batches from a memory map of the file; directly, images of one shape at random from the map itself."""

    title = "Arrow"
    _raw: RawFile | None = None
    _file: Any = None

    def __init__(self, location: Path, *, direct: bool) -> None:
        self._direct = direct
        super().__init__("arrow", location, FILE)

    def _open_file(self) -> Mapping[bytes, bytes]:
        if not self._direct:
            self._file = pa.ipc.open_file(pa.memory_map(os.fspath(self.path)))
            return self._file.schema.metadata or {}
        self._raw = RawFile(self.path)
        if not self._raw.size:
            raise self.damaged("it is empty")
        whole = pa.py_buffer(self._raw.mapped())
        self._start = whole.address
        self._file = pa.ipc.open_file(whole)
        return self._file.schema.metadata or {}

    def _check(self) -> None:
        if self._file.num_record_batches != self.batches or self._file.schema.names != columns_of(self.content):
            raise self.damaged("it does not hold the batches it should")
        if self.manifest.get("mapped"):
            self.cache_size = _VIEWS
            if self._raw is not None and self.content.kind is PayloadKind.ARRAY:
                self.direct = FixedRecords(self._raw, self.batches, self.rows, self._locate)

    def _locate(self, number: int) -> tuple[int, int] | None:
        """Return the offsets of the images and the labels of a batch, or None if they are not views of the map."""
        images, labels = (column.ctypes.data - self._start for column in self.batch(number)[1:])
        size = 0 if self._raw is None else self._raw.size
        return (images, labels) if 0 <= images < size and 0 <= labels < size else None

    def _load(self, number: int) -> tuple[Any, Any]:
        batch = self._file.get_batch(number)
        images, labels = batch.column(0), batch.column(1)
        if labels.type != pa.int64() or images.buffers()[0] is not None:
            raise self.damaged("its columns are not what they should be")
        if self.content.kind is PayloadKind.BYTES and images.type != pa.large_binary():
            raise self.damaged("its images are no bytes")
        return images, labels

    def _load_names(self, number: int) -> Any:
        return self._file.get_batch(number).column(2)

    def read_labels(self) -> Labels:
        """Read the column of labels alone; no other page of the map is read."""
        labels = [self.batch(number)[2] for number in range(self.batches)]
        return np.concatenate([np.zeros(0, np.int64), *labels])

    def close(self) -> None:
        """Close the map."""
        super().close()
        self._file = None
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()
