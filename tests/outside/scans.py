"""A third party's backend that also reads files of another program: a magic, then what ``numpy.savez`` writes.

It claims ``.tar`` too, for tars that hold one npz file.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.backend import Content, PayloadKind, Reader
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_ids
from tests.outside.ledger import Ledger

MAGIC = b"SCANS\0\0\0"


def write_scans(path: Path, images: Any, labels: Any) -> None:
    with path.open("wb") as file:
        file.write(MAGIC)
        np.savez(file, images=images, labels=labels)


class ScansReader(Reader):
    """Holds the arrays in memory."""

    def __init__(self, location: Path, files: Sequence[Path]) -> None:
        self._location = location
        images, labels = zip(*(_arrays(file) for file in files), strict=True)
        self._images, self._labels = np.concatenate(images), np.concatenate(labels).astype(np.int64)
        count, *shape = self._images.shape
        self.content = Content(count, PayloadKind.ARRAY, "raw", tuple(shape), self._images.dtype.name)

    def read_array(self, ids: Sequence[int], out: Any, labels: Any) -> None:
        check_ids(self._location, self.content.count, ids)
        out[...] = self._images[list(ids)]
        labels[:] = self._labels[list(ids)]

    def read_labels(self) -> Any:
        return self._labels.copy()

    def close(self) -> None:
        self._images = self._images[:0]


def _arrays(path: Path) -> tuple[Any, Any]:
    try:
        if path.suffix == ".tar":
            with tarfile.open(path) as tar, tar.extractfile("scans.npz") as member:  # type: ignore[union-attr]
                arrays = dict(np.load(member))
        else:
            data = path.read_bytes()
            if not data.startswith(MAGIC):
                raise ValueError("no magic")
            arrays = dict(np.load(io.BytesIO(data[len(MAGIC) :])))
        return arrays["images"], arrays["labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, tarfile.TarError):
        raise StoreError(f"{path} is damaged or not a file of scans.") from None


class Scans(Ledger):
    name = "scans"
    title = "Scans"
    foreign_suffixes = frozenset({".scans", ".tar"})

    @classmethod
    def open_foreign(cls, location: Path, files: Sequence[Path]) -> Reader:
        return ScansReader(location, files)
