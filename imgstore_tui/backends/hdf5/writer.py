"""Writes an HDF5 store."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.hdf5.columns import BlockWriter
from imgstore_tui.backends.hdf5.hyperslabs import HyperslabWriter
from imgstore_tui.backends.hdf5.layout import CHUNK, IMAGES, MANIFEST, NAMES, OFFSETS, label_chunk
from imgstore_tui.backends.hdf5.low_level import (
    Handle,
    close_file,
    make_attribute,
    make_block,
    never_close,
    open_file,
    write_whole,
)
from imgstore_tui.core.backend import Content, PayloadKind, Writer, force
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_complete, check_put, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.atomic_write import publish
from imgstore_tui.storekit.names_file import encode_names, missing_names
from imgstore_tui.storekit.one_file import partial_path
from imgstore_tui.storekit.raw_file import RawFile

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_PAGE = 4096
"""A chunk of payloads is a multiple of this many bytes."""


class Hdf5Writer(Writer):
    """Writes batches into datasets of known size, or into ones that grow in steps."""

    def __init__(
        self,
        location: Path,
        content: Content,
        values: Mapping[str, OptionValue],
        sync: SyncLevel,
        resumed: Labels | None = None,
    ) -> None:
        self._location, self._content, self._values = location, content, values
        self._path = partial_path(location)
        self._sync_each_batch = sync is SyncLevel.BATCH
        self._put = self._end = 0
        self._pending_labels: list[Labels] = []
        self._ends: list[np.ndarray[Any, np.dtype[np.int64]]] = []
        self._open = True
        self._in_one_block = content.kind is PayloadKind.ARRAY and not values["chunks"]
        self._file: Any = None
        """Identifier of the file; None once it is closed."""
        self._images, self._offsets, self._labels = Handle(None), Handle(None), Handle(None)
        self._names, self._named = Handle(None), 0
        self._block: BlockWriter | None = None
        self._ranges = HyperslabWriter()
        try:
            # The chunk cache would copy every chunk once more; unfiltered chunks go straight to the file.
            cache = 0 if values["filter"] == "none" else 16 * CHUNK
            if resumed is not None:
                RawFile(self._path).close()  # HDF5 would follow a link that replaced the file
            self._file = open_file(self._path, cache, new=resumed is None)
            if resumed is None:
                self._make_datasets()
            else:
                self._continue_after(resumed)
            self._block = self._find_block()
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            self.abort()
            raise self._failed(error) from None

    def _make_datasets(self) -> None:
        content, count = self._content, self._content.count
        if self._in_one_block:
            # Space for the block is allocated now, so that batches can be written there.
            early = self._values["access"] == "direct" and count > 1
            kind = np.dtype(content.dtype).newbyteorder("<")
            self._images = make_block(self._file, IMAGES, (count, *(content.shape or ())), kind, early=early)
        elif content.kind is PayloadKind.ARRAY:
            chunk = min(int(self._values["chunks"]), count or int(self._values["chunks"]))
            self._images = self._make_chunks((count, *(content.shape or ())), chunk, content.dtype or "")
        else:
            # No larger than the expected payloads: a chunk is always allocated whole.
            chunk = min(CHUNK, max(1, -(-content.payload_bytes // _PAGE)) * _PAGE)
            self._images = self._make_chunks((0,), chunk, "uint8")
            self._offsets = self._make_numbers(OFFSETS, count + 1)
        self._labels = self._make_numbers(str(self._values["labels"]), count)
        if content.name_bytes:
            self._names = self._make_names(count)

    def _make_chunks(self, shape: tuple[int, ...], chunk: int, dtype: str) -> Handle:
        """Create a dataset of images that can grow and is not filled before it is written."""
        settings: dict[str, Any] = {"maxshape": (None, *shape[1:]), "chunks": (chunk, *shape[1:]), "fill_time": "never"}
        if self._values["filter"] != "none":
            settings["compression"] = self._values["filter"]
        kind = np.dtype(dtype).newbyteorder("<")
        return Handle(self._h5py_file().create_dataset(IMAGES, shape, kind, **settings).id)

    def _make_numbers(self, name: str, count: int) -> Handle:
        """Create a dataset of one number per image, which can grow if the images can."""
        if self._in_one_block:
            return make_block(self._file, name, (count,), np.dtype("<i8"))
        chunks = (label_chunk(count),)
        return Handle(self._h5py_file().create_dataset(name, (count,), "<i8", maxshape=(None,), chunks=chunks).id)

    def _make_names(self, count: int) -> Handle:
        """Create the dataset of names, which can grow if the images can."""
        import h5py

        kind = h5py.string_dtype("utf-8", self._content.name_bytes)
        growing = {} if self._in_one_block else {"maxshape": (None,), "chunks": (label_chunk(count),)}
        return Handle(self._h5py_file().create_dataset(NAMES, (count,), kind, **growing).id)

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Write names into their dataset."""
        data = encode_names(self._location, self._content, names)
        if not len(ids) or ids[-1] >= self._content.count:
            return  # the images that follow are refused
        try:
            dataset = self._names.dataset
            dataset[ids[0] : ids[-1] + 1] = data.astype(dataset.dtype)  # which says that it is UTF-8
        except (OSError, RuntimeError, ValueError) as error:
            raise self._failed(error) from None
        self._named += len(ids)

    def _h5py_file(self) -> Any:
        """Return the file as an object of h5py."""
        import h5py

        return h5py.File(self._file)

    def _continue_after(self, resumed: Labels) -> None:
        """Open the datasets that another process created, which hold the images of these labels, int64 array (n,)."""
        content, file = self._content, self._h5py_file()
        images, labels = file[IMAGES], file[str(self._values["labels"])]
        begun = images.shape == (content.count, *(content.shape or ())) and labels.shape == (content.count,)
        if not begun or images.dtype != np.dtype(content.dtype) or images.chunks is not None:
            raise ValueError("it is not the file that was begun")
        self._images, self._labels = Handle(images.id), Handle(labels.id)
        if content.name_bytes:
            self._names = Handle(file[NAMES].id)
        self._put = len(resumed)
        self._pending_labels = [np.array(resumed, np.int64)]

    def checkpoint(self) -> int:
        """Flush the file, so that it records the offset of its one block; only pixels are written from then on."""
        if not self._in_one_block:
            return super().checkpoint()
        try:
            self._h5py_file().flush()
        except (OSError, RuntimeError, ValueError) as error:
            raise self._failed(error) from None
        return self._put

    def _find_block(self) -> BlockWriter | None:
        """Return the writer of whole batches of pixels; None if the library writes them."""
        direct = self._values["access"] == "direct" and sys.byteorder == "little"
        if not direct or not self._in_one_block:
            return None
        offset = self._images.id.get_offset()
        return None if offset is None else BlockWriter(self._path, offset)

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Append payloads to the row of payloads."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        ends = self._end + np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads)))
        try:
            if len(ends) and ends[-1] > self._end:
                stop = int(ends[-1])
                images = self._images.dataset
                if stop > len(images):
                    images.resize((max(stop, 2 * len(images)),))  # ranges that are never written take no space
                images[self._end : stop] = np.frombuffer(b"".join(payloads), np.uint8)
                self._end = stop
            self._ends.append(ends)
            self._labels_added(len(payloads), labels)
        except (OSError, RuntimeError, ValueError) as error:
            raise self._failed(error) from None

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Write the batch into the dataset."""
        check_put(self._location, self._content, self._put, ids, images, labels)
        try:
            if self._in_one_block and len(images) == self._content.count and len(images):
                write_whole(self._images, images)
            elif self._block is not None and len(images):
                self._block.write(self._put, images)
            elif len(images):
                self._ranges.write_range(self._images.id, self._put, images)
            self._labels_added(len(images), labels)
        except (OSError, RuntimeError, ValueError) as error:
            raise self._failed(error) from None

    def _labels_added(self, count: int, labels: Labels) -> None:
        """Keep the labels for one write at the end, or write and force everything at the level ``batch``."""
        self._put += count
        self._pending_labels.append(np.array(labels, np.int64))
        if self._sync_each_batch:
            self._write_pending()
            self._h5py_file().flush()
            force(self._path)
            self.syncs += 1

    def _write_pending(self) -> None:
        if self._pending_labels:
            labels, self._pending_labels = np.concatenate(self._pending_labels), []
            if len(labels) == self._content.count and len(labels):
                write_whole(self._labels, labels)
            elif len(labels):
                self._labels.dataset[self._put - len(labels) : self._put] = labels
        if self._ends:
            ends, self._ends = np.concatenate(self._ends), []
            if len(ends):
                self._offsets.dataset[self._put - len(ends) + 1 : self._put + 1] = ends

    def close(self) -> None:
        """Write labels and manifest, close the file, and give it its name, without which it is no store."""
        if not self._open:
            return
        try:
            check_complete(self._location, self._content, self._put)
            if self._content.name_bytes and self._named != self._put:
                raise missing_names(self._location, self._put - self._named)
            self._write_pending()
            if self._content.kind is PayloadKind.BYTES:
                self._images.dataset.resize((self._end,))
            manifest = write_manifest("hdf5", self._content, labels=self._values["labels"])
            make_attribute(self._file, MANIFEST, manifest)
            if self._block is not None:
                self._block.close()
            close_file(self._file)
            self._file = None
            if self._sync_each_batch:
                force(self._path)
                self.syncs += 1
            self.syncs += publish(self._path, self._location, durable=self._sync_each_batch)
        except (OSError, RuntimeError, ValueError) as error:
            raise self._failed(error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the file without giving it its name."""
        self._open = False
        if self._block is not None:
            with contextlib.suppress(OSError):
                self._block.close()
        if self._file is not None:
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                self._h5py_file().close()
            self._file = None

    def _failed(self, error: Exception) -> StoreError:
        if self._file is not None:
            never_close(self._file, self._images, self._offsets, self._labels, self._names)
            self._file, self._open = None, False
        # If the system refused, h5py's message is long; the error number is enough.
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else first_line(error)
        return StoreError(f"{self._path} cannot be written: {reason}.")
