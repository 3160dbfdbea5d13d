"""What stands where in the database: keys, and the header of the article's values."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from imgstore_tui.core.backend import Content, PayloadKind

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

DATA = "data.mdb"
MANIFEST = b"manifest"
GONE = b"gone"
"""Ids that were deleted, ascending, 8 bytes each; only where there are some."""
LABELS = b"labels"
"""Keys of blocks of labels: this, and the id of the first in 4 bytes. Letters stand behind all keys of images."""
APART, TOGETHER = "apart", "together"
HEADER = struct.Struct("<4Iq")
"""Before the pixels in the layout ``together``: the facts, and the label."""


def facts_of(content: Content) -> list[int]:
    """Return height, width, channels (0 for no such axis) and bytes a number; zeros where values are payloads."""
    if content.kind is PayloadKind.BYTES or content.shape is None:
        return [0, 0, 0, 0]
    height, width, *channels = content.shape
    return [height, width, *(channels or [0]), 2 if content.dtype == "uint16" else 1]


def keys_of(layout: str, start: int, stop: int) -> Iterator[bytes]:
    """Yield the keys of a run of ids."""
    if layout == TOGETHER:
        return (b"%08d" % number for number in range(start, stop))
    return (number.to_bytes(4, "big") for number in range(start, stop))


def key_of(layout: str, number: int) -> bytes:
    """Return the key of one id."""
    return b"%08d" % number if layout == TOGETHER else number.to_bytes(4, "big")


def labels_key(first: int) -> bytes:
    """Return the key of a block of labels that starts with this id."""
    return LABELS + first.to_bytes(4, "big")


def with_labels(content: Content, values: Sequence[bytes | memoryview], labels: Labels) -> list[bytes]:
    """Return values as they are in the layout ``together``: header, label and pixels."""
    facts = facts_of(content)
    return [b"".join((HEADER.pack(*facts, label), value)) for label, value in zip(labels.tolist(), values, strict=True)]
