"""Provides what formats of sequential records share: an index beside them, so that any image can be read.

The index is a file ``index.npy`` with a few whole numbers per image, which each format defines. A reader trusts it only
as far as the record at that offset agrees.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.backend import Content
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.manifest import IdSpan, check_batch, layout_of
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.folder_editor import FolderEditor
from imgstore_tui.storekit.folder_writer import LABELS, LABELS_SUM, FolderWriter, labels_checksum, open_labels
from imgstore_tui.storekit.manifest_file import load_manifest
from imgstore_tui.storekit.names_file import read_names
from imgstore_tui.storekit.npy_file import NpyColumn, NpyOutput

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

INDEX = "index.npy"


class RecordFiles(ABC):
    """Files of records, open for appending."""

    names: Sequence[str] = ()
    """Names of the images that are added next; empty where images have none."""

    @abstractmethod
    def add_bytes(self, first: int, payloads: Sequence[bytes], labels: Labels) -> Labels:
        """Write payloads with ids from ``first`` on; return their index rows, int64 array (n, width)."""

    @abstractmethod
    def add_array(self, first: int, images: Pixels, labels: Labels) -> Labels:
        """Write images of one shape with ids from ``first`` on; return their index rows, int64 array (n, width)."""

    @abstractmethod
    def force(self) -> int:
        """Force what was written to the device; return the number of sync calls."""

    @abstractmethod
    def finish(self) -> None:
        """Write what ends a complete file, if the format has that; more records may follow."""

    @abstractmethod
    def roll_back(self) -> None:
        """Drop what was added since the files were opened or last finished."""

    @abstractmethod
    def changed_paths(self) -> list[Path]:
        """Return the files that were written to."""

    @abstractmethod
    def close(self) -> None:
        """Close the files; safe to call twice."""


class RecordsWriter(FolderWriter):
    """Writes batches to files of records, and their index."""

    def __init__(
        self,
        backend: str,
        location: Path,
        content: Content,
        records: RecordFiles,
        width: int,
        layout: Mapping[str, Any],
    ) -> None:
        super().__init__(backend, location, content)
        self._records, self._layout = records, layout
        try:
            self._index = NpyOutput(location / INDEX, "int64", (width,))
        except StoreError:
            records.close()
            raise

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Append names to their file, and keep them for the records that follow."""
        super().put_names(ids, names)
        self._records.names = list(names)

    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        self._index.append(self._records.add_bytes(self._put, payloads, labels))

    def _add_array(self, images: Pixels, labels: Labels) -> None:
        self._index.append(self._records.add_array(self._put, images, labels))

    def _finish(self) -> Mapping[str, Any]:
        self._records.finish()
        self._index.commit()
        return self._layout

    def _release(self) -> None:
        self._records.close()
        self._index.close()


class RecordsReader:
    """Reads the manifest, the index and the labels beside files of records."""

    def __init__(self, backend: str, location: Path, width: int) -> None:
        self.location = location
        self.content, self.manifest = load_manifest(backend, location)
        self._sum = self.manifest.get(LABELS_SUM)
        self._index = NpyColumn(location / INDEX, "int64", (width,), self.content.count)
        try:
            self._labels = open_labels(location, self.content.count)
        except StoreError:
            self._index.close()
            raise
        self._width = width

    def rows(self, ids: Sequence[int], span: IdSpan | None) -> Labels:
        """Return index rows by ids, int64 array (n, width)."""
        rows = np.empty((len(ids), self._width), np.int64)
        self._index.read(ids, span, rows)
        if len(rows) and int(rows.min()) < 0:
            raise StoreError(f"{self._index.path} is damaged: its numbers make no sense.")
        return rows

    def fill_labels(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> None:
        """Read labels by ids into an int64 array (n,)."""
        self._labels.read(ids, span, labels)

    def read_labels(self) -> Labels:
        """Return all labels, after a check of their checksum."""
        labels: Labels = self._labels.all("int64")
        if labels_checksum(labels) != self._sum:
            raise StoreError(f"{self._labels.path} is damaged: its checksum is wrong.")
        return labels

    def read_names(self, ids: Sequence[int], span: IdSpan | None) -> list[str]:
        """Return names by ids, which have been checked."""
        return read_names(self.location, self.content, ids, span)

    def close(self) -> None:
        """Close the files."""
        self._index.close()
        self._labels.close()


class RecordsEditor(FolderEditor):
    """Appends records.

    Existing records are never changed, so they survive a process that dies. What such a process leaves after the last
    record, in place of the end mark of the format, is overwritten by the next edit.
    """

    def __init__(
        self, backend: str, location: Path, sync: SyncLevel, records: RecordFiles, reader: RecordsReader
    ) -> None:
        layout = layout_of(reader.manifest)
        layout.pop(LABELS_SUM, None)
        super().__init__(backend, location, sync, reader.content, layout)
        self._stored_labels = reader.read_labels()
        self._records = records
        self._added: list[Labels] = []
        try:
            self._index = self._file(INDEX, "int64", (reader.rows([], None).shape[1],), self.content.count)
            self._labels = self._file(LABELS, "int64", (), self.content.count)
        except StoreError:
            self._release()
            raise

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Append payloads."""
        check_batch(self._location, self.content, ids, payloads, labels)
        if len(ids):
            self._check(ids)
            self._append_index(self._records.add_bytes(ids[0], payloads, labels), labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Append images of one shape."""
        check_batch(self._location, self.content, ids, images, labels)
        if len(ids):
            self._check(ids)
            self._append_index(self._records.add_array(ids[0], images, labels), labels)

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Append names to their file, and keep them for the records that follow."""
        super().put_names(ids, names)
        self._records.names = list(names)

    def _check(self, ids: Sequence[int]) -> None:
        if not self._live_ids.is_append(self._location, ids):
            raise UnsupportedError(
                f"Backend {self._backend} keeps records one behind the other: it can grow, but none can be replaced."
            )

    def _append_index(self, rows: Labels, labels: Labels) -> None:
        numbers = np.array(labels, np.int64)
        self._index.append(rows)
        self._labels.append(numbers)
        self._added.append(numbers)
        self._live_ids.grow(len(numbers))
        self._batch_done()

    def _before_commit(self) -> None:
        """Finish the records; the index, the labels and the manifest, which counts, follow."""
        self._records.finish()
        if self._sync_each_batch:
            self.syncs += self._records.force()
        self._stored_labels, self._added = np.concatenate([self._stored_labels, *self._added]), []
        self._layout[LABELS_SUM] = labels_checksum(self._stored_labels)

    def changed_paths(self) -> Iterable[Path]:
        """Return the files of records that were written, the index, the labels, the manifest and the folder."""
        return [*self._records.changed_paths(), *super().changed_paths()]

    def _roll_back(self) -> None:
        if self._changed:
            self._records.roll_back()
            super()._roll_back()

    def _release(self) -> None:
        super()._release()
        self._records.close()
