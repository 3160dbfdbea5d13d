"""Writes and validates the manifest of a store, and checks ids and batches for every backend.

A manifest is one line of JSON in the store, at a place that the format offers. Nothing in it is trusted when a store is
opened: a value of the wrong type or out of bounds is refused in a sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from imgstore_tui.core.backend import Backend, Content, PayloadKind
from imgstore_tui.core.content import pixel_bytes
from imgstore_tui.core.errors import NotAStoreError, StoreError, UnsupportedError
from imgstore_tui.core.image_names import MAX_NAME_BYTES
from imgstore_tui.core.location import Location, ServerLocation

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels, Pixels

VERSION = 1
"""Layout version; incremented when older code can no longer read what this code writes."""
MAX_MANIFEST_BYTES = 65_536
"""Largest manifest that is read; real ones have some hundred bytes."""

_NAME = re.compile(r"^[a-z][a-z0-9_-]{0,63}$")
_MOST_NAME_BYTES = 24_576
"""Names of labels that take more are not kept: a manifest must fit where a format offers a place."""
MAX_COUNT = 2**40
"""Most images that a manifest may count."""
_MAX_IMAGE_BYTES = 2**31
"""Largest image that a manifest may describe: twice the largest accepted picture, to bound memory."""
_COMMON_KEYS = {"format", "version", *(field.name for field in fields(Content))}
IdSpan = tuple[int, int]
"""The first id and the one after the last, of ids that ascend one by one."""
_KINDS = {kind.value: kind for kind in PayloadKind}
_TYPES: dict[str, np.dtype[Any]] = {"uint8": np.dtype(np.uint8), "uint16": np.dtype(np.uint16)}


def write_manifest(backend: str, content: Content, **layout: Any) -> str:
    """Return the manifest of a store.

    Args:
        backend: Name of the backend that writes it.
        content: What the store holds.
        **layout: What else a reader must know; JSON values.
    """
    # Only what differs from a store of before is written, so that older programs read the others.
    labels: dict[str, Any] = {} if content.has_labels else {"has_labels": False}
    if content.label_names and keeps_label_names(content.label_names):
        labels["label_names"] = content.label_names
    names = {"name_bytes": content.name_bytes} if content.name_bytes else {}
    return json.dumps(
        {
            "format": f"imgstore-tui {backend}",
            "version": VERSION,
            "count": content.count,
            "kind": content.kind.value,
            "codec": content.codec,
            "shape": content.shape,
            "dtype": content.dtype,
            "payload_bytes": content.payload_bytes,
            **labels,
            **names,
            **layout,
        }
    )


def keeps_label_names(names: Sequence[str]) -> bool:
    """Whether a manifest has room for the names of labels."""
    return len(json.dumps(names)) <= _MOST_NAME_BYTES


def layout_of(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the layout in a manifest: what ``write_manifest`` was given beside the content."""
    return {name: value for name, value in manifest.items() if name not in _COMMON_KEYS}


def read_manifest(text: bytes | str, backend: str, location: Location) -> tuple[Content, Mapping[str, Any]]:
    """Return the content that the manifest of the store at ``location`` describes, and the whole manifest.

    Raises:
        StoreError: If it is foreign, damaged, or written by a newer version.
    """
    try:
        if len(text) > MAX_MANIFEST_BYTES:
            raise ValueError("too long")
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        raise StoreError(f"{location} is damaged: what it says of itself cannot be read.") from None
    if not isinstance(manifest, dict) or manifest.get("format") != f"imgstore-tui {backend}":
        raise foreign(backend, location)
    version = manifest.get("version")
    if not is_count(version) or version < 1:
        raise StoreError(f"{location} is damaged: it has no valid version.")
    if version > VERSION:
        raise StoreError(
            f"{location} was written by a newer imgstore-tui (layout {version}, known: {VERSION}); update it."
        )
    content = _content(manifest)
    labels, name_bytes = _labels(manifest), manifest.get("name_bytes", 0)
    if content is None or labels is None or not is_count(name_bytes) or name_bytes > MAX_NAME_BYTES:
        raise StoreError(f"{location} is damaged: what it says of its content makes no sense.")
    content = replace(content, has_labels=labels[0], label_names=labels[1], name_bytes=name_bytes)
    return content, manifest


