"""Writing a folder of files: what is the same whatever the files are."""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from imgstore_tui.core.backend import Content, Writer
from imgstore_tui.core.manifest import check_complete, check_put
from imgstore_tui.storekit.manifest_file import save_manifest
from imgstore_tui.storekit.npy_file import NpyColumn, NpyOutput

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

LABELS = "labels.npy"
LABELS_SUM = "labels_crc32"
"""The manifest's name for the checksum of the labels: no format stores one for a file that only we have."""


class FolderWriter(Writer):
    """Keeps the labels for a file of their own at the end, and writes the manifest last.

    A subclass opens its files, says where a batch goes, and finishes or lets go of them. As the manifest comes last, no
    single batch can be made durable: whoever makes such a writer has refused that (``refuse_batches``).
    """

    keeps_labels: ClassVar[bool] = True
    """Whether the labels get a file of their own, and not a place in the format itself."""
    sums_labels: ClassVar[bool] = True

    def __init__(self, backend: str, location: Path, content: Content) -> None:
        self._backend, self._location, self._content = backend, location, content
        self._put = 0
        self._labels: list[Labels] = []
        self._open = True

    def go_on(self, labels: Labels) -> None:
        """Take it that images with these labels have been put, by another process."""
        self._put = len(labels)
        self._labels = [np.array(labels, np.int64)]

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Add a batch of payloads."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        if len(ids):
            self._add_bytes(payloads, labels)
            self._follow(labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Add a batch of images of one shape."""
        check_put(self._location, self._content, self._put, ids, images, labels)
        if len(ids):
            self._add_array(images, labels)
            self._follow(labels)

    def _follow(self, labels: Labels) -> None:
        self._put += len(labels)
        self._labels.append(np.array(labels, np.int64))

    @abstractmethod
    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        """Take a batch of payloads, at least one."""

    @abstractmethod
    def _add_array(self, images: Pixels, labels: Labels) -> None:
        """Take a batch of images, at least one."""

    @abstractmethod
    def _finish(self) -> Mapping[str, Any]:
        """Finish the files; return what the manifest must say of their layout."""

    @abstractmethod
    def _release(self) -> None:
        """Close every handle, whatever state it is in; called once."""

    def close(self) -> None:
        """Finish the files, then write the labels and the manifest: until then the folder is no store."""
        if not self._open:
            return
        try:
            check_complete(self._location, self._content, self._put)
            layout = self._finish()
            if self.keeps_labels:
                checksum = write_labels(self._location, self.labels())
                if self.sums_labels:
                    layout = {**layout, LABELS_SUM: checksum}
            save_manifest(self._backend, self._location, self._content, durable=False, **layout)
        finally:
            self.abort()

    def labels(self) -> Labels:
        """Return all labels so far."""
        return np.concatenate([np.zeros(0, np.int64), *self._labels])

    def abort(self) -> None:
        """Let go of the files; without a manifest the folder does not open as a store."""
        if self._open:
            self._open = False
            self._release()


def write_labels(location: Path, labels: Labels) -> int:
    """Write the file of labels and return its checksum."""
    file = NpyOutput(location / LABELS, "int64", ())
    try:
        file.append(labels)
        file.commit()
    finally:
        file.close()
    return labels_sum(labels)


def labels_sum(labels: Labels) -> int:
    """Return the checksum of labels."""
    return zlib.crc32(labels.data)


def open_labels(location: Path, count: int) -> NpyColumn:
    """Open the file of labels.

    Raises:
        StoreError: If it is missing, or too short.
    """
    return NpyColumn(location / LABELS, "int64", (), count)
