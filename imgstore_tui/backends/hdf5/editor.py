"""Changes an HDF5 store in place. HDF5 does not guarantee that the file survives a crash meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.hdf5.layout import CHUNK, FILE, IMAGES, MANIFEST, NAMES, OFFSETS
from imgstore_tui.backends.hdf5.low_level import never_close
from imgstore_tui.backends.hdf5.reader import Hdf5Reader
from imgstore_tui.core.backend import Editor, PayloadKind, force
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.live_ids import LiveIds
from imgstore_tui.core.manifest import check_batch, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.names_file import encode_names, missing_names
from imgstore_tui.storekit.one_file import file_of

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_DRIVER_ERRORS = (OSError, RuntimeError, ValueError)


class Hdf5Editor(Editor):
    """Appends to chunked datasets and overwrites images; labels, offsets and the manifest are written at the end."""

    def __init__(self, location: Path, sync: SyncLevel) -> None:
        import h5py

        with Hdf5Reader(location) as reader:  # which validates the store
            self.content, self._layout, self._grows = reader.content, reader.layout, reader.grows
        self._location, self._path = location, file_of(location, FILE)
        self._sync_each_batch = sync is SyncLevel.BATCH
        self._live_ids = LiveIds(self.content.count)
        self._added: list[Labels] = []
        self._added_ends: list[np.ndarray[Any, np.dtype[np.int64]]] = []
        self._changed = False
        self._new_names: list[bytes] = []
        """Names of new images, which are written with their labels."""
        self._file: Any = None
        try:
            self._file = h5py.File(self._path, "r+", rdcc_nbytes=16 * CHUNK)
            self._images, self._labels = self._file[IMAGES], self._file[str(self._layout["labels"])]
            self._offsets = self._file.get(OFFSETS)
            self._names = self._file[NAMES] if self.content.name_bytes else None
            self._end = int(self._offsets[-1]) if self._offsets is not None else 0
        except _DRIVER_ERRORS as error:
            self.abort()
            raise self._failed(error) from None

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Keep the names of new images for the end; those of existing ones are replaced."""
        data = encode_names(self._location, self.content, names).tolist()
        for number, name in zip(ids, data, strict=True):
            if number >= self.content.count:
                self._new_names.append(name)
            elif self._names is not None:
                self._names[number] = np.array(name, self._names.dtype)

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Append payloads to the row of payloads."""
        check_batch(self._location, self.content, ids, payloads, labels)
        if not len(ids):
            return
        if not self._live_ids.is_append(self._location, ids):
            raise UnsupportedError(
                "Backend hdf5 keeps encoded images in a row without gaps: it can grow, but none can be replaced in it."
            )
        self._check_growth()
        ends = self._end + np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads)))
        try:
            if ends[-1] > self._end:
                self._images.resize((int(ends[-1]),))
                self._images[self._end :] = np.frombuffer(b"".join(payloads), np.uint8)
                self._end = int(ends[-1])
            self._added_ends.append(ends)
            self._labels_added(labels)
        except _DRIVER_ERRORS as error:
            raise self._failed(error) from None

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Append images to the dataset, or overwrite them."""
        check_batch(self._location, self.content, ids, images, labels)
        if not len(ids):
            return
        appends = self._live_ids.is_append(self._location, ids)
        if appends:
            self._check_growth()
        try:
            if appends:
                self._images.resize(self._live_ids.next_id + len(ids), axis=0)
                self._images.write_direct(images, dest_sel=np.s_[ids[0] : ids[-1] + 1])
                self._labels_added(labels)
            else:
                self._overwrite(ids, images, labels)
        except _DRIVER_ERRORS as error:
            raise self._failed(error) from None

    def _check_growth(self) -> None:
        if not self._grows:
            raise UnsupportedError(
                "Backend hdf5 cannot append to a store that is one contiguous block; one made with chunks=64 can grow."
            )

    def _overwrite(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        if self._added:
            self._commit()
        for position in sorted(range(len(ids)), key=ids.__getitem__):  # each chunk once
            self._images[ids[position]] = images[position]
        low, high = min(ids), max(ids) + 1
        # One read and one write: HDF5 takes as long for a label as for a thousand.
        span = self._labels[low:high]
        span[np.asarray(ids) - low] = labels
        self._labels[low:high] = span
        self._changed = True
        if self._sync_each_batch:
            self._commit()

    def _labels_added(self, labels: Labels) -> None:
        """Keep the labels of new images for the end, or commit them now at the level ``batch``."""
        self._added.append(np.array(labels, np.int64))
        self._live_ids.grow(len(labels))
        self._changed = True
        if self._sync_each_batch:
            self._commit()

    def _commit(self) -> None:
        """Write labels, offsets and the manifest of what was put."""
        count = self._live_ids.count
        if self._added:
            labels = np.concatenate(self._added)
            if self._names is not None:
                if len(self._new_names) != len(labels):
                    raise missing_names(self._location, len(labels) - len(self._new_names))
                self._names.resize((count,))
                self._names[count - len(labels) :] = np.array(self._new_names, self._names.dtype)
                self._new_names = []
            self._added = []
            self._labels.resize((count,))
            self._labels[count - len(labels) :] = labels
            if self._added_ends:
                ends, self._added_ends = np.concatenate(self._added_ends), []
                self._offsets.resize((count + 1,))
                self._offsets[count + 1 - len(ends) :] = ends
            self.content = replace(self.content, count=count)
            self._file.attrs[MANIFEST] = np.bytes_(write_manifest("hdf5", self.content, **self._layout))
        if self._sync_each_batch:
            self._file.flush()
            force(self._path)
            self.syncs += 1

    def close(self) -> None:
        """Commit, and close the file."""
        if self._file is None:
            return
        try:
            if self._changed:
                self._commit()
            self._file.close()
            self._file = None
            if self._sync_each_batch:
                force(self._path)
                self.syncs += 1
        except _DRIVER_ERRORS as error:
            raise self._failed(error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Cut the datasets to the images in the manifest, and close the file."""
        file, self._file = self._file, None
        if file is None:
            return
        with contextlib.suppress(*_DRIVER_ERRORS):
            if self._added:
                if self.content.kind is PayloadKind.ARRAY:
                    self._images.resize(self.content.count, axis=0)
                else:
                    self._images.resize((int(self._offsets[-1]),))
        with contextlib.suppress(*_DRIVER_ERRORS):
            file.close()

    def _failed(self, error: Exception) -> StoreError:
        if self._file is not None:
            never_close(self._file, self._images, self._offsets, self._labels)
            self._file = None
        return StoreError(f"{self._path} cannot be changed: {first_line(error)}.")