def _labels(manifest: Mapping[str, Any]) -> tuple[bool, tuple[str, ...]] | None:
    """Return whether there are labels, and their names; None if what the manifest says makes no sense."""
    has_labels, names = manifest.get("has_labels", True), manifest.get("label_names", [])
    if not isinstance(has_labels, bool) or not isinstance(names, list):
        return None
    if not all(isinstance(name, str) for name in names) or (names and not has_labels):
        return None
    return has_labels, tuple(names)


def _content(manifest: Mapping[str, Any]) -> Content | None:
    count, kind, codec = manifest.get("count"), manifest.get("kind"), manifest.get("codec")
    shape, dtype, size = manifest.get("shape"), manifest.get("dtype"), manifest.get("payload_bytes")
    if not is_count(count) or not is_count(size) or count > MAX_COUNT:
        return None
    if not isinstance(kind, str) or kind not in _KINDS or not isinstance(codec, str) or not _NAME.match(codec):
        return None
    if shape is None:
        if dtype is not None or kind == PayloadKind.ARRAY:
            return None
        return Content(count, _KINDS[kind], codec, None, None, size)
    if not isinstance(shape, list) or len(shape) not in (2, 3) or not isinstance(dtype, str) or dtype not in _TYPES:
        return None
    if not all(is_count(side) and side for side in shape):
        return None
    if pixel_bytes(tuple(shape), dtype) >= _MAX_IMAGE_BYTES:
        return None
    return Content(count, _KINDS[kind], codec, tuple(shape), dtype, size)


