"""Counts the pictures of a file behind its first: pages of a TIFF, frames of an animation, views of a JPEG."""

from __future__ import annotations

import struct
from typing import IO, Any

_MOST_PAGES = 2**16
"""Pages of a TIFF that are counted, at most."""
_SUBFILE = 254
"""The tag of a TIFF that says whether a page is another form of one before it."""
_OTHER_FORM = 0b101
"""It is that at a lower resolution, or its mask."""


def further_pictures(image: Any, kind: str, file: IO[bytes]) -> int:
    """Return how many pictures a file holds behind its first.

    Args:
        image: The opened picture of Pillow.
        kind: Its format.
        file: The file; its position changes.
    """
    try:
        return _further_pages(file) if kind == "TIFF" else max(0, int(getattr(image, "n_frames", 1)) - 1)
    except (OSError, ValueError, EOFError, struct.error, SyntaxError):  # what is damaged shows when it is decoded
        return 0


def may_hold_further(data: bytes, kind: str) -> bool:
    """Whether it is worth to look for further pictures: False is certain.

    Args:
        data: All bytes of a file.
        kind: Its format.
    """
    if kind == "PNG":
        return b"acTL" in data
    if kind == "JPEG":
        return b"MPF\0" in data
    if kind == "WEBP":
        return data[12:16] == b"VP8X" and bool(data[20:21] and data[20] & 2)
    return kind in {"TIFF", "AVIF", "HEIF"}


def _further_pages(file: IO[bytes]) -> int:
    """Return the number of pages of a TIFF behind the first, without those that are another form of a page."""
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = 43 in (head[2], head[3])
    (at,) = struct.unpack_from(order + "Q", head, 8) if big else struct.unpack_from(order + "I", head, 4)
    entry, size = (order + "HHQQ", 20) if big else (order + "HHII", 12)
    number, link = (order + "Q", order + "Q") if big else (order + "H", order + "I")
    seen: set[int] = set()
    further = 0
    while at and at not in seen and len(seen) < _MOST_PAGES:
        file.seek(at)
        (count,) = struct.unpack(number, file.read(struct.calcsize(number)))
        if count > 2**16:
            break
        entries = file.read(count * size)
        tags = {tag: value for tag, _, _, value in struct.iter_unpack(entry, entries)}
        value = tags.get(_SUBFILE, 0)
        form = value >> 32 if big and order == ">" else value
        further += bool(seen) and not form & _OTHER_FORM
        seen.add(at)
        (at,) = struct.unpack(link, file.read(struct.calcsize(link)))
    return further
