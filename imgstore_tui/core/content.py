"""Defines what a store holds, and the types of images and labels in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.int64]
    Pixels = NDArray[np.uint8] | NDArray[np.uint16]


RAW_CODEC = "raw"
"""Name of the codec that keeps pixels as they are; the codec of every store of arrays."""
ORIGINAL_CODEC = "original"
"""Name of the codec that keeps picture files as they are."""


NO_LABEL = -1
"""Stands in a store, or a dataset, for the label of an image where none of them has a label."""


def pixel_bytes(shape: tuple[int, ...], dtype: str) -> int:
    """Return the bytes of an image's pixels, of shape (H, W, C) or (H, W) and of type ``uint8`` or ``uint16``."""
    return math.prod(shape) * (2 if dtype == "uint16" else 1)


class PayloadKind(StrEnum):
    """The two forms in which a backend can take a batch."""

    BYTES = "bytes"
    """One ``bytes`` object per image, of any length."""
    ARRAY = "array"
    """One C-contiguous array (n, ...) of images that all have one shape and dtype."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a store holds: known before it is created, and recorded in its manifest."""

    count: int
    kind: PayloadKind
    codec: str
    """Name of the codec of the payloads; ``RAW_CODEC`` for arrays."""
    shape: tuple[int, ...] | None = None
    """Shape of every image, (H, W, C) or (H, W); None where they vary."""
    dtype: str | None = None
    """``uint8`` or ``uint16`` where ``shape`` is given, else None."""
    payload_bytes: int = 0
    """Expected sum of all payloads in bytes, to size maps and chunks; a hint, not a promise."""
    has_labels: bool = True
    """Whether images have labels; where not, ``NO_LABEL`` stands in the place of each."""
    label_names: tuple[str, ...] = ()
    """Names of the labels 0, 1, ...; empty where labels have none."""
    name_bytes: int = 0
    """Bytes of the longest name of an image, in UTF-8; 0 where images have no names."""


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """The disk use of a store; None for what only a server could know and does not say."""

    apparent_bytes: int | None
    """Sum of the lengths of all files."""
    allocated_bytes: int | None
    """Blocks held on the file system, folders included: what ``du -s --block-size=1`` prints."""
    files: int | None
    """Number of regular files."""
    parts: tuple[tuple[str, int], ...] = ()
    """What the bytes are for, where a server tells: ``("indexes", 16384)``; empty where it does not."""
    server_log_bytes: int | None = None
    """Size of the log in which a server writes everything first; its stores share it, so it is no part of this one."""
