"""Reads and writes the items of a dataset through HDF5, or round it: at their offset in the file, where it is known."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.hdf5.hyperslabs import HyperslabReader
from imgstore_tui.backends.hdf5.low_level import Handle
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import read_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_JOINT_BELOW = 16 * 2**10
"""Payloads smaller than this are read together and cut; larger ones one by one, which saves a copy."""
MOST_CACHED_NUMBERS = 2**22
"""So many labels, 32 MiB, are kept in memory."""


class BlockWriter:
    """Writes batches into a dataset that is one block, by one call each, where the library needs several."""

    def __init__(self, path: Path, offset: int) -> None:
        self._path, self._place = path, offset
        self._descriptor = -1

    def write(self, first: int, images: Pixels) -> None:
        """Write a batch whose first image has the id ``first``; raises OSError."""
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        offset = self._place + first * (images.nbytes // len(images))
        rest = images.data.cast("B")
        while rest:
            written = os.pwrite(self._descriptor, rest, offset)
            offset += written
            rest = rest[written:]

    def close(self) -> None:
        """Close the file; raises OSError if only now space runs out for what was written, as on a network."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


@dataclass(slots=True)
class DatasetInfo:
    """An open dataset and its checked properties."""

    handle: Handle
    kind: np.dtype[Any]
    shape: tuple[int, ...]
    chunks: tuple[int, ...] | None
    """Shape of a chunk; None if the dataset is one block."""
    filtered: bool


