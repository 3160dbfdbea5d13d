"""What stands where in the file."""

from __future__ import annotations

FILE = "store.h5"
PARTIAL = "store.h5.partial"
"""The file's name until it is closed: HDF5 cannot open a file that was not."""
MANIFEST = "manifest"
"""Attribute of the root group."""
IMAGES = "images"
"""All images, or all payloads in a row."""
OFFSETS = "offsets"
"""Where each payload starts in the row, and where the last one ends."""
CHUNK = 2**20
"""Bytes in a chunk of payloads, at most."""
_LABELS_LEAST, _LABELS_MOST = 512, 8192


def label_chunk(count: int) -> int:
    """Return how many labels, or offsets, are in a chunk where there may be more of them some day."""
    return min(max(count, _LABELS_LEAST), _LABELS_MOST)
