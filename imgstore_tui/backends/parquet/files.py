"""Writes and reads the Parquet file."""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from imgstore_tui.backends.parquet import FILE
from imgstore_tui.backends.parquet.page import page_at
from imgstore_tui.backends.parquet.unpacked_size import FREE_BYTES, allowed_bytes, check_pages
from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.manifest import image_bytes, keeps_label_names
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.text import first_line
from imgstore_tui.images import decode
from imgstore_tui.storekit.arrow_batches import (
    IMAGE,
    LABEL,
    NAME,
    BatchesFileWriter,
    BatchesReader,
    columns_of,
    or_no_labels,
    rows_per_batch,
)
from imgstore_tui.storekit.fixed_records import FixedRecords
from imgstore_tui.storekit.names_file import missing_names
from imgstore_tui.storekit.one_file import leave_to_library
from imgstore_tui.storekit.raw_file import RawFile

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

_STRUCT = pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])
"""Arrow type of an image as Hugging Face datasets stores it."""
_CACHE_BYTES = 2**26
"""Row groups that are read whole stay in memory up to this many bytes of the file, but a few at least."""
_OWN_ENCODINGS = {"PLAIN", "RLE", "BIT_PACKED"}


def _features(content: Content) -> dict[str, Any]:
    """Return the features as Hugging Face datasets declares them: with the names of classes, if there are any."""
    label: dict[str, Any] = {"dtype": "int64", "_type": "Value"}
    if content.label_names and keeps_label_names(content.label_names):
        label = {"names": list(content.label_names), "_type": "ClassLabel"}
    features = {IMAGE: {"_type": "Image"}, LABEL: label, NAME: {"dtype": "string", "_type": "Value"}}
    return {column: features[column] for column in columns_of(content)}


class ParquetWriter(BatchesFileWriter):
    """Writes one row group per batch."""

    def __init__(self, location: Path, content: Content, values: Mapping[str, OptionValue]) -> None:
        super().__init__("parquet", location, content, rows_per_batch(content, int(values["rows"])))
        self._first = 0
        array = content.kind is PayloadKind.ARRAY
        kind = pa.binary(image_bytes(content)) if array else _STRUCT
        metadata = {} if array else {"huggingface": json.dumps({"info": {"features": _features(content)}})}
        metadata |= self.metadata()
        fields = [pa.field(IMAGE, kind), pa.field(LABEL, pa.int64()), pa.field(NAME, pa.string())]
        self._schema = pa.schema(fields[: len(columns_of(content))], metadata)
        self._file: Any = None
        try:
            leave_to_library(self._path)
            self._file = pq.ParquetWriter(
                os.fspath(self._path),
                self._schema,
                compression=str(values["compression"]),
                use_dictionary=False,
                write_statistics=[LABEL],
                write_page_checksum=True,
            )
        except (pa.ArrowException, OSError) as error:
            self.abort()
            raise self._failed(error) from None

    def _column(self, payloads: list[bytes]) -> Any:
        kinds = [decode.EXTENSIONS.get(decode.sniff(payload) or "", self._content.codec) for payload in payloads]
        paths = [f"{number:08}.{kind}" for number, kind in enumerate(kinds, self._first)]
        self._first += len(payloads)
        if self._content.name_bytes:
            paths = self._pending_names[: len(payloads)]
            if len(paths) != len(payloads):
                raise missing_names(self._location, len(payloads) - len(paths))
        return pa.StructArray.from_arrays(
            [pa.array(payloads, pa.binary()), pa.array(paths, pa.string())], fields=list(_STRUCT)
        )

    def _write_batch(self, columns: list[Any]) -> None:
        self._file.write_table(pa.Table.from_arrays(columns, schema=self._schema), row_group_size=self._rows)

    def _write_end(self) -> None:
        self._file.close()

    def _release(self) -> None:
        if self._file is not None:
            with contextlib.suppress(pa.ArrowException, OSError):
                self._file.close()


