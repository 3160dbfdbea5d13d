"""Reads from ``zarr.json`` how an array is laid out in files, and refuses layouts that our writer does not make."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import MAX_COUNT, is_count
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import read_error

_FILTERS = ("zstd", "gzip", "blosc")
_MOST_METADATA = 2**20


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of an array that is chunked along its first axis only."""

    items: int
    """Length of the first axis."""
    size: int
    """Bytes of an item, which is one index of the first axis."""
    sides: int
    """Number of axes."""
    chunk: int
    """Items in a chunk; the last chunk is padded to as many."""
    in_shard: int | None
    """Chunks in a shard, which is a file; None if each chunk is a file."""
    filter: str | None
    """Compression of a chunk."""
    summed: bool
    """Whether a chunk ends with its CRC32C."""

    @property
    def chunk_bytes(self) -> int:
        """Bytes of an uncompressed chunk."""
        return self.chunk * self.size


def read_layout(folder: Path, shape: tuple[int, ...], dtype: str) -> Layout:
    """Return the layout of the array in a folder.

    Only what our writer makes is accepted: an array names its codecs, and a library would load any of them.

    Raises:
        StoreError: If it is not an array of this shape and dtype, or has another layout.
    """
    path = folder / "zarr.json"
    try:
        file = RawFile(path)
    except OSError as error:
        raise read_error(path, error) from None
    try:
        return _layout(json.loads(file.read_at(0, min(file.size, _MOST_METADATA))), shape, dtype)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError):
        raise StoreError(f"{folder} is damaged: it is not the array it should be.") from None
    finally:
        file.close()


def _layout(facts: Any, shape: tuple[int, ...], dtype: str) -> Layout:
    """Return the layout in the metadata; raises ValueError, TypeError or KeyError if it is another one."""
    grid, codecs = facts["chunk_grid"], facts["codecs"]
    file = chunk = _sides(grid["configuration"]["chunk_shape"], shape)
    sharded = codecs[0]["name"] == "sharding_indexed"
    if sharded:
        (shard,) = codecs
        inner = shard["configuration"]
        chunk, codecs = _sides(inner["chunk_shape"], shape), inner["codecs"]
        index = [codec["name"] for codec in inner["index_codecs"]]
        _insist(index == ["bytes", "crc32c"] and _little(inner["index_codecs"][0]))
        _insist(inner.get("index_location", "end") == "end" and file % chunk == 0)
    names = [codec["name"] for codec in codecs]
    summed = names[-1] == "crc32c"
    middle = names[1 : len(names) - summed]
    keys = facts["chunk_key_encoding"]
    _insist(names[0] == "bytes" and _little(codecs[0]) and (not middle or middle[0] in _FILTERS) and len(middle) < 2)
    _insist(keys["name"] == "default" and (keys.get("configuration") or {}).get("separator", "/") == "/")
    _insist(grid["name"] == "regular" and not facts.get("storage_transformers"))
    _insist(tuple(facts["shape"]) == shape and facts["data_type"] == dtype)
    size = math.prod(shape[1:]) * np.dtype(dtype).itemsize
    return Layout(
        shape[0], size, len(shape), chunk, file // chunk if sharded else None, middle[0] if middle else None, summed
    )


def _sides(sides: Any, shape: tuple[int, ...]) -> int:
    """Return the first side of a chunk, whose other sides must be those of the array."""
    first, *others = sides
    _insist(is_count(first) and 0 < first <= MAX_COUNT and tuple(others) == shape[1:])
    return int(first)


def _little(codec: Any) -> bool:
    """Whether numbers are stored with the low byte first; single bytes have no order."""
    return bool((codec.get("configuration") or {}).get("endian", "little") == "little")


def _insist(right: bool) -> None:
    if not right:
        raise ValueError
