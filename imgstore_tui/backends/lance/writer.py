"""Writes each fragment when it is full, and at the end the version that has all fragments."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa

from imgstore_tui.backends.lance import FOLDER
from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.options import OptionValue
from imgstore_tui.storekit.arrow_batches import IMAGE, LABEL, NAME, BatchesWriter, columns_of, rows_per_batch

_PLAIN = {"lance-encoding:compression": "none"}


def schema_of(content: Content) -> pa.Schema:
    """Return the schema of a store: images, labels, which may be null where there are none, and names, if any."""
    fields = [
        pa.field(IMAGE, pa.large_binary(), nullable=False, metadata=_PLAIN),
        pa.field(LABEL, pa.int64(), nullable=not content.has_labels),
        pa.field(NAME, pa.string(), nullable=False),
    ]
    return pa.schema(fields[: len(columns_of(content))])


class LanceWriter(BatchesWriter):
    """Writes one fragment per batch; the library's stream writer would do so in threads that outlive the call."""

    def __init__(self, location: Path, content: Content, values: Mapping[str, OptionValue]) -> None:
        super().__init__("lance", location, content, rows_per_batch(content, int(values["rows"])))
        self._place = os.fspath(location / FOLDER)
        self._fragments: list[Any] = []
        self._schema = schema_of(content)

    def _column(self, payloads: list[bytes]) -> Any:
        return pa.array(payloads, pa.large_binary())

    def _write_batch(self, columns: list[Any]) -> None:
        images, *others = columns
        if self._content.kind is PayloadKind.ARRAY:
            ends = np.arange(len(images) + 1, dtype=np.int64) * images.type.byte_width
            buffers = [None, pa.py_buffer(ends), images.buffers()[1]]
            images = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(images), buffers)
        batch = pa.RecordBatch.from_arrays([images, *others], schema=self._schema)
        try:
            self._fragments += lance.fragment.write_fragments(
                pa.Table.from_batches([batch]),
                self._place,
                schema=self._schema,
                max_rows_per_file=len(batch),
                mode="create",
            )
        except (ValueError, RuntimeError) as error:
            raise self._failed(error) from None

    def _write_end(self) -> None:
        try:
            if self._fragments:
                lance.LanceDataset.commit(self._place, lance.LanceOperation.Overwrite(self._schema, self._fragments))
            else:
                lance.write_dataset(self._schema.empty_table(), self._place, schema=self._schema)
        except (ValueError, RuntimeError) as error:
            raise self._failed(error) from None

    def _release(self) -> None:
        self._fragments = []
