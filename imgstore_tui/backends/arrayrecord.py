"""Stores images in ArrayRecord, Google's file of records with an index at its end, made for random reading by Grain."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.backend import Capabilities, Content, Family, PayloadKind, Preset, Reader, Writer
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan, begin_store, image_bytes
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.checked_reader import CheckedReader
from imgstore_tui.storekit.folder_writer import LABELS, LABELS_SUM, FolderWriter, labels_checksum, open_labels
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.manifest_file import load_manifest, refuse_batch_sync
from imgstore_tui.storekit.names_file import read_names
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import damaged_error, read_error, write_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

FILE = "images.array_record"
_SETTINGS = {"none": "uncompressed", "zstd": "zstd:1", "snappy": "snappy"}
_FOR_RANDOM = "readahead_buffer_size:0,max_parallelism:0"
"""No read-ahead and no threads, so that the work of a call ends with the call."""


class ArrayRecordBackend(LocalBackend):
    """A folder with ``images.array_record``, a record an image, and ``labels.npy``."""

    name = "arrayrecord"
    title = "ArrayRecord"
    opened_by = "array_record, Grain"
    family = Family.RECORD
    requires = ("array_record",)
    extra = "arrayrecord"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "png"
    capabilities = Capabilities(names=True)
    presets = (Preset("tuned", "one record in a chunk, not compressed, so that single images are read alone"),)
    options = (
        Option(
            "group",
            1,
            "Records in a chunk, which is read whole even for one of them; 1, for reading in random order.",
            minimum=1,
            maximum=65_536,
        ),
        Option(
            "compression",
            "none",
            "Of chunks; none, because encoded images do not shrink and pixels shrink little.",
            choices=tuple(_SETTINGS),
        ),
    )
    signature_files = (FILE,)
    owned_pattern = re.compile(r"images\.array_record|(labels|names)\.npy|manifest\.json(\.partial)?")
    caveats = (
        "It is written once, from front to back: nothing can be added, replaced or deleted; the smallest "
        "file has 128 KiB, the library starts many threads, and few programs outside Google's know the format."
    )
    when_to_choose = (
        "Choose it for training by Grain or JAX that reads single records in random order with a checksum on each; not "
        "for archives, other languages or data that changes."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the folder and the file; ``close`` writes the manifest."""
        refuse_batch_sync(self, sync)
        begin_store(self, location, content)
        return ArrayRecordWriter(location, content, self.values)

    def open(self, location: Path) -> Reader:
        """Read the index at the end of the file."""
        return ArrayRecordReader(location)


class ArrayRecordWriter(FolderWriter):
    """Writes one record per image."""

    def __init__(self, location: Path, content: Content, values: Mapping[str, OptionValue]) -> None:
        super().__init__("arrayrecord", location, content)
        from array_record.python import array_record_module

        self._path = location / FILE
        settings = f"group_size:{values['group']},{_SETTINGS[str(values['compression'])]}"
        try:
            self._file: Any = array_record_module.ArrayRecordWriter(str(self._path), settings)
            self._check()
        except (RuntimeError, ValueError, OSError) as error:
            raise self._failed(error) from None

    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        try:
            for payload in payloads:
                self._file.write(payload)
            self._check()
        except (RuntimeError, ValueError, OSError) as error:
            raise self._failed(error) from None

    def _add_array(self, images: Pixels, labels: Labels) -> None:
        self._add_bytes([image.tobytes() for image in images], labels)

    def _check(self) -> None:
        if not self._file.ok():
            raise OSError("the library has given up")

    def _finish(self) -> Mapping[str, Any]:
        try:
            self._file.close()
        except (RuntimeError, ValueError, OSError) as error:
            raise self._failed(error) from None
        # An unfinished file has no index, and the library does not always report that.
        reader = _opened(self._path)
        count = reader.num_records()
        _let_go(reader)
        if count != self._put:
            raise self._failed(OSError("it could not be finished"))
        return {}

    def _failed(self, error: Exception) -> StoreError:
        return write_error(self._path, error)

    def _release(self) -> None:
        if self._file.is_open():
            _let_go(self._file)


def _let_go(file: Any) -> None:
    """Close a file that is not read any more; only now the library reports earlier errors."""
    with contextlib.suppress(RuntimeError, ValueError, OSError):
        file.close()


def _opened(path: Path) -> Any:
    from array_record.python import array_record_module

    try:
        return array_record_module.ArrayRecordReader(str(path), _FOR_RANDOM)
    except (RuntimeError, ValueError, OSError) as error:
        raise damaged_error(path, first_line(error), "ArrayRecord file") from None


class ArrayRecordReader(CheckedReader):
    """Reads records by their numbers."""

    _location: Path

    def __init__(self, location: Path) -> None:
        self._location, self.path = location, location / FILE
        self._file: Any = None
        self.content, manifest = load_manifest("arrayrecord", location)
        count = self.content.count
        try:
            RawFile(self.path).close()  # checks that it is a regular file, not a link
        except OSError as error:
            raise read_error(self.path, error) from None
        self._labels = open_labels(location, count)
        try:
            self._numbers: Labels = self._labels.all("int64")
            if labels_checksum(self._numbers) != manifest.get(LABELS_SUM):
                raise StoreError(f"{location / LABELS} is damaged: its labels do not add up to their checksum.")
            self._file = _opened(self.path)
            if self._file.num_records() != count:
                raise self._damaged(f"it has an index of {self._file.num_records()} records, not {count}")
        except BaseException:
            self.close()
            raise

    def _damaged(self, why: str) -> StoreError:
        return damaged_error(self.path, why)

    def _records(self, ids: Sequence[int], span: IdSpan | None) -> Iterator[bytes]:
        """Yield records in the order of their ids.

        One by one: for a list of numbers the library starts threads, and takes four times as long.
        """
        file = self._file
        if file is None:
            raise StoreError(f"{self._location} is closed: nothing can be read.")
        try:
            for number in ids:
                if span is None or number == span[0]:
                    file.seek(number)
                record: bytes = file.read()
                yield record
        except (RuntimeError, ValueError, IndexError, OSError) as error:
            raise self._damaged(first_line(error)) from None

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy each record into the caller's array."""
        size, at, pixels = image_bytes(self.content), 0, out.data.cast("B")
        for record in self._records(ids, span):
            if len(record) != size:
                raise self._damaged(f"an image in it has {len(record)} bytes, not {size}")
            pixels[at : at + size] = record
            at += size
        labels[:] = self._numbers[np.asarray(ids, np.int64)]

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Return the records."""
        labels[:] = self._numbers[np.asarray(ids, np.int64)]
        return list(self._records(ids, span))

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Read names from their file."""
        return read_names(self._location, self.content, ids, self._check_ids(ids))

    def read_labels(self) -> Labels:
        """Return a copy of the labels, which are read when the store is opened."""
        return self._numbers.copy()

    def close(self) -> None:
        """Close the files."""
        self._labels.close()
        file, self._file = self._file, None
        if file is not None:
            _let_go(file)
