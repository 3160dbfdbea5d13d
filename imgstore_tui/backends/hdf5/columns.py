"""The fastest ways to the items of a dataset: at their place in the file where that is known, else by the library."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.hdf5.calls import Handle
from imgstore_tui.core.errors import StoreError
from imgstore_tui.store_parts.raw_file import RawFile, failed

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Pixels

_CUT_BELOW = 16 * 2**10
"""Payloads smaller than this are read together and cut; larger ones one by one, which spares a copy."""


class RawBlock:
    """The place of a dataset that is one block, to write a batch in one call, which the library does in several."""

    def __init__(self, path: Path, place: int) -> None:
        self._path, self._place = path, place
        self._descriptor = -1

    def write(self, first: int, images: Pixels) -> None:
        """Write a batch whose first image has this number; raises OSError."""
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        place = self._place + first * (images.nbytes // len(images))
        rest = images.data.cast("B")
        while rest:
            written = os.pwrite(self._descriptor, rest, place)
            place += written
            rest = rest[written:]

    def close(self) -> None:
        """Close the file; raises OSError where only now there is no room for what was written, as over a network."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


@dataclass(slots=True)
class Dataset:
    """A dataset that has been looked at."""

    handle: Handle
    kind: np.dtype[Any]
    shape: tuple[int, ...]
    chunks: tuple[int, ...] | None
    """Shape of a chunk; None where it is one block."""
    filtered: bool


class Column:
    """A dataset of one item of ``size`` bytes an image, in one block or in chunks of several items."""

    def __init__(self, raw: RawFile, dataset: Dataset, size: int, direct: bool) -> None:
        self._raw, self._dataset, self._size = raw, dataset, size
        self._count = dataset.shape[0]
        self._chunk = 0
        self._chunk_places: list[int] | None = None
        self._place: int | None = None
        if not direct or not dataset.kind.isnative:
            return
        if dataset.chunks is None:
            self._place = dataset.handle.id.get_offset()
            if self._place is not None and self._place + self._count * size > raw.size:
                raise StoreError(f"{raw.path} is damaged: it is shorter than it says.")
        elif not dataset.filtered and dataset.chunks[1:] == dataset.shape[1:]:
            self._chunk = dataset.chunks[0]

    def read(self, ids: Sequence[int], run: tuple[int, int] | None, out: Any) -> None:
        """Copy items into an array of as many; ids have been checked, and are not none."""
        if self._chunk:
            self._read_chunks(ids, run, out)
        elif self._place is None:
            self._read_by_library(ids, run, out)
        else:
            self._raw.gather(self._place, self._count, ids, run, out)

    def _read_chunks(self, ids: Sequence[int], run: tuple[int, int] | None, out: Any) -> None:
        """Copy from the places of the chunks, a part of one at a time."""
        if self._chunk_places is None:
            found = places_of(self._dataset, self._raw)
            self._chunk_places = [found.get(number, -1) for number in range(-(-self._count // self._chunk))]
        memory, at = out.data.cast("B"), 0
        for start, stop in [(number, number + 1) for number in ids] if run is None else [run]:
            first = start
            while first < stop:
                number, within = divmod(first, self._chunk)
                count = min(stop - first, self._chunk - within)
                place, length = self._chunk_places[number], count * self._size
                if place < 0:
                    raise StoreError(f"{self._raw.path} is damaged: a part of its images is missing.")
                self._raw.fill(memory[at : at + length], place + within * self._size)
                at += length
                first += count

    def _read_by_library(self, ids: Sequence[int], run: tuple[int, int] | None, out: Any) -> None:
        try:
            if run is not None and len(ids) > 1:
                self._dataset.handle.items.read_direct(out, np.s_[run[0] : run[1]])
                return
            # Never ``dataset[ids]``: h5py is up to a thousand times slower with a list than one by one. In the order
            # of the file, so that each chunk is unpacked once.
            for position in sorted(range(len(ids)), key=ids.__getitem__):
                out[position] = self._dataset.handle.items[ids[position]]
        except (OSError, RuntimeError, ValueError) as error:
            raise failed(self._raw.path, error) from None


class Row:
    """A dataset of bytes, in chunks: payloads one behind the other."""

    def __init__(self, raw: RawFile, dataset: Dataset, direct: bool) -> None:
        self._raw, self._dataset = raw, dataset
        self.length = dataset.shape[0]
        self._chunk = dataset.chunks[0] if dataset.chunks else 0
        self._direct = direct and bool(self._chunk) and not dataset.filtered
        self._places: dict[int, int] | None = None

    def cut(self, starts: Sequence[int], stops: Sequence[int], ascending: bool) -> list[bytes]:
        """Return owned bytes, one a payload; ascending payloads lie one behind the other."""
        try:
            if not ascending or stops[-1] - starts[0] > _CUT_BELOW * len(starts):
                return [self._bytes(start, stop) for start, stop in zip(starts, stops, strict=True)]
            base = starts[0]
            whole = self._bytes(base, stops[-1])
            return [whole[start - base : stop - base] for start, stop in zip(starts, stops, strict=True)]
        except (OSError, RuntimeError, ValueError) as error:
            raise failed(self._raw.path, error) from None

    def _bytes(self, start: int, stop: int) -> bytes:
        if not self._direct:
            found: bytes = self._dataset.handle.items[start:stop].tobytes()
            return found
        pieces = []
        while start < stop:
            number, within = divmod(start, self._chunk)
            length = min(stop - start, self._chunk - within)
            pieces.append(self._raw.piece(self._place_of(number) + within, length))
            start += length
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _place_of(self, number: int) -> int:
        """Return where a chunk lies; all are asked for at once."""
        if self._places is None:
            self._places = places_of(self._dataset, self._raw)
        if number not in self._places:
            raise StoreError(f"{self._raw.path} is damaged: a part of its images is missing.")
        return self._places[number]


def places_of(dataset: Dataset, raw: RawFile) -> dict[int, int]:
    """Return where each chunk of a dataset lies; all at once, because HDF5 takes 50 microseconds to find one.

    Raises:
        StoreError: If they cannot be found, or one does not begin in the file.
    """
    found: list[Any] = []
    try:
        dataset.handle.id.chunk_iter(found.append)
    except (OSError, RuntimeError, ValueError) as error:
        raise failed(raw.path, error) from None
    # One whose place is no place at all has not even a number.
    if any(info.byte_offset is None or info.byte_offset >= raw.size for info in found):
        raise StoreError(f"{raw.path} is damaged: a part of its images lies beyond its end.")
    chunk = dataset.chunks[0] if dataset.chunks else 1
    return {info.chunk_offset[0] // chunk: info.byte_offset for info in found}
