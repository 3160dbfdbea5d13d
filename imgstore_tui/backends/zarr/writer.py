"""Writing the arrays, whole chunks at a time."""

from __future__ import annotations

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
from imgstore_tui.store_parts.folder_writer import FolderWriter
from imgstore_tui.store_parts.raw_file import first_line

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_AT_ONCE = 2**24
"""Bytes that are handed over at once, if whole chunks: the library writes those at the same time."""
_NUMBERS_CHUNK = 65_536


class ZarrWriter(FolderWriter):
    """Collects images until they fill chunks, or shards."""

    keeps_labels = False

    def __init__(self, location: Path, content: Content, values: Mapping[str, OptionValue]) -> None:
        super().__init__("zarr", location, content)
        self._values = values
        self._shard = int(values["shard"])
        self._filled = self._written = 0
        self._ends: list[Labels] = []
        self._images: Any = None
        try:
            self._group = self._new_group(location / FOLDER)
            if content.kind is PayloadKind.ARRAY:
                shape, chunk = content.shape or (), int(values["chunk"])
                step = self._shard or chunk
                step *= max(1, _AT_ONCE // (step * image_bytes(content)))
                self._buffer = np.empty((step, *shape), content.dtype)
                self._images = self._new("images", (content.count, *shape), str(content.dtype), chunk, self._shard)
            else:
                self._buffer = np.empty(_AT_ONCE, np.uint8)
                self._images = self._new("payloads", (0,), "uint8", CHUNK_BYTES, 0)
        except Exception as error:
            raise self._failed(error) from None

    @staticmethod
    def _new_group(path: Path) -> Any:
        import zarr

        return zarr.create_group(os.fspath(path), zarr_format=3)

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
            config={"write_empty_chunks": True},  # a chunk that is not there is one that was lost
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
        return StoreError(f"{self._location / FOLDER} cannot be written: {first_line(error)}.")

    def _release(self) -> None:
        self._buffer = np.empty(0, np.uint8)
