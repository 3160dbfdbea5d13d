"""Formats of records one behind the other: an index beside them says where each image is, so that any can be read.

The index is a file ``index.npy`` of a few whole numbers an image, which its format defines. What it says is only
believed as far as the record that it leads to agrees.
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
from imgstore_tui.storekit.folder_writer import LABELS, LABELS_SUM, FolderWriter, labels_sum, open_labels
from imgstore_tui.storekit.manifest_file import load_manifest
from imgstore_tui.storekit.npy_file import NpyColumn, NpyOutput

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

INDEX = "index.npy"


class RecordFiles(ABC):
    """The files of records, open at their end."""

    @abstractmethod
    def add_bytes(self, first: int, payloads: Sequence[bytes], labels: Labels) -> Labels:
        """Write payloads under ids from ``first`` on; return their rows of the index, int64 (n, width)."""

    @abstractmethod
    def add_array(self, first: int, images: Pixels, labels: Labels) -> Labels:
        """Write images of one shape under ids from ``first`` on; return their rows of the index."""

    @abstractmethod
    def force(self) -> int:
        """Force what was written to the device; return how many calls that took."""

    @abstractmethod
    def finish(self) -> None:
        """Write what stands at the end of a whole file, if anything does; more may be added all the same."""

    @abstractmethod
    def take_back(self) -> None:
        """Drop what was added since the sink was opened or last finished."""

    @abstractmethod
    def changed_paths(self) -> list[Path]:
        """Return the files that were written to."""

    @abstractmethod
    def close(self) -> None:
        """Close the files; safe to call twice."""


class RecordsWriter(FolderWriter):
    """Hands batches to a sink and keeps its index."""

    def __init__(
        self,
        backend: str,
        location: Path,
        content: Content,
        sink: RecordFiles,
        width: int,
        layout: Mapping[str, Any],
    ) -> None:
        super().__init__(backend, location, content)
        self._sink, self._layout = sink, layout
        try:
            self._index = NpyOutput(location / INDEX, "int64", (width,))
        except StoreError:
            sink.close()
            raise

    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        self._index.append(self._sink.add_bytes(self._put, payloads, labels))

    def _add_array(self, images: Pixels, labels: Labels) -> None:
        self._index.append(self._sink.add_array(self._put, images, labels))

    def _finish(self) -> Mapping[str, Any]:
        self._sink.finish()
        self._index.commit()
        return self._layout

    def _release(self) -> None:
        self._sink.close()
        self._index.close()


class RecordsReader:
    """What readers of records share: the manifest, the index and the labels."""

    def __init__(self, backend: str, location: Path, width: int) -> None:
        self.location = location
        self.content, self.found = load_manifest(backend, location)
        self._sum = self.found.get(LABELS_SUM)
        self._index = NpyColumn(location / INDEX, "int64", (width,), self.content.count)
        try:
            self._labels = open_labels(location, self.content.count)
        except StoreError:
            self._index.close()
            raise
        self._width = width

    def rows(self, ids: Sequence[int], span: IdSpan | None) -> Labels:
        """Return rows of the index."""
        rows = np.empty((len(ids), self._width), np.int64)
        self._index.read(ids, span, rows)
        if len(rows) and int(rows.min()) < 0:
            raise StoreError(f"{self._index.path} is damaged: its numbers make no sense.")
        return rows

    def fill_labels(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> None:
        """Read labels by ids."""
        self._labels.read(ids, span, labels)

    def read_labels(self) -> Labels:
        """Read the file of labels, and check its sum."""
        labels: Labels = self._labels.all("int64")
        if labels_sum(labels) != self._sum:
            raise StoreError(f"{self._labels.path} is damaged: its checksum is wrong.")
        return labels

    def close(self) -> None:
        """Close the files."""
        self._index.close()
        self._labels.close()


class RecordsEditor(FolderEditor):
    """Adds records behind the last.

    No record that counts is touched, so all of them are there after a process has died; what stands behind the last may
    be of that process, as far as it came, in the place of what a format marks its end with. The next edit writes over
    it.
    """

    def __init__(self, backend: str, location: Path, sync: SyncLevel, sink: RecordFiles, reader: RecordsReader) -> None:
        layout = layout_of(reader.found)
        layout.pop(LABELS_SUM, None)
        super().__init__(backend, location, sync, reader.content, layout)
        self._labels_there = reader.read_labels()
        self._sink = sink
        self._added: list[Labels] = []
        try:
            self._index = self._file(INDEX, "int64", (reader.rows([], None).shape[1],), self.content.count)
            self._labels = self._file(LABELS, "int64", (), self.content.count)
        except StoreError:
            self._release()
            raise

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Add payloads behind the last."""
        check_batch(self._location, self.content, ids, payloads, labels)
        if len(ids):
            self._check(ids)
            self._follow(self._sink.add_bytes(ids[0], payloads, labels), labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Add images behind the last."""
        check_batch(self._location, self.content, ids, images, labels)
        if len(ids):
            self._check(ids)
            self._follow(self._sink.add_array(ids[0], images, labels), labels)

    def _check(self, ids: Sequence[int]) -> None:
        if not self._live_ids.is_append(self._location, ids):
            raise UnsupportedError(
                f"Backend {self._backend} keeps records one behind the other: it can grow, but none can be replaced."
            )

    def _follow(self, rows: Labels, labels: Labels) -> None:
        numbers = np.array(labels, np.int64)
        self._index.append(rows)
        self._labels.append(numbers)
        self._added.append(numbers)
        self._live_ids.grow(len(numbers))
        self._note()

    def _before_commit(self) -> None:
        """Finish the records; then come the index and the labels, then the manifest, which counts."""
        self._sink.finish()
        if self._each:
            self.syncs += self._sink.force()
        self._labels_there, self._added = np.concatenate([self._labels_there, *self._added]), []
        self._layout[LABELS_SUM] = labels_sum(self._labels_there)

    def changed_paths(self) -> Iterable[Path]:
        """The last file of records and those made since, the index, the labels, and a new manifest."""
        return [*self._sink.changed_paths(), *super().changed_paths()]

    def _take_back(self) -> None:
        if self._changed:
            self._sink.take_back()
            super()._take_back()

    def _release(self) -> None:
        super()._release()
        self._sink.close()
