"""Reads files of other programs that hold pictures as arrays of one shape, as one store of arrays."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.core.content import RAW_CODEC, PayloadKind
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.manifest import check_out
from imgstore_tui.storekit.foreign_files import ForeignFile, ForeignReader

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels, Pixels


class ForeignArrayFile(ForeignFile):
    """A file whose pictures are arrays of one shape."""

    shape: tuple[int, ...]
    """Shape of each picture, (H, W, C) or (H, W)."""
    dtype: str
    """``uint8`` or ``uint16``."""

    @abstractmethod
    def read_into(self, start: int, out: Pixels) -> None:
        """Read consecutive pictures from ``start`` on into an array (n, H, W[, C]).

        Raises:
            StoreError: If they cannot be read.
        """

    def payload(self, number: int) -> bytes:
        """Refuse: pictures are arrays."""
        raise UnsupportedError("This file holds arrays, not encoded pictures.")


class ForeignArrays(ForeignReader):
    """Reads arrays in the order of the files; few of the files are open at a time."""

    def __init__(self, location: Path, files: Sequence[ForeignArrayFile], names: Sequence[str]) -> None:
        super().__init__(location, files, names)
        self._arrays = list(files)
        first, *others = [file for file in files if file.count]
        for file in others:
            if (file.shape, file.dtype) != (first.shape, first.dtype):
                raise StoreError(f"{location} has files whose images differ in shape or type; name one of them.")
        self.content = replace(
            self.content, kind=PayloadKind.ARRAY, codec=RAW_CODEC, shape=first.shape, dtype=first.dtype
        )

    def read_array(self, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
        """Read images, consecutive ones by one call."""
        check_out(self._location, self.content, ids, out, labels)
        at = 0
        while at < len(ids):
            index, first = self._place(ids[at])
            stop = at + 1
            left = self._arrays[index].count - first
            while stop < len(ids) and stop - at < left and ids[stop] == ids[at] + stop - at:
                stop += 1
            self._use(index)
            self._arrays[index].read_into(first, out[at:stop])
            at = stop
        if len(ids):
            labels[:] = self._labels[list(ids)]

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Refuse: pictures are arrays."""
        raise UnsupportedError("This store holds arrays; read them with read_array.")


class ForeignRawPictures(ForeignReader):
    """Reads pictures of any shapes that their files hold as pixels: each payload is a header and the pixels."""

    def __init__(
        self,
        location: Path,
        files: Sequence[ForeignFile],
        names: Sequence[str],
        uniform: tuple[tuple[int, ...], str] | None = None,
    ) -> None:
        """Open files; ``uniform`` is shape and dtype of all pictures, if they are equal."""
        super().__init__(location, files, names)
        shape, dtype = uniform or (None, None)
        self.content = replace(self.content, codec=RAW_CODEC, shape=shape, dtype=dtype)
