"""Defines the objects of a store: their keys, the manifest, and the index in it of where each image lies."""

from __future__ import annotations

import json
import re
import secrets
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.content import Content, PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.live_ids import LiveIds, next_id_in
from imgstore_tui.core.manifest import MAX_MANIFEST_BYTES, foreign, image_bytes, is_count, read_manifest, write_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imgstore_tui.core.content import Labels
    from imgstore_tui.core.location import ServerLocation

    Column = NDArray[np.int64]

MANIFEST = "imgstore-tui-manifest"
MOST_MANIFEST = 2**30
"""Bytes of the largest manifest that is read, with its index."""
LONGEST_KEY = 1024
"""Bytes of a key, in every service."""
_OURS = re.compile(rf"(?:{MANIFEST}|[0-9a-f]{{8}}/[0-9a-f]{{16}})$")
_GENERATION = re.compile(r"[0-9a-f]{8}$")
_OWN_BYTES = 1 + 8 + 1 + 16
_MOST_BYTES = 2**40
_COLUMNS = 4


def new_generation() -> str:
    """Return the folder of a store's images within it: another for each time that it is written or copied."""
    return secrets.token_hex(4)


def new_session() -> int:
    """Return the number of the first object of one who changes a store: two who do so at once never share a key."""
    return (secrets.randbits(30) + 1) << 32


def check_name(location: ServerLocation) -> None:
    """Check that keys can begin with the name of a store.

    Raises:
        StoreError: If they cannot.
    """
    parts = location.name.split("/")
    if any(part in ("", ".", "..") or not part.isprintable() for part in parts):
        raise StoreError(f"{location}: a part of the name is empty, '.', '..' or unprintable. Choose another.")
    if len(location.name.encode()) + _OWN_BYTES > LONGEST_KEY or any(len(part.encode()) > 255 for part in parts):
        raise StoreError(
            f"{location}: a name may have {LONGEST_KEY - _OWN_BYTES} bytes, and 255 between slashes. Choose another."
        )


def manifest_key(location: ServerLocation) -> str:
    """Return the key of a store's manifest."""
    return f"{location.name}/{MANIFEST}"


def image_key(location: ServerLocation, generation: str, number: int) -> str:
    """Return the key of an object with images."""
    return f"{location.name}/{generation}/{number:016x}"


def is_ours(location: ServerLocation, key: str) -> bool:
    """Whether a key is one that stores at this location have."""
    return key.startswith(f"{location.name}/") and _OURS.match(key[len(location.name) + 1 :]) is not None


def unfinished(backend: str, generation: str) -> bytes:
    """Return the manifest of a store that is not whole yet."""
    manifest = {"format": f"imgstore-tui {backend}", "unfinished": True, "generation": generation}
    return json.dumps(manifest).encode() + b"\n"


