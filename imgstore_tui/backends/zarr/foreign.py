"""Reads Zarr arrays and groups of other programs, versions 2 and 3, as arrays by name.

An array names the codecs that unpack it, and a library loads any of them, one that unpickles among them. So the
metadata is read here first, and only known codecs are let through; no link among the files of chunks is followed.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.images import raw
from imgstore_tui.images.decode import MAX_PIXELS, sniff
from imgstore_tui.storekit.array_container import ArrayContainer, PictureFunctions
from imgstore_tui.storekit.array_facts import ArrayFacts
from imgstore_tui.storekit.foreign_containers import open_containers
from imgstore_tui.storekit.raw_file import RawFile

_NEW = "zarr.json"
NODES = (_NEW, ".zarray", ".zgroup")
"""Files that make a folder an array or a group: of version 3, and of version 2."""
_MOST_METADATA = 2**20
_MOST_ARRAYS, _MOST_DEPTH, _MOST_FILES = 10_000, 8, 10_000_000
_MOST_CHUNK = 256 * 2**20
_MOST_SHRUNK, _FREE_BYTES = 1100, 2**20
_CODECS = frozenset(
    {"blosc", "zlib", "gzip", "bz2", "lzma", "lz4", "zstd", "crc32c", "shuffle", "delta", "bytes", "transpose"}
)
"""Codecs that are let through: numbers in, numbers out, and nothing of Python in between."""
_SHARDED = "sharding_indexed"
_VARIABLE = {"vlen-utf8": "text", "vlen-bytes": "bytes"}
"""Codecs of values of any length."""
_NUMCODECS = "numcodecs."
"""What stands before the names of codecs in version 3 that version 2 has as well."""


class ZarrArrays(ArrayContainer):
    """The arrays of a folder."""

    format_name = "Zarr store"
    functions = PictureFunctions(sniff, raw.pack, MAX_PIXELS)

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._open: dict[str, Any] = {}

    def arrays(self) -> list[ArrayFacts]:
        """Return the arrays of the folder, without those that are not what pictures or labels can be."""
        self.check_unchanged()
        facts = []
        for folder, prefix in _nodes(self.path, "", 0):
            facts.append(_facts(folder, prefix or self.path.name.partition(".")[0] or "array"))
            if len(facts) > _MOST_ARRAYS:
                raise StoreError(f"{self.path} has more than {_MOST_ARRAYS:,} arrays, which are not taken.")
        return facts

    def values(self, path: str) -> Any:
        """Return an open ``zarr.Array``, for reading only."""
        if path not in self._open:
            import zarr

            folder = self.path if _is_array(self.path) else self.path / path
            facts = _facts(folder, path)
            if facts.refusal:
                raise StoreError(f"{self.path}: {safe_text(path)} {facts.refusal}.")
            store = zarr.storage.LocalStore(os.fspath(folder), read_only=True)
            # Of the version whose metadata is checked: a folder may hold files of both.
            opened = zarr.open_array(store, mode="r", zarr_format=2 if _is_old(folder) else 3)
            is_text = facts.dtype is not None and facts.dtype.kind == "O" and not facts.variable
            self._open[path] = np.array(opened[...].tolist(), object) if is_text else opened
        return self._open[path]

    def value_bytes(self, facts: ArrayFacts, index: int | None) -> bytes:
        """Return a value as bytes, or the whole array for None."""
        array = self.values(facts.path)
        if facts.dtype is None or facts.dtype.kind != "O":
            return np.asarray(array[...] if index is None else array[index]).tobytes()
        value = None if index is None else array[index : index + 1].tolist()[0]
        return value if isinstance(value, bytes) else b""

    def close(self) -> None:
        """Drop the arrays until they are read again."""
        self._open = {}


def is_zarr(folder: Path) -> bool:
    """Whether a folder is an array or a group."""
    return any((folder / name).is_file() for name in NODES)


def _is_old(folder: Path) -> bool:
    """Whether a node is of version 2; a folder with files of both versions is of version 3, as zarr takes it."""
    return not (folder / _NEW).is_file()


def _is_array(folder: Path) -> bool:
    if _is_old(folder):
        return (folder / ".zarray").is_file()
    return _read(folder / _NEW).get("node_type") == "array"


def _nodes(folder: Path, prefix: str, depth: int) -> Iterator[tuple[Path, str]]:
    """Yield the arrays of a group with their names, and groups in it; links are not followed."""
    if depth > _MOST_DEPTH:
        return
    if _is_array(folder):
        yield folder, prefix
        return
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False) and is_zarr(Path(entry.path)):
            yield from _nodes(Path(entry.path), f"{prefix}/{entry.name}".lstrip("/"), depth + 1)


def _read(path: Path) -> dict[str, Any]:
    """Return what a file of metadata holds.

    Raises:
        ValueError: If it is no JSON object.
        OSError: If it cannot be read, or is a link.
    """
    file = RawFile(path)
    try:
        metadata = json.loads(file.read_at(0, min(file.size, _MOST_METADATA)))
    except RecursionError:
        metadata = None
    finally:
        file.close()
    if isinstance(metadata, dict):
        return metadata
    raise ValueError(f"{path.name} is no JSON object")


def _facts(folder: Path, name: str) -> ArrayFacts:
    """Return what the metadata of an array says.

    Raises:
        ValueError: If it makes no sense.
    """
    old = _is_old(folder)
    metadata = _read(folder / (".zarray" if old else _NEW))
    try:
        shape = tuple(int(side) for side in metadata["shape"])
        codecs, chunks = _codecs_of(metadata, old)
        kind = metadata["dtype"] if old else metadata["data_type"]
        chunk = math.prod(int(side) for side in chunks)
        grid = metadata["chunks"] if old else metadata["chunk_grid"]["configuration"]["chunk_shape"]
        pieces = math.prod(-(-side // int(step)) for side, step in zip(shape, grid, strict=True))
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError):
        raise ValueError(f"the metadata of {safe_text(name)} makes no sense") from None
    if min((*shape, 0)) < 0 or (chunk <= 0 and shape):
        raise ValueError(f"the metadata of {safe_text(name)} makes no sense")
    variable = {_VARIABLE[codec] for codec in codecs if codec in _VARIABLE}
    dtype = np.dtype(object) if len(variable) == 1 else _dtype(kind)
    if foreign := sorted(codecs - _CODECS - {_SHARDED, *_VARIABLE}):
        return ArrayFacts(name, shape, dtype, False, f"is packed by {safe_text(foreign[0])[:40]}, which is not loaded")
    if dtype is None:
        return ArrayFacts(name, shape, None, False, f"is of the type {safe_text(str(kind))[:40]}, which is not read")
    if chunk * dtype.itemsize > _MOST_CHUNK:
        refusal = "is in chunks of more than 256 MiB, each of which would be unpacked for a single image"
        return ArrayFacts(name, shape, dtype, variable == {"bytes"}, refusal)
    size, files, refusal = _weigh(folder)
    if not refusal and math.prod(shape) * dtype.itemsize > _FREE_BYTES + _MOST_SHRUNK * size:
        refusal = "is larger than its files can hold"
    note = "" if files >= pieces else (
        f"{format_count(pieces - files)} of its {format_count(pieces)} chunks are not there: they are read as its fill "
        "value, as zarr reads them"
    )  # fmt: skip
    return ArrayFacts(name, shape, dtype, variable == {"bytes"}, refusal, note=note)


def _codecs_of(metadata: dict[str, Any], old: bool) -> tuple[set[str], Any]:
    """Return the names of all codecs and filters that unpack an array, and the shape of what they unpack at once."""
    if old:
        parts = [metadata.get("compressor"), *(metadata.get("filters") or ())]
        return {str(part["id"]) for part in parts if part is not None}, metadata["chunks"]
    names: set[str] = set()
    chunks = metadata["chunk_grid"]["configuration"]["chunk_shape"]
    pending = list(metadata["codecs"])
    while pending:
        codec = pending.pop()
        names.add(str(codec["name"]).removeprefix(_NUMCODECS))
        if codec["name"] == _SHARDED:
            inner = codec["configuration"]
            chunks = inner["chunk_shape"]
            pending += [*inner["codecs"], *inner["index_codecs"]]
    if metadata.get("storage_transformers"):
        names.add("storage transformers")
    return names, chunks


def _dtype(kind: Any) -> np.dtype[Any] | None:
    """Return a type of numbers or of text of fixed length; None for any other."""
    if isinstance(kind, dict) and kind.get("name") == "fixed_length_utf32":
        kind = f"<U{int(kind['configuration']['length_bytes']) // 4}"
    elif isinstance(kind, dict) and kind.get("name") == "null_terminated_bytes":
        kind = f"S{int(kind['configuration']['length_bytes'])}"
    try:
        dtype = np.dtype(kind) if isinstance(kind, str) and not kind.startswith("r") else None
    except TypeError:
        return None
    return dtype if dtype is not None and dtype.kind in "buifSU" and not dtype.hasobject else None


def _weigh(folder: Path) -> tuple[int, int, str]:
    """Return bytes and number of the files of chunks, and why they are not read; empty if they are."""
    size = files = 0
    for root, folders, names in os.walk(folder, followlinks=False):
        for name in (*folders, *names):
            if Path(root, name).is_symlink():
                return 0, 0, f"holds the link {safe_text(name)}, which is not followed"
        size += sum(Path(root, name).stat().st_size for name in names)
        files += sum(not name.startswith(".") and name != _NEW for name in names)
        if files > _MOST_FILES:
            return 0, 0, "is in more than 10,000,000 files"
    return size, files, ""


def open_folder(location: Path, folders: Sequence[Path], layout: ForeignLayout) -> Reader:
    """Open a folder as a store.

    Args:
        location: What the user names, for messages.
        folders: It alone, for which ``is_zarr`` holds.
        layout: What the user names in it.

    Raises:
        StoreError: If it is damaged, or it is not plain to see which array holds pictures.
    """
    return open_containers(location, folders, layout, ZarrArrays)
