"""Reads the chunks of an array straight from their files: located once, verified once, copied without the library.

A file is a chunk, ``c/NUMBER/0/0...``, or a shard: chunks in a row, then the offset and length of each (little-endian,
64 bits each) and the CRC32C of these.
"""

from __future__ import annotations

import itertools
import mmap
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.zarr.layout import Layout
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import read_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

_MOST_OPEN = 128
"""Most files that are kept open, each with a memory map once it is read in parts."""
UNPACKED_BYTES = 2**25
"""Unpacked chunks stay in memory up to this many bytes together, one at least."""
_SUM = 4
"""Bytes of a checksum."""
_ENTRY = 16
"""Bytes of the offset and the length of a chunk in the index of a shard."""
_GZIP = 31
"""Value of ``wbits`` with which zlib takes a gzip header."""


@dataclass(slots=True)
class _File:
    raw: RawFile
    index: Any = None
    """Index of a shard, uint64 array (chunks, 2) of offsets and lengths; None if the file is a chunk."""
    right: set[int] = field(default_factory=set)
    """Chunks whose checksum has been verified in the map."""


class Chunks:
    """An array open for reading."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        import google_crc32c

        self._sum, self._extend = google_crc32c.value, google_crc32c.extend
        self._folder, self._layout = folder, layout
        self._files: dict[int, _File] = {}
        self._unpacked: dict[int, Bytes] = {}
        self._open = True

    def read(self, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        """Copy items by ids into an array.

        Args:
            ids: Ids that exist, one or more.
            span: Their span if they ascend one by one, else None.
            out: C-contiguous array (n, ...) whose rows have the size of an item.

        Raises:
            StoreError: If a chunk is missing or damaged.
        """
        memory = out.reshape(len(ids), -1).view(np.uint8)
        for number, positions, rows in self._chunks_of(ids, span):
            held = min(self._layout.chunk, self._layout.items - number * self._layout.chunk)
            whole = isinstance(rows, slice) and rows == slice(0, held)
            if whole and self._layout.filter is None:
                self._read_chunk_into(number, memory[positions])
            elif isinstance(rows, slice) or len(rows) > 1:
                memory[positions] = self._items(number)[rows]
            else:
                memory[positions[0]] = self._items(number)[rows[0]]

    def read_range(self, start: int, stop: int) -> bytes:
        """Return a range of an array of bytes."""
        chunk = self._layout.chunk
        parts = []
        for number in range(start // chunk, -(-stop // chunk)):
            base = number * chunk
            parts.append(self._items(number)[max(start - base, 0) : stop - base].tobytes())
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _chunks_of(self, ids: Sequence[int], span: IdSpan | None) -> Iterator[tuple[int, Any, Any]]:
        """Yield each chunk that holds some of the ids: its number, positions of these ids, their rows in it."""
        chunk = self._layout.chunk
        if span is not None:
            for number in range(span[0] // chunk, -(-span[1] // chunk)):
                base = number * chunk
                first, stop = max(span[0], base), min(span[1], base + chunk)
                yield number, slice(first - span[0], stop - span[0]), slice(first - base, stop - base)
            return
        requested = np.asarray(ids, np.int64)
        if chunk == 1:
            for position, number in enumerate(ids):
                yield number, slice(position, position + 1), slice(0, 1)
            return
        numbers, rows = np.divmod(requested, chunk)
        order = np.argsort(numbers, kind="stable")
        numbers, rows = numbers[order], rows[order]
        bounds = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
        for start, stop in itertools.pairwise(bounds):
            yield int(numbers[start]), order[start:stop], rows[start:stop]

    def _read_chunk_into(self, number: int, target: Any) -> None:
        """Read all items of a chunk into ``target``, then verify the checksum there."""
        file, offset, _ = self._locate(number)
        room = self._layout.chunk_bytes - target.nbytes  # padding of the last chunk, beyond the end of the array
        rest = bytearray(room + _SUM * self._layout.summed)
        file.raw.read_parts_into([target.reshape(-1).data, memoryview(rest)], offset)
        if self._layout.summed:
            checksum = self._extend(self._sum(target), bytes(rest[:room]))
            if checksum != int.from_bytes(rest[room:], "little"):
                raise self._wrong(file)

    def _items(self, number: int) -> Bytes:
        """Return a view of a chunk as items, uint8 array (n, bytes), or (n,) for bytes, to be released soon."""
        shape = (self._layout.chunk, *([self._layout.size] if self._layout.sides > 1 or self._layout.size > 1 else []))
        if self._layout.filter is not None:
            return self._unpack(number).reshape(shape)
        file, offset, length = self._locate(number)
        fresh = number not in file.right
        whole = file.raw.mapped()
        if fresh:
            start = offset - offset % mmap.PAGESIZE
            whole.madvise(mmap.MADV_WILLNEED, start, offset + length - start)
        chunk_bytes = np.frombuffer(whole, np.uint8, length, offset)
        if fresh:
            self._verify(file, chunk_bytes)
            file.right.add(number)
        return chunk_bytes[: self._layout.chunk_bytes].reshape(shape)

    def _unpack(self, number: int) -> Bytes:
        unpacked = self._unpacked.get(number)
        if unpacked is None:
            file, offset, length = self._locate(number)
            packed = np.frombuffer(file.raw.read_at(offset, length), np.uint8)
            self._verify(file, packed)
            if self._layout.summed:
                packed = packed[:-_SUM]
            try:
                unpacked = np.frombuffer(
                    _unpacked(str(self._layout.filter), packed, self._layout.chunk_bytes), np.uint8
                )
            except Exception as error:  # each library raises its own errors
                raise self._damaged(file, first_line(error)) from None
            if len(unpacked) != self._layout.chunk_bytes:
                raise self._damaged(file, "a chunk in it is not of the size it should be")
            if len(self._unpacked) >= max(1, UNPACKED_BYTES // self._layout.chunk_bytes):
                self._unpacked.pop(next(iter(self._unpacked)))
            self._unpacked[number] = unpacked
        return unpacked

    def _verify(self, file: _File, chunk: Bytes) -> None:
        if self._layout.summed and (
            len(chunk) < _SUM or self._sum(chunk[:-_SUM]) != int.from_bytes(chunk[-_SUM:].tobytes(), "little")
        ):
            raise self._wrong(file)

    def _locate(self, number: int) -> tuple[_File, int, int]:
        """Return the file that holds a chunk, and its offset and length there."""
        layout = self._layout
        expected = None if layout.filter else layout.chunk_bytes + _SUM * layout.summed
        if layout.in_shard is None:
            file = self._file(number)
            offset, length = 0, file.raw.size
        else:
            file = self._file(number // layout.in_shard)
            offset, length = file.index[number % layout.in_shard].tolist()
            if offset + length > file.raw.size - len(file.index) * _ENTRY - _SUM:
                raise self._damaged(file, "a chunk does not lie in it where its index says")
        if expected is not None and length < expected and layout.in_shard is None:
            raise self._damaged(file, "it has been cut short")
        if expected is not None and length != expected:
            raise self._damaged(file, "a chunk in it is not of the size it should be")
        return file, offset, length

    def _file(self, number: int) -> _File:
        file = self._files.get(number)
        if file is None:
            if not self._open:
                raise StoreError(f"{self._folder} is closed: nothing can be read.")
            path = self._chunk_path(number)
            try:
                file = _File(RawFile(path))
            except FileNotFoundError:
                raise StoreError(f"{path} is missing: the store is damaged.") from None
            except OSError as error:
                raise read_error(path, error) from None
            if self._layout.in_shard is not None:
                try:
                    file.index = self._index(file, self._layout.in_shard)
                except StoreError:
                    file.raw.close()
                    raise
            if len(self._files) >= _MOST_OPEN:
                self._files.pop(next(iter(self._files))).raw.close()
            self._files[number] = file
        return file

    def _chunk_path(self, number: int) -> Path:
        """Return the path of a file, which is a chunk or a shard."""
        return self._folder.joinpath("c", str(number), *["0"] * (self._layout.sides - 1))

    def _index(self, file: _File, chunks: int) -> Any:
        size = chunks * _ENTRY
        if file.raw.size < size + _SUM:
            raise self._damaged(file, "it has been cut short")
        index = file.raw.read_at(file.raw.size - size - _SUM, size + _SUM)
        if self._sum(index[:size]) != int.from_bytes(index[size:], "little"):
            raise self._damaged(file, "the checksum of its index is wrong")
        return np.frombuffer(index, "<u8", 2 * chunks).reshape(chunks, 2)

    def _wrong(self, file: _File) -> StoreError:
        return self._damaged(file, "the checksum of a chunk is wrong")

    @staticmethod
    def _damaged(file: _File, why: str) -> StoreError:
        return StoreError(f"{file.raw.path} is damaged: {why}.")

    def close(self) -> None:
        """Close the files."""
        self._open = False
        for file in self._files.values():
            file.raw.close()
        self._files, self._unpacked = {}, {}


def _unpacked(name: str, packed: Bytes, size: int) -> Any:
    """Return a decompressed chunk of at most about ``size`` bytes."""
    if name == "gzip":
        return zlib.decompressobj(_GZIP).decompress(packed.data, size + 1)
    from numcodecs import blosc, zstd

    return (blosc if name == "blosc" else zstd).decompress(packed)