def is_count(value: Any) -> TypeGuard[int]:
    """Whether a JSON value is a whole number of 0 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def image_bytes(content: Content) -> int:
    """Return the size of one image in bytes, for a store whose images have one shape."""
    if content.shape is None or content.dtype is None:
        raise ValueError("the images have no common shape")
    return pixel_bytes(content.shape, content.dtype)


def foreign(backend: str, location: Location) -> NotAStoreError:
    """Return the error for a location where there is no store of this backend."""
    if not isinstance(location, ServerLocation) and not location.exists():
        return NotAStoreError(f"{location} does not exist.")
    return NotAStoreError(f"{location} is not a store of the backend {backend}.")


def begin_store(backend: Backend, location: Path, content: Content) -> None:
    """Create the folder of a new store, after a check that the backend takes such content.

    Raises:
        UnsupportedError: If the backend does not claim such content.
        StoreError: If the location exists already, or the folder cannot be created.
    """
    check_content(backend, content)
    try:
        location.mkdir()
    except FileExistsError:
        raise StoreError(f"{location} exists already; a store is made in a folder of its own.") from None
    except OSError as error:
        raise StoreError(f"{location} cannot be made: {error.strerror or error}.") from None


def check_content(backend: Backend, content: Content) -> None:
    """Raise UnsupportedError if a backend does not claim such content."""
    if content.kind not in backend.payloads:
        raise UnsupportedError(f"Backend {backend.name} does not take {content.kind.value}.")
    if content.kind is PayloadKind.ARRAY and (content.shape is None or content.dtype not in _TYPES):
        raise UnsupportedError(f"Backend {backend.name} takes arrays of one shape, of type uint8 or uint16, only.")
    if content.kind is PayloadKind.BYTES and backend.capabilities.uniform_only and content.shape is None:
        raise UnsupportedError(f"Backend {backend.name} takes images of one shape only.")
    if content.name_bytes and not backend.capabilities.names:
        raise UnsupportedError(f"Backend {backend.name} keeps no names of images.")


def check_put(
    location: Location, content: Content, put: int, ids: Sequence[int], batch: Pixels | Sequence[bytes], labels: Labels
) -> None:
    """Check that a batch for a new store fits its content and follows the images before it.

    Args:
        location: The store, for messages.
        content: What the store was announced to hold.
        put: Number of images put before.
        ids: Ids of the batch.
        batch: Images as one array (n, H, W[, C]), or payloads.
        labels: int64 array (n,).

    Raises:
        UnsupportedError: If it is an array for a store of payloads, or the other way round.
        StoreError: If it does not fit or follow.
    """
    check_batch(location, content, ids, batch, labels)
    count = len(ids)
    if count and (ids[0] != put or span(ids) is None):
        raise StoreError(f"A batch for {location} must have the ids from {put} upwards, one after the other.")
    if put + count > content.count:
        raise StoreError(f"{location} was announced to hold {content.count} images, and more were put.")


def check_batch(
    location: Location, content: Content, ids: Sequence[int], batch: Pixels | Sequence[bytes], labels: Labels
) -> None:
    """Check that a batch fits the content of a store, whatever its ids are.

    Args:
        location: The store, for messages.
        content: What the store holds.
        ids: Ids of the batch.
        batch: Images as one array (n, H, W[, C]), or payloads.
        labels: int64 array (n,).

    Raises:
        UnsupportedError: If it is an array for a store of payloads, or the other way round.
        StoreError: If it does not fit.
    """
    count = len(batch)
    kind = PayloadKind.ARRAY if isinstance(batch, np.ndarray) else PayloadKind.BYTES
    if kind is not content.kind:
        raise UnsupportedError(f"{location} was announced to hold {content.kind.value}, and is given {kind.value}.")
    if isinstance(batch, np.ndarray):
        fits = batch.shape[1:] == content.shape and batch.dtype == _TYPES.get(content.dtype or "")
        if not fits or not batch.flags.c_contiguous:
            raise StoreError(
                f"{location} takes images of shape {content.shape} and type {content.dtype}, not {batch.shape[1:]} and "
                f"{batch.dtype}."
            )
    if len(ids) != count or count != len(labels):
        raise StoreError(f"A batch for {location} has {len(ids)} ids, {count} images and {len(labels)} labels.")


def check_complete(location: Location, content: Content, put: int) -> None:
    """Check that all announced images have been put.

    Raises:
        StoreError: If some are missing.
    """
    if put != content.count:
        raise StoreError(f"{location} was announced to hold {content.count} images, and {put} were put.")


def check_out(location: Location, content: Content, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
    """Check that the caller's arrays fit a batch.

    Args:
        location: The store, for messages.
        content: What the store holds.
        ids: Ids to read.
        out: Array (n, H, W[, C]) for the images.
        labels: int64 array (n,) for the labels.

    Raises:
        StoreError: If they do not.
    """
    fits = out.shape[1:] == content.shape and out.dtype == _TYPES.get(content.dtype or "")
    if not fits or not out.flags.c_contiguous:
        raise StoreError(
            f"{location} holds images of shape {content.shape} and type {content.dtype}, which do not fit into an "
            f"array of shape {out.shape[1:]} and type {out.dtype}."
        )
    if len(out) != len(ids) or len(labels) != len(ids):
        raise StoreError(f"{len(ids)} images of {location} do not fit into {len(out)} places and {len(labels)} labels.")


def check_ids(location: Location, count: int, ids: Sequence[int]) -> IdSpan | None:
    """Check that all ids exist, and return their span if they ascend one by one, else None.

    Raises:
        StoreError: If an id does not exist.
    """
    if len(ids) == 1 and 0 <= (only := ids[0]) < count:  # the usual case first: it is timed with small images
        return only, only + 1
    if not len(ids):
        return 0, 0
    id_span = span(ids)
    low, high = (id_span[0], id_span[1] - 1) if id_span else (min(ids), max(ids))
    if low < 0 or high >= count:
        held = f"{count} images, numbered from 0" if count else "no images"
        raise StoreError(f"{location} holds {held}; there is no image {low if low < 0 else high}.")
    return id_span


def span(ids: Sequence[int]) -> IdSpan | None:
    """Return the span of ids that ascend one by one, else None; fast for a ``range``."""
    first, last = ids[0], ids[-1]
    if last - first + 1 != len(ids):
        return None
    if len(ids) > 1 and not isinstance(ids, range):
        expected = range(first, last + 1)
        if any(have != want for have, want in zip(ids, expected, strict=True)):
            return None
    return first, last + 1
