"""Reads an HDF5 store; links and sizes in the file are checked before they are used."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.hdf5.columns import CachedNumbers, DatasetInfo, ItemReader, PayloadReader
from imgstore_tui.backends.hdf5.layout import FILE, IMAGES, MANIFEST, NAMES, OFFSETS
from imgstore_tui.backends.hdf5.low_level import Handle
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import MAX_MANIFEST_BYTES, IdSpan, foreign, image_bytes, read_manifest
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.checked_reader import CheckedReader
from imgstore_tui.storekit.file_lock import NO_LOCKS
from imgstore_tui.storekit.names_file import decode_names, require_names
from imgstore_tui.storekit.one_file import file_of
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import damaged_error, layout_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_KNOWN_FILTERS = {1, 2, 32000}  # deflate, shuffle, lzf; for any other filter HDF5 would load a plug-in
_MOST_SHRUNK = 1100  # neither deflate nor lzf compresses by more
_FILTER_CACHE = 32 * 2**20
_CACHE_SLOTS, _CACHE_WEAR = 10_007, 0.75  # a prime for the chunk table; HDF5's default eviction


class Hdf5Reader(CheckedReader):
    """Reads datasets through the library, or unfiltered ones straight from the file."""

    def __init__(self, location: Path, *, direct: bool = False) -> None:
        import h5py

        self._h5, self._direct = h5py, direct
        self._location, self._path = location, file_of(location, FILE)
        self._file: Any = None
        self._datasets: tuple[DatasetInfo, ...] = ()
        self._columns: list[ItemReader | PayloadReader] = []
        self._raw = RawFile.of_store("hdf5", location, self._path)
        try:
            self._open()
        except StoreError:
            self._close_all()
            raise
        except BlockingIOError:
            self._close_all()
            raise StoreError(f"{self._path} is open for writing in another program; close it there first.") from None
        except Exception as error:  # h5py raises nearly everything for a damaged file
            self._close_all()
            raise damaged_error(self._path, first_line(error), "HDF5 file") from None

    def _open(self) -> None:
        """Open and check the file by low-level calls, which are faster than h5py's objects."""
        h5 = self._h5
        # Otherwise default settings: HDF5 refuses a file that this process has open with other ones.
        settings = h5.h5p.create(h5.h5p.FILE_ACCESS)
        settings.set_sieve_buf_size(1)  # else HDF5 reads 64 KiB round every small image of a block
        try:
            self._file = h5.h5f.open(os.fsencode(self._path), h5.h5f.ACC_RDONLY, fapl=settings)
        except OSError as error:
            if not any(os.strerror(code) in str(error) for code in NO_LOCKS):
                raise
            settings.set_file_locking(False, ignore_when_disabled=True)  # on a file system without locks
            self._file = h5.h5f.open(os.fsencode(self._path), h5.h5f.ACC_RDONLY, fapl=settings)
        self.content, manifest = read_manifest(self._manifest(), "hdf5", self._location)
        labels = manifest.get("labels")
        if labels not in ("labels", "meta"):
            raise layout_error(self._path)
        self.layout = {"labels": labels}
        direct, count = self._direct, self.content.count
        if self.content.kind is PayloadKind.ARRAY:
            kind = np.dtype(self.content.dtype).newbyteorder("<")
            images = self._dataset(IMAGES, kind, (count, *(self.content.shape or ())))
            self._images = ItemReader(self._raw, images, image_bytes(self.content), direct)
            self._datasets, self._columns = (images,), [self._images]
        else:
            images = self._dataset(IMAGES, np.dtype("u1"), None)
            offsets = self._dataset(OFFSETS, np.dtype("<i8"), (count + 1,))
            self._row, items = PayloadReader(self._raw, images, direct), ItemReader(self._raw, offsets, 8, direct)
            self._offsets: ItemReader | CachedNumbers = items if direct else CachedNumbers(items, count + 1)
            self._datasets, self._columns = (images, offsets), [self._row, items]
        numbers = self._dataset(labels, np.dtype("<i8"), (count,))
        label_items = ItemReader(self._raw, numbers, 8, direct)
        self._labels: ItemReader | CachedNumbers = label_items
        self._datasets += (numbers,)
        self._columns.append(label_items)
        self._names: DatasetInfo | None = None
        if self.content.name_bytes:
            self._names = self._dataset(NAMES, np.dtype(f"S{self.content.name_bytes}"), (count,))
            self._datasets += (self._names,)
        if not direct:
            self._labels = CachedNumbers(label_items, count)

    @property
    def grows(self) -> bool:
        """Whether the datasets can grow."""
        return all(dataset.handle.dataset.maxshape[0] is None for dataset in self._datasets)

    def _manifest(self) -> bytes:
        h5 = self._h5
        try:
            attribute = h5.h5a.open(self._file, MANIFEST.encode())
        except KeyError:
            raise foreign("hdf5", self._location) from None
        kind = attribute.get_type()
        fixed = isinstance(kind, h5.h5t.TypeStringID) and not kind.is_variable_str()
        size = kind.get_size()
        if not fixed or size > MAX_MANIFEST_BYTES or attribute.get_storage_size() != size:
            raise foreign("hdf5", self._location)
        text = np.empty((), f"S{size}")
        attribute.read(text)
        return bytes(text.item())

    def _dataset(self, name: str, kind: np.dtype[Any], shape: tuple[int, ...] | None) -> DatasetInfo:
        """Open a dataset of this file, after a check of its dtype and shape, and that the file can hold it."""
        h5 = self._h5
        if self._file.links.get_info(name.encode()).type != h5.h5l.TYPE_HARD:
            raise self._wrong(name)  # a soft or external link may lead to any file of the user
        handle = h5.h5d.open(self._file, name.encode())
        plan = handle.get_create_plist()
        filters = {plan.get_filter(number)[0] for number in range(plan.get_nfilters())}
        chunked = plan.get_layout() == h5.h5d.CHUNKED
        if not (chunked or plan.get_layout() == h5.h5d.CONTIGUOUS) or plan.get_external_count():
            raise self._wrong(name)  # virtual and external datasets lie in other files
        has = handle.shape  # not earlier: HDF5 looks up the storage of a virtual dataset in those files
        if filters - _KNOWN_FILTERS or handle.dtype != kind:
            raise self._wrong(name)
        if (len(has) != 1) if shape is None else (has != shape):
            raise self._wrong(name)
        if math.prod(has) * kind.itemsize > self._raw.size * (_MOST_SHRUNK if filters else 1):
            raise StoreError(f"{self._path} is damaged: its dataset {name} is larger than the file.")
        if chunked:
            # Filtered chunks must be read whole, so they are cached; others are read in parts without a cache.
            access = h5.h5p.create(h5.h5p.DATASET_ACCESS)
            access.set_chunk_cache(_CACHE_SLOTS, _FILTER_CACHE if filters else 0, _CACHE_WEAR)
            del handle  # an open handle would pass its cache to another one of the dataset
            handle = h5.h5d.open(self._file, name.encode(), access)
        return DatasetInfo(
            Handle(handle, readonly=True), kind, has, plan.get_chunk() if chunked else None, bool(filters)
        )

    def _wrong(self, name: str) -> StoreError:
        return StoreError(f"{self._path} is damaged: its dataset {name} is not what it should be.")

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Read where the payloads are, then copy them from the row."""
        self._labels.read(ids, span, labels)
        if span is not None:
            ends = np.empty(len(ids) + 1, np.int64)
            self._offsets.read(range(span[0], span[1] + 1), (span[0], span[1] + 1), ends)
            starts, stops = ends[:-1].tolist(), ends[1:].tolist()
        else:
            both = np.empty((2, len(ids)), np.int64)
            self._offsets.read(ids, None, both[0])
            self._offsets.read([number + 1 for number in ids], None, both[1])
            starts, stops = both[0].tolist(), both[1].tolist()
        if any(not 0 <= start <= stop <= self._row.length for start, stop in zip(starts, stops, strict=True)):
            raise StoreError(f"{self._path} is damaged: its offsets do not fit its images.")
        return self._row.read(starts, stops, span is not None)

    def _read_pixels(self, ids: Sequence[int], span: IdSpan | None, out: Pixels) -> None:
        """Read images alone: their labels are a dataset of their own."""
        self._images.read(ids, span, out)

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Read images into the caller's array."""
        self._images.read(ids, span, out)
        self._labels.read(ids, span, labels)

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Read the dataset of names."""
        require_names(self.content)
        span = self._check_ids(ids)
        if self._names is None or not len(ids):
            return []
        dataset = self._names.handle.dataset
        try:
            values = dataset[span[0] : span[1]] if span is not None else [dataset[int(number)] for number in ids]
        except (OSError, RuntimeError, ValueError) as error:
            raise damaged_error(self._path, first_line(error), "HDF5 file") from None
        return decode_names(self._path, [bytes(value) for value in values])

    def read_labels(self) -> Labels:
        """Read the dataset of labels."""
        labels = np.empty(self.content.count, np.int64)
        if len(labels):
            self._labels.read(range(len(labels)), (0, len(labels)), labels)
        return labels

    def close(self) -> None:
        """Close the file."""
        # An identifier without references is closed; h5py's ``close`` would search all open identifiers first.
        self._file = None
        for column in self._columns:
            column.close()
        for dataset in self._datasets:
            dataset.handle.let_go()
        self._raw.close()

    def _close_all(self) -> None:
        """Close the file, and every object in it that an exception in flight may hold."""
        try:
            if self._file is not None:
                self._h5.File(self._file).close()
        except (OSError, RuntimeError, ValueError):  # the error that is being raised says what is wrong
            pass
        finally:
            self.close()
