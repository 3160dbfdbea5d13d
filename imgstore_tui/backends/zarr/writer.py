"""Writes the arrays, whole chunks at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.zarr import CHUNK_BYTES, FOLDER
from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import image_bytes
from imgstore_tui.core.options import OptionValue
from imgstore_tui.storekit.folder_writer import FolderWriter
from imgstore_tui.storekit.store_errors import write_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_AT_ONCE = 2**24
"""Bytes that are written at a time, in whole chunks, which the library writes concurrently."""
_NUMBERS_CHUNK = 65_536


class ZarrWriter(FolderWriter):
    """Collects images until they fill chunks or shards."""

    keeps_labels = False

    def __init__(
        self, location: Path, content: Content, values: Mapping[str, OptionValue], resumed: Labels | None = None
    ) -> None:
        super().__init__("zarr", location, content)
        self._values = values
        self._shard = int(values["shard"])
        self._filled = self._written = 0
        self._ends: list[Labels] = []
        self._images: Any = None
        self._there = 0 if resumed is None else len(resumed)
        try:
            self._group = self._new_group(location / FOLDER) if resumed is None else self._old_group(location / FOLDER)
            if content.kind is PayloadKind.ARRAY:
                shape, chunk = content.shape or (), int(values["chunk"])
                step = self._shard or chunk
                step *= max(1, _AT_ONCE // (step * image_bytes(content)))
                self._buffer = np.empty((step, *shape), content.dtype)
                made = (content.count, *shape), str(content.dtype), chunk, self._shard
                self._images = self._new("images", *made) if resumed is None else self._old("images", *made[:2])
                self._written = self._there
            else:
                self._buffer = np.empty(_AT_ONCE, np.uint8)
                if resumed is None:
                    self._images = self._new("payloads", (0,), "uint8", CHUNK_BYTES, 0)
                else:
                    self._images = self._old("payloads", None, "uint8")
                    self._begin_in_a_chunk(resumed)
        except Exception as error:
            raise self._failed(error) from None

    @staticmethod
    def _new_group(path: Path) -> Any:
        import zarr

        return zarr.create_group(os.fspath(path), zarr_format=3)

    @staticmethod
    def _old_group(path: Path) -> Any:
        import zarr

        return zarr.open_group(os.fspath(path), mode="r+", zarr_format=3)

    def _old(self, name: str, shape: tuple[int, ...] | None, dtype: str) -> Any:
        """Return an array that another process created."""
        import zarr

        with zarr.config.set({"array.write_empty_chunks": True}):  # which the array does not store
            array = self._group[name]
        if array.dtype != np.dtype(dtype) or shape not in (None, array.shape):
            raise ValueError("it is not the array that was begun")
        return array

    def _begin_in_a_chunk(self, sizes: Labels) -> None:
        """Continue after payloads of these sizes; what the last chunk already holds is written again with it."""
        self._ends.append(np.cumsum(sizes))
        stop = int(sizes.sum())
        if self._images.shape[0] < stop:
            raise ValueError("it is shorter than it was")
        self._written = stop - stop % CHUNK_BYTES
        self._filled = stop - self._written
        self._buffer[: self._filled] = self._images[self._written : stop]

    def checkpoint(self) -> int:
        """Return the number of images whose chunks are complete in files."""
        if self._content.kind is PayloadKind.ARRAY:
            return self._written
        ends = np.concatenate([np.zeros(0, np.int64), *self._ends])
        return max(self._there, int(np.searchsorted(ends, self._written, side="right")))

    def _new(self, name: str, shape: tuple[int, ...], dtype: str, chunk: int, shard: int) -> Any:
        from zarr import codecs

        compressors: list[Any] = {
            "zstd": [codecs.ZstdCodec(level=1)],
            "gzip": [codecs.GzipCodec(level=1)],
            "blosc": [codecs.BloscCodec(typesize=1, clevel=1)],
        }.get(str(self._values["filter"]), [])
        if self._values["checksum"]:
            compressors.append(codecs.Crc32cCodec())
        return self._group.create_array(
            name,
            shape=shape,
            dtype=dtype,
            chunks=(chunk, *shape[1:]),
            shards=(shard, *shape[1:]) if shard else None,
            compressors=compressors or None,
            filters=None,
            fill_value=0,
            overwrite=self._there > 0,  # a process may have died just after it created the array
            config={"write_empty_chunks": True},  # a chunk that is missing was lost
        )

    def _add_array(self, images: Pixels, labels: Labels) -> None:
        self._fill(images)

    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        first = self._written + self._filled
        self._ends.append(first + np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads))))
        self._fill(np.frombuffer(b"".join(payloads), np.uint8))

    def _fill(self, items: Any) -> None:
        at = 0
        while at < len(items):
            count = min(len(items) - at, len(self._buffer) - self._filled)
            self._buffer[self._filled : self._filled + count] = items[at : at + count]
            self._filled, at = self._filled + count, at + count
            if self._filled == len(self._buffer):
                self._flush()

    def _flush(self) -> None:
        stop = self._written + self._filled
        try:
            if stop > self._images.shape[0]:
                self._images.resize((stop,))
            if self._filled:
                self._images[self._written : stop] = self._buffer[: self._filled]
        except Exception as error:
            raise self._failed(error) from None
        self._written, self._filled = stop, 0

    def _finish(self) -> Mapping[str, Any]:
        self._flush()
        ends = np.concatenate([np.zeros(0, np.int64), *self._ends])
        numbers = {"labels": self.labels(), **({"ends": ends} if self._content.kind is PayloadKind.BYTES else {})}
        try:
            for name, values in numbers.items():
                chunk = min(max(1, len(values)), _NUMBERS_CHUNK)
                array = self._new(name, values.shape, "int64", chunk, 0)
                if len(values):
                    array[:] = values
        except Exception as error:
            raise self._failed(error) from None
        return {"bytes": self._written}

    def _failed(self, error: Exception) -> StoreError:
        _await_writes()
        return write_error(self._location / FOLDER, error)

    def _release(self) -> None:
        self._buffer = np.empty(0, np.uint8)


def _await_writes() -> None:
    """Wait until the chunks that were handed over with one that failed are written or have failed as well.

    The library returns at the first failure and leaves the others to its event loop: they would write into what is
    being removed, and asyncio would print their failures when the process ends.
    """
    from zarr.core import sync

    async def settle() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*tasks, return_exceptions=True)

    sync.sync(settle())
