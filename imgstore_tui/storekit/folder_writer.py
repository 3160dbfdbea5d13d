"""Writes stores that are a folder of files with a manifest, whatever the files are."""

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
"""Manifest key of the checksum of the labels file, for which no format has a place."""


class FolderWriter(Writer):
    """Collects the labels for a file at the end, and writes the manifest last.

    A subclass opens its files, adds batches to them, and finishes or releases them. As the manifest comes last, no
    single batch can be made durable: the backend refuses that beforehand (``refuse_batch_sync``).
    """

    keeps_labels: ClassVar[bool] = True
    """Whether the labels get a separate file; False if the format holds them."""
    checksums_labels: ClassVar[bool] = True

    def __init__(self, backend: str, location: Path, content: Content) -> None:
        self._backend, self._location, self._content = backend, location, content
        self._put = 0
        self._labels: list[Labels] = []
        self._open = True

    def continue_after(self, labels: Labels) -> None:
        """Count the images with these labels, int64 array (n,), as put: another process did."""
        self._put = len(labels)
        self._labels = [np.array(labels, np.int64)]

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Add a batch of payloads."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        if len(ids):
            self._add_bytes(payloads, labels)
            self._count_labels(labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Add a batch of images of one shape."""
        check_put(self._location, self._content, self._put, ids, images, labels)
        if len(ids):
            self._add_array(images, labels)
            self._count_labels(labels)

    def _count_labels(self, labels: Labels) -> None:
        self._put += len(labels)
        self._labels.append(np.array(labels, np.int64))

    @abstractmethod
    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        """Add one or more payloads."""

    @abstractmethod
    def _add_array(self, images: Pixels, labels: Labels) -> None:
        """Add one or more images of one shape."""

    @abstractmethod
    def _finish(self) -> Mapping[str, Any]:
        """Finish the files; return the entries of the manifest that describe their layout."""

    @abstractmethod
    def _release(self) -> None:
        """Close every handle, in whatever state; called once."""

    def close(self) -> None:
        """Finish the files, then write the labels and the manifest, without which the folder is not a store."""
        if not self._open:
            return
        try:
            check_complete(self._location, self._content, self._put)
            layout = self._finish()
            if self.keeps_labels:
                checksum = write_labels(self._location, self.labels())
                if self.checksums_labels:
                    layout = {**layout, LABELS_SUM: checksum}
            save_manifest(self._backend, self._location, self._content, durable=False, **layout)
        finally:
            self.abort()

    def labels(self) -> Labels:
        """Return all labels so far, int64 array (n,)."""
        return np.concatenate([np.zeros(0, np.int64), *self._labels])

    def abort(self) -> None:
        """Close the files; without a manifest the folder does not open as a store."""
        if self._open:
            self._open = False
            self._release()


def write_labels(location: Path, labels: Labels) -> int:
    """Write the labels file, and return the checksum of the labels."""
    file = NpyOutput(location / LABELS, "int64", ())
    try:
        file.append(labels)
        file.commit()
    finally:
        file.close()
    return labels_checksum(labels)


def labels_checksum(labels: Labels) -> int:
    """Return the CRC32 of labels, int64 array (n,)."""
    return zlib.crc32(labels.data)


def open_labels(location: Path, count: int) -> NpyColumn:
    """Open the labels file for reading.

    Raises:
        StoreError: If it is missing, or too short.
    """
    return NpyColumn(location / LABELS, "int64", (), count)
