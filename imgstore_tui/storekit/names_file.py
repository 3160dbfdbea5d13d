"""Keeps the names of images in a file of their own, ``names.npy``: text in UTF-8, each of the length of the longest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.content import Content
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.image_names import check_safe
from imgstore_tui.core.manifest import IdSpan
from imgstore_tui.storekit.npy_file import NpyColumn, NpyOutput

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAMES = "names.npy"


def encode_names(location: object, content: Content, names: Sequence[str]) -> NDArray[np.bytes_]:
    """Return names in UTF-8, array (n,) of fixed length.

    Raises:
        UnsupportedError: If the store was not announced to hold names.
        StoreError: If one of them may not be kept.
    """
    if not content.name_bytes:
        raise UnsupportedError(f"{location} was not announced to hold names of images.")
    return np.array([check_safe(name, content.name_bytes, location) for name in names], f"S{content.name_bytes}")


def decode_names(location: object, names: Sequence[bytes]) -> list[str]:
    """Return stored names as text.

    Raises:
        StoreError: If one of them is no UTF-8.
    """
    try:
        return [name.decode() for name in names]
    except UnicodeDecodeError:
        raise StoreError(f"{location} is damaged: a name in it is no UTF-8.") from None


def require_names(content: Content) -> None:
    """Raise UnsupportedError if a store has no names."""
    if not content.name_bytes:
        raise UnsupportedError("This store keeps no names of images.")


def missing_names(location: object, count: int) -> StoreError:
    """Return the error for a store that was announced to hold names, some of which were not given."""
    return StoreError(f"{location} was announced to hold names of images, and {count} of them were not given.")


class NamesOutput:
    """The file of names of a store that is written or changed; nothing where its images have no names."""

    def __init__(self, location: Path, content: Content, file: NpyOutput | None = None) -> None:
        """Create the file, or take the one that was opened to continue."""
        self._location, self._content = location, content
        if file is None and content.name_bytes:
            begun = (location / NAMES).exists()  # by a process that died: all names are given again
            file = NpyOutput(location / NAMES, f"S{content.name_bytes}", (), 0 if begun else None)
        self._file = file

    def put(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Append names, or overwrite those of existing images."""
        data = encode_names(self._location, self._content, names)
        if self._file is None or not len(ids):
            return
        if ids[0] == self._file.count:
            self._file.append(data.tobytes())
            return
        for number, name in zip(ids, data, strict=True):
            self._file.overwrite(number, np.frombuffer(name.ljust(self._content.name_bytes, b"\0"), np.uint8))

    def complete(self, count: int) -> None:
        """Check that all images have names, and finish the file.

        Raises:
            StoreError: If names are missing.
        """
        if self._file is not None:
            if self._file.count != count:
                raise StoreError(
                    f"{self._location} is to keep names of images; {count - self._file.count} are missing."
                )
            self._file.commit()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def read_names(location: Path, content: Content, ids: Sequence[int], span: IdSpan | None) -> list[str]:
    """Return names by ids, which have been checked.

    Raises:
        UnsupportedError: If the store has no names.
        StoreError: If the file is missing or damaged.
    """
    require_names(content)
    names: Any = np.empty(len(ids), f"S{content.name_bytes}")
    column = NpyColumn(location / NAMES, f"S{content.name_bytes}", (), content.count)
    try:
        column.read(ids, span, names.view(np.uint8).reshape(len(ids), content.name_bytes))
    finally:
        column.close()
    return decode_names(location, names.tolist())
