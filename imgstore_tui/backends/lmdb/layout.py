"""Defines the keys of the database, and the header of values in the article's layout."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.storekit.names_file import encode_names

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

DATA = "data.mdb"
MANIFEST = b"manifest"
GONE = b"gone"
"""Key of the deleted ids, ascending, 8 bytes each; absent if there are none."""
LABELS = b"labels"
"""Prefix of the keys of label blocks; the id of the first label follows in 4 bytes. Letters sort after image keys."""
NAME = b"name"
"""Prefix of the keys of names; the id of the image follows in 4 bytes. They sort after all other keys."""
APART, TOGETHER = "apart", "together"
HEADER = struct.Struct("<4Iq")
"""Header of a value in the layout ``together``: shape, bytes per number, label."""


def facts_of(content: Content) -> list[int]:
    """Return height, width, channels (0 without that axis) and bytes per number; zeros for payloads."""
    if content.kind is PayloadKind.BYTES or content.shape is None:
        return [0, 0, 0, 0]
    height, width, *channels = content.shape
    return [height, width, *(channels or [0]), 2 if content.dtype == "uint16" else 1]


def keys_of(layout: str, start: int, stop: int) -> Iterator[bytes]:
    """Yield the keys of the ids from ``start`` to ``stop``."""
    if layout == TOGETHER:
        return (b"%08d" % number for number in range(start, stop))
    return (number.to_bytes(4, "big") for number in range(start, stop))


def key_of(layout: str, number: int) -> bytes:
    """Return the key of one id."""
    return b"%08d" % number if layout == TOGETHER else number.to_bytes(4, "big")


def labels_key(first: int) -> bytes:
    """Return the key of the block of labels that starts with the id ``first``."""
    return LABELS + first.to_bytes(4, "big")


def name_items(location: Path, content: Content, ids: Sequence[int], names: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """Return the items that hold names of images, after a check of them."""
    return list(zip(map(name_key, ids), encode_names(location, content, names).tolist(), strict=True))


def name_key(number: int) -> bytes:
    """Return the key of the name of an image."""
    return NAME + number.to_bytes(4, "big")


def with_labels(content: Content, values: Sequence[bytes | memoryview], labels: Labels) -> list[bytes]:
    """Return values in the layout ``together``: header with the label, then the pixels."""
    facts = facts_of(content)
    return [b"".join((HEADER.pack(*facts, label), value)) for label, value in zip(labels.tolist(), values, strict=True)]
