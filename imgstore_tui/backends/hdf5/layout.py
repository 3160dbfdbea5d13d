"""Defines the layout of the file."""

from __future__ import annotations

FILE = "store.h5"
"""Name of the file in a store that is a folder, as earlier versions made it."""
MANIFEST = "manifest"
"""Name of the attribute of the root group that holds the manifest."""
IMAGES = "images"
"""All images, or all payloads in a row."""
OFFSETS = "offsets"
"""Offsets of the payloads in the row, and the end of the last one."""
NAMES = "names"
"""Names of images, text in UTF-8 of the length of the longest; only where images have names."""
CHUNK = 2**20
"""Bytes in a chunk of payloads, at most."""
_LABELS_LEAST, _LABELS_MOST = 512, 8192


def label_chunk(count: int) -> int:
    """Return the number of labels, or offsets, in a chunk of a dataset that can grow."""
    return min(max(count, _LABELS_LEAST), _LABELS_MOST)
