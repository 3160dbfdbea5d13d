"""Opens HDF5 files of other programs as files of arrays by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgstore_tui.backends.hdf5.foreign_tree import head_of, list_datasets, require_memory, value_bytes
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.images import raw
from imgstore_tui.images.decode import MAX_PIXELS, sniff
from imgstore_tui.storekit.array_container import ArrayContainer, PictureFunctions
from imgstore_tui.storekit.array_facts import ArrayFacts
from imgstore_tui.storekit.foreign_containers import open_containers
from imgstore_tui.storekit.store_errors import read_error


class Hdf5Arrays(ArrayContainer):
    """The datasets of a file."""

    what = "dataset"
    format_name = "HDF5 file"
    functions = PictureFunctions(sniff, raw.pack, MAX_PIXELS)

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._file: Any = None

    @property
    def file(self) -> Any:
        """The open ``h5py.File``."""
        if self._file is None:
            import h5py

            self.check_unchanged()
            try:
                self._file = h5py.File(os.fspath(self.path), "r", locking=False)
            except OSError as error:
                if error.errno:
                    raise read_error(self.path, error) from None
                raise
        return self._file

    def arrays(self) -> list[ArrayFacts]:
        """Return the datasets that lie in the file."""
        return list_datasets(self.file, self.path)

    def values(self, path: str) -> Any:
        """Return an open ``h5py.Dataset``."""
        return self.file[path]

    def head(self, facts: ArrayFacts, index: int | None) -> bytes:
        """Return the first bytes of a value, or of a whole dataset of bytes."""
        return head_of(self.file[facts.path], facts, index)

    def value_bytes(self, facts: ArrayFacts, index: int | None) -> bytes:
        """Return a value, or a whole dataset, as bytes."""
        return value_bytes(self.file[facts.path], index)

    def require_memory(self, path: str) -> None:
        """Raise MemoryError if a chunk cannot be unpacked for lack of memory."""
        require_memory(self.file[path])

    def close(self) -> None:
        """Close the file until it is read again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


def open_files(location: Path, paths: Sequence[Path], layout: ForeignLayout) -> Reader:
    """Open files as one store.

    Args:
        location: What the user names, for messages.
        paths: The files, in the order in which their pictures are numbered.
        layout: What the user names in them.

    Raises:
        StoreError: If a file is damaged, or it is not plain to see which datasets hold pictures.
    """
    return open_containers(location, paths, layout, Hdf5Arrays)