class ParquetReader(BatchesReader):
    """Reads whole row groups; directly, images of one size in random order straight from the file.

    Both ways verify the checksums of pages.
    """

    title = "Parquet"
    _file: Any = None
    _raw: RawFile | None = None

    def __init__(self, location: Path, *, direct: bool) -> None:
        self._direct = direct
        super().__init__("parquet", location, FILE)

    def _open_file(self) -> Mapping[bytes, bytes]:
        self._file = pq.ParquetFile(os.fspath(self.path), page_checksum_verification=True, pre_buffer=False)
        return self._file.metadata.metadata or {}

    def _check(self) -> None:
        facts = self._file.metadata
        if facts.num_row_groups != self.batches or facts.num_rows != self.content.count:
            raise self.damaged("it does not hold the rows it should")
        if self._file.schema_arrow.names != columns_of(self.content):
            raise self.damaged("its columns are not what they should be")
        self._raw = RawFile(self.path)
        self.cache_size = max(self.cache_size, _CACHE_BYTES * self.batches // max(1, self._raw.size))
        if self._direct and self.content.kind is PayloadKind.ARRAY:
            self.direct = FixedRecords(self._raw, self.batches, self.rows, self._locate)

    def _locate(self, number: int) -> tuple[int, int] | None:
        """Return the offsets of images and labels of a row group; None unless each is one uncompressed page."""
        group, raw, offsets = self._file.metadata.row_group(number), self._raw, []
        for position, size in enumerate((image_bytes(self.content), np.dtype(np.int64).itemsize)):
            column = group.column(position)
            if raw is None or column.compression != "UNCOMPRESSED" or column.has_dictionary_page:
                return None
            page = page_at(raw, column.data_page_offset, self.rows_in(number), size)
            if page is None:
                return None
            data: Any = np.frombuffer(raw.mapped(), np.uint8, page.length, page.start)
            if page.checksum is not None and zlib.crc32(data) != page.checksum:
                raise self.damaged(f"the checksum of a page of row group {number} is wrong")
            offsets.append(page.values)
        return offsets[0], offsets[1]

    def _load(self, number: int) -> tuple[Any, Any]:
        self._check_size(number)
        group = self._file.read_row_group(number, columns=[IMAGE, LABEL], use_threads=False)
        images, labels = group.column(0).combine_chunks(), group.column(1).combine_chunks()
        if isinstance(images, pa.ChunkedArray):
            raise self.damaged("a row group is too large")
        if labels.type != pa.int64():
            raise self.damaged("its labels are no numbers")
        if self.content.kind is PayloadKind.BYTES:
            if not pa.types.is_struct(images.type) or images.null_count:
                raise self.damaged("its images are no bytes")
            images = images.field("bytes")
            if images.type not in {pa.binary(), pa.large_binary()}:
                raise self.damaged("its images are no bytes")
        return images, labels

    def _check_size(self, number: int) -> None:
        """Refuse a row group that was not written here and unpacks to far more than its images."""
        group = self._file.metadata.row_group(number)
        if self.content.kind is PayloadKind.ARRAY:
            allowed = FREE_BYTES + self.rows_in(number) * image_bytes(self.content)
        else:
            allowed = max(allowed_bytes(group.column(0)), self.content.payload_bytes + FREE_BYTES)
        for position in range(group.num_columns):
            column = group.column(position)
            if column.has_dictionary_page or not _OWN_ENCODINGS.issuperset(column.encodings):
                raise self.damaged("its columns are encoded in a way that may unpack to any size")
            if self._raw is not None and column.compression != "UNCOMPRESSED":
                check_pages(self._raw, column, allowed)

    def _load_names(self, number: int) -> Any:
        self._check_size(number)
        return self._file.read_row_group(number, columns=[NAME], use_threads=False).column(0)

    def read_labels(self) -> Labels:
        """Read the column of labels alone."""
        try:
            column = self._file.read(columns=[LABEL], use_threads=False).column(0)
            column = or_no_labels(column, self.content)
            if column.type != pa.int64() or column.null_count or len(column) != self.content.count:
                raise self.damaged("its labels are not what they should be")
            return np.array(column.to_numpy(), np.int64)
        except (pa.ArrowException, OSError) as error:
            raise self.damaged(first_line(error)) from None

    def close(self) -> None:
        """Close the file."""
        super().close()
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(pa.ArrowException, OSError):
                file.close(force=True)
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()
