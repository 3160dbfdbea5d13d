"""Reading the arrays, each chunk that is needed once a call."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.zarr import FOLDER
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_ids, check_out, is_count
from imgstore_tui.store_parts.manifest_file import load_manifest
from imgstore_tui.store_parts.payload_row import read_row
from imgstore_tui.store_parts.raw_file import RawFile, failed, first_line

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_CODECS = frozenset({"bytes", "zstd", "gzip", "blosc", "crc32c", "sharding_indexed"})
"""What is in our files; the library would load any other by its name."""
_MOST_METADATA = 2**20
_CUT_BELOW = 2**22
"""Payloads of a run are read together where they are no more bytes than this."""


class ZarrReader(Reader):
    """Opens arrays that are what the manifest says, made by codecs that are known to be harmless."""

    def __init__(self, location: Path) -> None:
        self._location = location
        self.content, found = load_manifest("zarr", location)
        size, count = found.get("bytes"), self.content.count
        if not is_count(size):
            raise StoreError(f"{location} is damaged: what it says of its layout makes no sense.")
        self._size = size
        self._numbers: dict[str, Labels] = {}
        self._least: dict[str, int] = {}
        if self.content.kind is PayloadKind.ARRAY:
            shape = (count, *(self.content.shape or ()))
            self._images, self._chunk, self._step = self._open("images", shape, str(self.content.dtype))
        else:
            self._images, self._chunk, self._step = self._open("payloads", (size,), "uint8")
            self._open("ends", (count,), "int64")
        self._open("labels", (count,), "int64")

    def _open(self, name: str, shape: tuple[int, ...], dtype: str) -> tuple[Any, int, int]:
        """Return an array, the length of its chunks, and that of its files."""
        path = self._location / FOLDER / name
        wrong = StoreError(f"{path} is damaged: it is not the array it should be.")
        try:
            file = RawFile(path / "zarr.json")
        except OSError as error:
            raise failed(path / "zarr.json", error) from None
        try:
            facts = json.loads(file.piece(0, min(file.size, _MOST_METADATA)))
            step = facts["chunk_grid"]["configuration"]["chunk_shape"]
            codecs = list(facts["codecs"])
            chunk = step
            for codec in facts["codecs"]:
                if codec["name"] == "sharding_indexed":
                    inner = [*codec["configuration"]["codecs"], *codec["configuration"]["index_codecs"]]
                    if any(within["name"] == "sharding_indexed" for within in inner):
                        raise wrong  # ours are not nested, and what is in there would have to be looked at too
                    codecs += inner
                    chunk = codec["configuration"]["chunk_shape"]
            sound = (
                tuple(facts["shape"]) == shape
                and facts["data_type"] == dtype
                and {codec["name"] for codec in codecs} <= _CODECS
                and not facts.get("storage_transformers")
                and all(isinstance(side, int) and side > 0 for side in (step[0], chunk[0]))
                and (tuple(step[1:]), tuple(chunk[1:])) == (shape[1:], shape[1:])
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError):
            raise wrong from None
        finally:
            file.close()
        if not sound:
            raise wrong
        # The library takes a shard that is too short for its index for one without images.
        self._least[name] = step[0] // chunk[0] * 16 + 4 if step != chunk else 1
        import zarr

        try:
            return zarr.open_array(os.fspath(path), mode="r", zarr_format=3), int(chunk[0]), int(step[0])
        except Exception as error:
            raise self._damaged(path, error) from None

    def _damaged(self, path: Path, error: Exception) -> StoreError:
        return StoreError(f"{path} is damaged or cannot be read: {first_line(error)}.")

    def _slice(self, array: Any, name: str, step: int, start: int, stop: int) -> Any:
        """Return a part of an array; a file that is not there would be read as zeros."""
        path = self._location / FOLDER / name
        for number in range(start // step, -(-stop // step)):
            file = path.joinpath("c", str(number), *["0"] * (array.ndim - 1))
            if not file.is_file():
                raise StoreError(f"{file} is missing: the store is damaged.")
            if file.stat().st_size < self._least[name]:
                raise StoreError(f"{file} is damaged: it has been cut short.")
        try:
            return array[start:stop]
        except Exception as error:
            raise self._damaged(path, error) from None

    def _all(self, name: str) -> Labels:
        """Return an array of numbers, read once."""
        found = self._numbers.get(name)
        if found is None:
            array, _, step = self._open(name, (self.content.count,), "int64")
            found = self._numbers[name] = np.array(self._slice(array, name, step, 0, self.content.count), np.int64)
        return found

    def read_array(self, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
        """Read runs at once, and other images chunk by chunk."""
        if self.content.kind is not PayloadKind.ARRAY:
            super().read_array(ids, out, labels)
            return
        check_out(self._location, self.content, ids, out, labels)
        run = check_ids(self._location, self.content.count, ids)
        if not len(ids):
            return
        labels[:] = self._all("labels")[list(ids)]
        if run is not None:
            out[...] = self._slice(self._images, "images", self._step, *run)
            return
        numbers = np.asarray(ids, np.int64)
        order = np.argsort(numbers, kind="stable")
        chunks = numbers[order] // self._chunk
        bounds = np.flatnonzero(np.diff(chunks, prepend=-1, append=-1)).tolist()
        for start, stop in itertools.pairwise(bounds):
            places = order[start:stop]
            low, high = int(numbers[places[0]]), int(numbers[places[-1]]) + 1
            out[places] = self._slice(self._images, "images", self._step, low, high)[numbers[places] - low]

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Find where the payloads end, then cut them from the row."""
        if self.content.kind is not PayloadKind.BYTES:
            return super().read_bytes(ids, labels)
        run = check_ids(self._location, self.content.count, ids)
        if not len(ids):
            return []
        labels[:] = self._all("labels")[list(ids)]

        def ends(which: Sequence[int], _: tuple[int, int] | None, out: Any) -> None:
            self._all("ends").take(which, out=out, mode="clip")  # else numpy takes a buffer of its own

        def piece(start: int, stop: int) -> bytes:
            found: bytes = self._slice(self._images, "payloads", self._step, start, stop).tobytes()
            return found

        return read_row(ids, run, ends, self._size, piece, _CUT_BELOW, self._unfitting)

    def _unfitting(self) -> StoreError:
        return StoreError(f"{self._location / FOLDER} is damaged: its ends do not fit the payloads.")

    def read_labels(self) -> Labels:
        """Read the array of labels."""
        return self._all("labels").copy()

    def close(self) -> None:
        """Let go of the arrays; the library keeps no file open."""
        self._numbers = {}
        self._images = None
