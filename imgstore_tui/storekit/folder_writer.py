"""Writes stores that are a folder of files with a manifest, whatever the files are."""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from imgstore_tui.storekit.manifest_file import save_manifest
from imgstore_tui.storekit.names_file import NamesOutput
from imgstore_tui.storekit.npy_file import NpyColumn, NpyOutput
from imgstore_tui.storekit.sequential_writer import SequentialWriter

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

LABELS = "labels.npy"
LABELS_SUM = "labels_crc32"
"""Manifest key of the checksum of the labels file, for which no format has a place."""


class FolderWriter(SequentialWriter):
    """Collects the labels for a file at the end, and writes the manifest last.

    A subclass opens its files, adds batches to them, and finishes or releases them. As the manifest comes last, no
    single batch can be made durable: the backend refuses that beforehand (``refuse_batch_sync``).
    """

    keeps_labels: ClassVar[bool] = True
    """Whether the labels get a separate file; False if the format holds them."""
    checksums_labels: ClassVar[bool] = True
    names_apart: ClassVar[bool] = True
    """Whether names of images get a separate file; False if the format holds them."""

    _names: NamesOutput | None = None

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Append names to their file."""
        if not self.names_apart:
            super().put_names(ids, names)
            return
        if self._names is None:
            self._names = NamesOutput(self._location, self._content)
        self._names.put(ids, names)

    @abstractmethod
    def _finish(self) -> Mapping[str, Any]:
        """Finish the files; return the entries of the manifest that describe their layout."""

    def abort(self) -> None:
        """Close the files; what was put does not open as a store."""
        super().abort()
        if self._names is not None:
            self._names.close()

    def _complete(self) -> None:
        """Finish the files, then write the labels and the manifest, without which the folder is not a store."""
        layout = self._finish()
        if self.names_apart and self._content.name_bytes:
            if self._names is None:
                self._names = NamesOutput(self._location, self._content)
            self._names.complete(self._put)
        if self.keeps_labels:
            checksum = write_labels(self._location, self.labels())
            if self.checksums_labels:
                layout = {**layout, LABELS_SUM: checksum}
        save_manifest(self._backend, self._location, self._content, durable=False, **layout)


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
