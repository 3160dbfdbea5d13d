"""Reads samples in order through the package webdataset, which streams a tar from a member on."""

from __future__ import annotations

import contextlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from imgstore_tui.backends.webdataset.tar import key_of
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line

_LABEL = "cls"


class PackageStream:
    """A tar that the package reads on from where it stands; another place is begun at anew."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._path = Path()
        self._samples: Iterator[Any] = iter(())
        self._next = -1

    def sample(self, path: Path, offset: int, number: int) -> tuple[bytes, int]:
        """Return the bytes and the label of an image.

        Args:
            path: The tar, an ordinary file.
            offset: Where the first member of the image begins.
            number: Id of the image.

        Raises:
            StoreError: If another sample is there, or none.
        """
        try:
            if self._path != path or self._next != number:
                self._begin(path, offset)
            sample = next(self._samples, None)
            self._next = number + 1
            if sample is None or sample["__key__"].encode() != key_of(number):
                raise StoreError(f"{path} is damaged: image {number} is not where it should be.")
            (payload,) = (value for name, value in sample.items() if name != _LABEL and not name.startswith("__"))
            return payload, int(sample[_LABEL])
        except (tarfile.TarError, OSError, ValueError, KeyError, EOFError) as error:
            raise StoreError(f"{path} is damaged: {first_line(error)}.") from None

    def _begin(self, path: Path, offset: int) -> None:
        from webdataset.tariterators import group_by_keys, tar_file_expander

        self.close()
        self._path, self._file = path, path.open("rb")
        self._file.seek(offset)
        self._samples = iter(group_by_keys(tar_file_expander([{"url": path.name, "stream": self._file}])))

    def close(self) -> None:
        """Close the tar."""
        self._samples, self._next, self._path = iter(()), -1, Path()
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
