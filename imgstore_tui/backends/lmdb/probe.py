"""Measures what storing the same images repeatedly costs: LMDB writes new pages, and the map must hold both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgstore_tui.backends.lmdb.layout import DATA
from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.content import RAW_CODEC
from imgstore_tui.core.operations import SyncLevel

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Backend, Labels, Pixels

_TIMES = 6
_ARTICLE_MAP = 10
"""The article's map is this many times the pixels."""
_TIGHT_MAP = 1.5
"""Room for one copy with its pages, not for two."""


def store_again(location: Path, images: Pixels, labels: Labels) -> dict[str, list[float]]:
    """Store the same images under the same keys repeatedly, in one transaction each time.

    Returns:
        ``length_bytes``: of the file after each time, in a map of ten times the pixels; ``pixels_bytes``;
        ``map_bytes``; ``full_count``: the time at which the map was full, 0 for never; ``tight_map_bytes`` and
        ``tight_full_count``: the same with a map of one and a half times the pixels.
    """
    pixels = images.nbytes
    items = [
        (b"%08d" % number, image.tobytes() + label.tobytes())
        for number, (image, label) in enumerate(zip(images, labels, strict=True))
    ]
    lengths, full = _put_again(location / "article", _ARTICLE_MAP * pixels, items)
    _, tight_full = _put_again(location / "tight", int(_TIGHT_MAP * pixels), items)
    return {
        "pixels_bytes": [pixels],
        "length_bytes": lengths,
        "map_bytes": [_ARTICLE_MAP * pixels],
        "full_count": [full],
        "tight_map_bytes": [int(_TIGHT_MAP * pixels)],
        "tight_full_count": [tight_full],
    }


def overwrite_again(backend: Backend, location: Path, images: Pixels, labels: Labels) -> list[float]:
    """Write a store with this backend and overwrite it repeatedly; return the length of its file after each time."""
    content = Content(len(images), PayloadKind.ARRAY, RAW_CODEC, images.shape[1:], str(images.dtype), images.nbytes)
    ids, lengths = range(len(images)), []
    for number in range(_TIMES):
        opened = backend.edit(location, SyncLevel.BUFFERED) if number else None
        with opened or backend.create(location, content, SyncLevel.BUFFERED) as writer:
            writer.put_array(ids, images, labels)
        lengths.append(float((location / DATA).stat().st_size))
    return lengths


def _put_again(folder: Path, map_size: int, items: list[tuple[bytes, Any]]) -> tuple[list[float], int]:
    """Return the length of the file after each time, and the number of the time when the map was full (0: never)."""
    import lmdb

    folder.mkdir()
    lengths: list[float] = []
    env = lmdb.open(os.fsencode(folder), map_size=map_size, sync=False)
    try:
        for number in range(1, _TIMES + 1):
            try:
                with env.begin(write=True) as transaction:
                    transaction.cursor().putmulti(items)
            except lmdb.MapFullError:
                return lengths, number
            lengths.append((folder / DATA).stat().st_size)
    finally:
        env.close()
    return lengths, 0