def first_line_of(data: bytes) -> dict[str, Any]:
    """Return the JSON in the first line of a manifest; empty if there is none."""
    try:
        manifest = json.loads(data.partition(b"\n")[0])
    except (ValueError, RecursionError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def is_manifest(backend: str, data: bytes) -> bool:
    """Whether an object begins as the manifest of a store of this backend does, whole or not."""
    return first_line_of(data[:MAX_MANIFEST_BYTES]).get("format") == f"imgstore-tui {backend}"


def _empty() -> Column:
    return np.zeros(0, np.int64)


@dataclass(slots=True)
class Index:
    """Where the images of a store lie: columns int64 (n,), a row for each id ever used."""

    generation: str
    labels: Column = field(default_factory=_empty)
    objects: Column = field(default_factory=_empty)
    """Number of the object; -1 for an image that was deleted."""
    offsets: Column = field(default_factory=_empty)
    lengths: Column = field(default_factory=_empty)

    def append(self, labels: Labels, places: Sequence[tuple[int, int, int]]) -> None:
        """Add rows.

        Args:
            labels: int64 array (n,).
            places: Object, offset and length of each image.
        """
        more = np.array(places, np.int64).reshape(-1, 3)
        self.labels = np.concatenate([self.labels, labels])
        self.objects = np.concatenate([self.objects, more[:, 0]])
        self.offsets = np.concatenate([self.offsets, more[:, 1]])
        self.lengths = np.concatenate([self.lengths, more[:, 2]])

    def replace(self, ids: Sequence[int], labels: Labels, places: Sequence[tuple[int, int, int]]) -> None:
        """Change the rows of ids; see ``append``."""
        rows, more = np.asarray(ids, np.int64), np.array(places, np.int64).reshape(-1, 3)
        self.labels[rows] = labels
        self.objects[rows], self.offsets[rows], self.lengths[rows] = more.T

    def delete(self, ids: Sequence[int]) -> None:
        """Mark the rows of ids as deleted."""
        self.objects[np.asarray(ids, np.int64)] = -1

    def used(self) -> set[int]:
        """Return the numbers of the objects in which images lie."""
        return set(np.unique(self.objects[self.objects >= 0]).tolist())


def write_index(backend: str, content: Content, index: Index) -> bytes:
    """Return the manifest of a whole store: a line of JSON, then the index, compressed."""
    head = write_manifest(backend, content, next=len(index.labels), generation=index.generation)
    columns = [index.labels, *(np.diff(column, prepend=0) for column in (index.objects, index.offsets, index.lengths))]
    return head.encode() + b"\n" + zlib.compress(np.concatenate(columns).astype("<i8").tobytes(), 1)


def read_index(data: memoryview, backend: str, location: ServerLocation) -> tuple[Content, Index, LiveIds]:
    """Return what a manifest says.

    Raises:
        StoreError: If it is foreign, damaged, or says that the store is not whole.
    """
    head, _, packed = bytes(data).partition(b"\n")
    if not is_manifest(backend, head):
        raise foreign(backend, location)
    if first_line_of(head).get("unfinished"):
        raise StoreError(f"{location} was never finished: the process that wrote it has gone.")
    content, manifest = read_manifest(head, backend, location)
    next_id, generation = next_id_in(manifest, content, location), manifest.get("generation")
    if not isinstance(generation, str) or not _GENERATION.match(generation):
        raise damaged(location)
    columns = _unpack(packed, next_id)
    if columns is None:
        raise damaged(location)
    labels, objects, offsets, lengths = columns
    index = Index(generation, labels, *(np.cumsum(column) for column in (objects, offsets, lengths)))
    alive = index.objects >= 0
    valid = _valid(content, index, alive)
    if not valid:
        raise damaged(location)
    return content, index, LiveIds.of(location, content, next_id, np.flatnonzero(~alive))


def _valid(content: Content, index: Index, alive: NDArray[np.bool_]) -> bool:
    if int(np.count_nonzero(alive)) != content.count:
        return False
    size = image_bytes(content) if content.kind is PayloadKind.ARRAY else None
    bounds: Iterable[tuple[Column, int, int]] = (
        (index.objects, -1, 2**62),
        (index.offsets, 0, _MOST_BYTES),
        (index.lengths[alive], 0 if size is None else size, _MOST_BYTES if size is None else size),
    )
    return all(bool(((column >= low) & (column <= high)).all()) for column, low, high in bounds)


def _unpack(packed: bytes, rows: int) -> list[Any] | None:
    """Return the columns of an index, None if it has not as many bytes as its rows need."""
    size = rows * _COLUMNS * 8
    if not is_count(rows) or size > _MOST_BYTES:
        return None
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(packed, size + 1)
    except zlib.error:
        return None
    if len(data) != size or not unpacker.eof:
        return None
    return list(np.frombuffer(data, "<i8").astype(np.int64).reshape(_COLUMNS, rows))


def damaged(location: ServerLocation) -> StoreError:
    """Build the error for a store whose index makes no sense, or in which objects are missing."""
    return StoreError(f"{location} is damaged: images are missing in it.")
