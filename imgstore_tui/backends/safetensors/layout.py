"""Defines the header of the file: the tensors of a store, and where each lies."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import write_manifest
from imgstore_tui.storekit.one_file import METADATA_KEY

HEAD = 1024
"""Bytes of the length and the header: room for the manifest and the tensors of any shape, padded with spaces."""
LENGTH = (HEAD - 8).to_bytes(8, "little")
IMAGES, LABELS, ENDS, PAYLOADS = "images", "labels", "ends", "payloads"
CLASSES = "label_names"
"""A tensor of bytes: the names of labels as JSON, where the header has no room for them."""
MOST_CLASS_BYTES = 2**15
NAMES = "names"
"""A tensor of bytes (n, length of the longest): the names of images in UTF-8, with zeros behind."""

_TYPES = {"uint8": "U8", "uint16": "U16", "int64": "I64"}
_OFFSETS_ROOM = len(', "data_offsets": [, ]') + 2 * len(str(2**62))
"""Most characters that the offsets of a tensor take in the header."""
_METADATA = "__metadata__"
"""Key of the header under which the format keeps text by name."""


def tensors_of(content: Content, payload_bytes: int, class_bytes: int = 0) -> dict[str, dict[str, Any]]:
    """Return type and shape of each tensor; int64 tensors come first, so that they align.

    Args:
        content: What the store holds.
        payload_bytes: Bytes of all images.
        class_bytes: Bytes of the names of labels; 0 where the manifest has them.
    """
    shapes: list[tuple[str, str, tuple[int, ...]]] = [(LABELS, "int64", (content.count,))]
    if content.kind is PayloadKind.ARRAY:
        shapes.append((IMAGES, str(content.dtype), (content.count, *(content.shape or ()))))
    else:
        shapes += [(ENDS, "int64", (content.count,)), (PAYLOADS, "uint8", (payload_bytes,))]
    if class_bytes:
        shapes.append((CLASSES, "uint8", (class_bytes,)))
    if content.name_bytes:
        shapes.append((NAMES, "uint8", (content.count, content.name_bytes)))
    return {name: {"dtype": _TYPES[dtype], "shape": list(shape)} for name, dtype, shape in shapes}


def head_of(
    content: Content, payload_bytes: int, manifest: str | None = None, class_bytes: int = 0
) -> tuple[bytes, dict[str, int]]:
    """Return the header that code of ours writes, and the offsets of its tensors in the file and of its end.

    Args:
        content: What the store holds.
        payload_bytes: Bytes of all images.
        manifest: The manifest in the header; None for a store that is a folder, which has a file for it.
        class_bytes: Bytes of the names of labels; 0 where the manifest has them.
    """
    head: dict[str, Any] = {} if manifest is None else {_METADATA: {METADATA_KEY: manifest}}
    offsets, offset = {}, 0
    for name, tensor in tensors_of(content, payload_bytes, class_bytes).items():
        size = _bytes_of(tensor)
        head[name] = {**tensor, "data_offsets": [offset, offset + size]}
        offsets[name] = HEAD + offset
        offset += size
    offsets["end"] = HEAD + offset
    return LENGTH + json.dumps(head).encode("ascii").ljust(HEAD - 8), offsets


def padded_manifest(content: Content, payload_bytes: int, manifest: str, class_bytes: int = 0) -> str:
    """Return the manifest with so many spaces behind it that the header which the library writes has ``HEAD`` bytes.

    The library pads to eight bytes only, and the length of the header is what marks a file as a store.
    """
    head: dict[str, Any] = {_METADATA: {METADATA_KEY: manifest}}
    offset = 0
    for name, tensor in sorted(
        tensors_of(content, payload_bytes, class_bytes).items(),
        key=lambda item: (item[1]["dtype"] != _TYPES["int64"], item[0]),
    ):
        size = _bytes_of(tensor)
        head[name] = {**tensor, "data_offsets": [offset, offset + size]}
        offset += size
    return manifest + " " * (HEAD - 8 - len(json.dumps(head, separators=(",", ":"))))


def manifest_for(backend: str, content: Content, payload_bytes: int) -> tuple[str, bytes]:
    """Return the manifest, and the names of labels as JSON if the header has no room for them; empty if it has."""
    manifest = write_manifest(backend, content, bytes=payload_bytes)
    tensors = tensors_of(content, payload_bytes)
    head = json.dumps({_METADATA: {METADATA_KEY: manifest}, **tensors})
    if len(head) + len(tensors) * _OFFSETS_ROOM <= HEAD - 8 or not content.label_names:
        return manifest, b""
    classes = json.dumps(content.label_names).encode("ascii")
    if len(classes) > MOST_CLASS_BYTES:  # the manifest does not keep so many either
        return manifest, b""
    without = replace(content, label_names=())
    return write_manifest(backend, without, bytes=payload_bytes, label_name_bytes=len(classes)), classes


def class_names_in(data: bytes, path: Path) -> tuple[str, ...]:
    """Return the names of labels in their tensor.

    Raises:
        StoreError: If it holds none.
    """
    try:
        names = json.loads(data)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise StoreError(f"{path} is damaged: its names of labels make no sense.")
    return tuple(names)


def manifest_in(head: bytes) -> str | None:
    """Return the manifest in the first bytes of a file; None if it is no store."""
    try:
        text = json.loads(head[8:])[_METADATA][METADATA_KEY] if head.startswith(LENGTH) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return text if isinstance(text, str) else None


def offsets_in(path: Path, head: bytes, content: Content, payload_bytes: int, class_bytes: int = 0) -> dict[str, int]:
    """Return the offsets of the tensors in a file and of its end, from its first bytes.

    Raises:
        StoreError: If its header is not one for such content: other tensors, or not one behind the other.
    """
    expected = tensors_of(content, payload_bytes, class_bytes)
    try:
        stored = json.loads(head[8:]) if head.startswith(LENGTH) else {}
        tensors = {name: dict(tensor) for name, tensor in stored.items() if name != _METADATA}
        spans = {name: tensor.pop("data_offsets") for name, tensor in tensors.items()}
        fitting = tensors == expected and _adjoin(spans, expected)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fitting = False
    if not fitting:
        raise StoreError(f"{path} is damaged or not of this store: its header is another.")
    offsets = {name: HEAD + start for name, (start, _) in spans.items()}
    return {**offsets, "end": HEAD + max(end for _, end in spans.values())}


def _adjoin(spans: Mapping[str, Any], tensors: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether tensors lie one behind the other, those of eight bytes an item first."""
    offset = 0
    for name in sorted(spans, key=lambda name: (tensors[name]["dtype"] != _TYPES["int64"], spans[name][0])):
        if spans[name] != [offset, offset + _bytes_of(tensors[name])]:
            return False
        offset = spans[name][1]
    return True


def _bytes_of(tensor: Mapping[str, Any]) -> int:
    widths = {code: np.dtype(name).itemsize for name, code in _TYPES.items()}
    count: int = math.prod(tensor["shape"])
    return count * widths[tensor["dtype"]]