class ChunkOffsets:
    """Offsets of all chunks of a dataset, read once and together, because HDF5 takes 50 microseconds for one."""

    def __init__(self, dataset: DatasetInfo, raw: RawFile) -> None:
        self._dataset, self._raw = dataset, raw
        self._offsets: dict[int, int] | None = None

    def all(self) -> dict[int, int]:
        """Return the offset in the file of each chunk that is allocated, by its number.

        Raises:
            StoreError: If they cannot be read, or one lies beyond the end of the file.
        """
        if self._offsets is None:
            chunks: list[Any] = []
            try:
                self._dataset.handle.id.chunk_iter(chunks.append)
            except (OSError, RuntimeError, ValueError) as error:
                raise read_error(self._raw.path, error) from None
            # An impossible offset is reported as None.
            if any(info.byte_offset is None or info.byte_offset >= self._raw.size for info in chunks):
                raise StoreError(f"{self._raw.path} is damaged: a part of its images lies beyond its end.")
            chunk = self._dataset.chunks[0] if self._dataset.chunks else 1
            self._offsets = {info.chunk_offset[0] // chunk: info.byte_offset for info in chunks}
        return self._offsets

    def check(self) -> None:
        """Check once that every chunk is there: HDF5 gives zeros for one that is not.

        Raises:
            StoreError: If one is missing, or lies beyond the end of the file.
        """
        chunks, shape = self._dataset.chunks, self._dataset.shape
        whole = chunks is not None and chunks[1:] == shape[1:]
        if self._offsets is None and chunks is not None and len(self.all()) < -(-shape[0] // chunks[0]) and whole:
            raise self.missing()

    def missing(self) -> StoreError:
        """Return the error for a chunk that is read and not allocated."""
        return StoreError(f"{self._raw.path} is damaged: a part of its images is missing.")


class ItemReader:
    """Reads a dataset of one item of ``size`` bytes per image, in one block or in chunks of several items."""

    def __init__(self, raw: RawFile, dataset: DatasetInfo, size: int, direct: bool) -> None:
        self._raw, self._dataset, self._size = raw, dataset, size
        self._count = dataset.shape[0]
        self._chunk = 0
        self._chunks = ChunkOffsets(dataset, raw)
        self._place: int | None = None
        self._library = HyperslabReader(dataset.handle.id, dataset.kind, chunked=dataset.chunks is not None)
        if dataset.chunks is None:
            place = dataset.handle.id.get_offset()
            if place is not None and place + self._count * size > raw.size:
                raise StoreError(f"{raw.path} is damaged: it is shorter than it says.")
            self._place = place if direct and dataset.kind.isnative else None
        elif direct and dataset.kind.isnative and not dataset.filtered and dataset.chunks[1:] == dataset.shape[1:]:
            self._chunk = dataset.chunks[0]

    def read(self, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        """Copy items into an array (n, ...), n is 1 or more; the ids have been checked."""
        if self._chunk:
            self._read_chunks(ids, span, out)
        elif self._place is None:
            self._read_by_library(ids, span, out)
        else:
            self._raw.gather(self._place, self._count, ids, span, out)

    def _read_chunks(self, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        """Copy from the chunks, by one call for each stretch within a chunk."""
        offsets, memory, at = self._chunks.all(), out.data.cast("B"), 0
        for start, stop in [(number, number + 1) for number in ids] if span is None else [span]:
            first = start
            while first < stop:
                number, within = divmod(first, self._chunk)
                count = min(stop - first, self._chunk - within)
                offset, length = offsets.get(number), count * self._size
                if offset is None:
                    raise self._chunks.missing()
                self._raw.read_into(memory[at : at + length], offset + within * self._size)
                at += length
                first += count

    def _read_by_library(self, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        self._chunks.check()
        try:
            self._library.read(ids, span, out)
        except (OSError, RuntimeError, ValueError) as error:
            raise read_error(self._raw.path, error) from None

    def close(self) -> None:
        """Release the dataset."""
        self._library.close()


class PayloadReader:
    """Reads payloads from a dataset of bytes in chunks, in which they lie in a row."""

    def __init__(self, raw: RawFile, dataset: DatasetInfo, direct: bool) -> None:
        self._raw, self._dataset = raw, dataset
        self.length = dataset.shape[0]
        self._chunk = dataset.chunks[0] if dataset.chunks else 0
        self._direct = direct and bool(self._chunk) and not dataset.filtered
        self._library = HyperslabReader(dataset.handle.id, dataset.kind, chunked=dataset.chunks is not None)
        self._chunks = ChunkOffsets(dataset, raw)

    def read(self, starts: Sequence[int], stops: Sequence[int], ascending: bool) -> list[bytes]:
        """Return one owned bytes object per payload.

        Args:
            starts: Where the payloads begin, in bytes from the start of the row.
            stops: Where they end.
            ascending: Whether each payload begins where the one before ends.
        """
        try:
            if not ascending or stops[-1] - starts[0] > _JOINT_BELOW * len(starts):
                return [self._bytes(start, stop) for start, stop in zip(starts, stops, strict=True)]
            base = starts[0]
            whole = self._bytes(base, stops[-1])
            return [whole[start - base : stop - base] for start, stop in zip(starts, stops, strict=True)]
        except (OSError, RuntimeError, ValueError) as error:
            raise read_error(self._raw.path, error) from None

    def _bytes(self, start: int, stop: int) -> bytes:
        if not self._direct:
            self._chunks.check()
            data = np.empty(stop - start, np.uint8)
            if len(data):
                self._library.read_range(start, stop, data)
            return data.tobytes()
        offsets, pieces = self._chunks.all(), []
        while start < stop:
            number, within = divmod(start, self._chunk)
            length = min(stop - start, self._chunk - within)
            offset = offsets.get(number)
            if offset is None:
                raise self._chunks.missing()
            pieces.append(self._raw.read_at(offset + within, length))
            start += length
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Release the dataset."""
        self._library.close()


class CachedNumbers:
    """Numbers of a dataset, read whole at the second call and kept: a call of the library costs more than thousands."""

    def __init__(self, items: ItemReader, count: int) -> None:
        self._items, self._count = items, count
        self._all: Labels | None = None
        self._was_read, self._fits = False, count <= MOST_CACHED_NUMBERS

    def read(self, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        """Copy numbers by ids, which have been checked, into an int64 array (n,)."""
        if self._all is None and not (self._fits and self._was_read):
            self._was_read = True
            self._items.read(ids, span, out)
            return
        if self._all is None:
            self._all = np.empty(self._count, np.int64)
            self._items.read(range(self._count), (0, self._count), self._all)
        if span is not None:
            out[:] = self._all[span[0] : span[1]]
        else:
            self._all.take(ids, 0, out, "clip")  # with ``clip`` NumPy needs no buffer
