"""Reads samples in order through the package webdataset, which streams a tar from a member on."""

from __future__ import annotations

import contextlib
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line

_LABEL = "cls"


class PackageStream:
    """A tar that the package reads on from where it stands."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._path = Path()
        self._samples: Iterator[Any] = iter(())
        self.shard = 0
        """Number of the tar."""
        self.following = -1
        """Id of the image that comes next."""

    def begin(self, path: Path, shard: int, offset: int, number: int) -> None:
        """Begin at an image.

        Args:
            path: The tar, an ordinary file.
            shard: Its number.
            offset: Where the first member of the image begins.
            number: Id of the image.
        """
        from webdataset.tariterators import group_by_keys, tar_file_expander

        self.close()
        try:
            self._path, self._file = path, path.open("rb")
            self._file.seek(offset)
        except OSError as error:
            raise self._damaged(error) from None
        self._samples = iter(group_by_keys(tar_file_expander([{"url": path.name, "stream": self._file}])))
        self.shard, self.following = shard, number

    def take(self, is_key: Callable[[str], bool]) -> tuple[bytes, int | None] | None:
        """Return the bytes and the label of the next image; None at the end of the tar.

        Args:
            is_key: Tells whether a key is that of the image.

        Returns:
            The payload, and the label, None where there is none; None at the end of the tar.

        Raises:
            StoreError: If another sample is there.
        """
        try:
            sample = next(self._samples, None)
            if sample is None:
                return None
            if not is_key(sample["__key__"]):
                raise StoreError(f"{self._path} is damaged: image {self.following} is not where it should be.")
            self.following += 1
            (payload,) = (value for name, value in sample.items() if name != _LABEL and not name.startswith("__"))
            return payload, int(sample[_LABEL]) if _LABEL in sample else None
        except (tarfile.TarError, OSError, ValueError, KeyError, EOFError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> StoreError:
        return StoreError(f"{self._path} is damaged: {first_line(error)}.")

    def close(self) -> None:
        """Close the tar."""
        self._samples, self.following = iter(()), -1
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
