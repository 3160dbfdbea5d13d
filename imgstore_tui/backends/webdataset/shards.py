"""Writing the tars: for each image a member that holds it and one, of the same name, that holds its label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui import pictures
from imgstore_tui.backends.webdataset.tar import BLOCK, END, head, member, padded
from imgstore_tui.core.backend import Content, PayloadKind, force
from imgstore_tui.core.manifest import image_bytes
from imgstore_tui.store_parts.npy_file import header
from imgstore_tui.store_parts.output import Output
from imgstore_tui.store_parts.records import Sink

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

FIRST = "images-000000.tar"
INDEX_WIDTH = 3
"""Number of the tar, place of the header of the image's member, bytes of the image's member."""
LABEL_BLOCKS = 2 * BLOCK
"""What the member of a label takes: its header, and a text that always fits into one block."""


def tar_name(number: int) -> str:
    """Return the name of a tar, as writers of WebDataset number them."""
    return f"images-{number:06d}.tar"


def key_of(image_id: int) -> bytes:
    """Return the name that the members of an image have in common."""
    return b"%08d" % image_id


class Shards(Sink):
    """The last tar of a store, and those that follow it."""

    def __init__(self, location: Path, content: Content, shard: int, after: tuple[int, int] | None = None) -> None:
        """Open the first tar, which is new, or the one that ``after`` names, behind a place in it."""
        self._location, self._content, self._shard = location, content, shard
        self._kept = self._number, place = after or (0, 0)
        path = location / tar_name(self._number)
        self._tar = Output(path, None if after is None else place)
        self._touched = [path]
        self._unforced: list[Path] = []
        self._npy_head = b""
        if content.kind is PayloadKind.ARRAY:
            self._npy_head = header(np.dtype(content.dtype), content.shape or ())

    def add_bytes(self, first: int, payloads: Sequence[bytes], labels: Labels) -> Labels:
        """Write two members a payload."""
        rows: list[tuple[int, int, int]] = []
        pieces: list[bytes | memoryview] = []
        at = self._tar.position
        for number, (payload, label) in enumerate(zip(payloads, labels.tolist(), strict=True), first):
            if self._shard and number // self._shard != self._number:
                self._tar.write_pieces(pieces)
                pieces, at = [], self._next(number // self._shard)
            key, size = key_of(number), len(payload)
            extension = pictures.EXTENSIONS.get(pictures.sniff(payload) or "", self._content.codec)
            pieces += [head(b"%s.%s" % (key, extension.encode()), size), payload, bytes(padded(size) - size)]
            pieces.append(member(key + b".cls", b"%d" % label))
            rows.append((self._number, at, size))
            at += BLOCK + padded(size) + LABEL_BLOCKS
        self._tar.write_pieces(pieces)
        return np.array(rows, np.int64)

    def add_array(self, first: int, images: Pixels, labels: Labels) -> Labels:
        """Write two members an image: a .npy file and its label."""
        size = len(self._npy_head) + image_bytes(self._content)
        pad = bytes(padded(size) - size)
        memory, length = images.data.cast("B"), image_bytes(self._content)
        rows: list[tuple[int, int, int]] = []
        pieces: list[bytes | memoryview] = []
        at = self._tar.position
        for number, label in enumerate(labels.tolist(), first):
            if self._shard and number // self._shard != self._number:
                self._tar.write_pieces(pieces)
                pieces, at = [], self._next(number // self._shard)
            key, start = key_of(number), (number - first) * length
            pieces.append(head(key + b".npy", size) + self._npy_head)
            pieces.append(memory[start : start + length])
            pieces.append(pad + member(key + b".cls", b"%d" % label))
            rows.append((self._number, at, size))
            at += BLOCK + padded(size) + LABEL_BLOCKS
        self._tar.write_pieces(pieces)
        return np.array(rows, np.int64)

    def _next(self, number: int) -> int:
        """End this tar, and begin the one with a number; return the place where it begins."""
        self._tar.end_with(END)
        self._tar.close()
        self._unforced.append(self._tar.path)
        self._number = number
        path = self._location / tar_name(number)
        path.unlink(missing_ok=True)  # of a process that died while it added to the store
        self._tar = Output(path)
        self._touched.append(path)
        return 0

    def force(self) -> int:
        """Force the tars written to since the last time."""
        calls = len(self._unforced) + 1
        for path in self._unforced:
            force(path)
        self._unforced = []
        self._tar.force()
        return calls

    def finish(self) -> None:
        """Mark the end of the archive."""
        self._tar.end_with(END)
        self._kept = self._number, self._tar.position

    def take_back(self) -> None:
        """Remove the tars that are new, and end the first one where it ended."""
        number, place = self._kept
        if self._number != number:
            self._tar.close()
            for path in [self._location / tar_name(later) for later in range(number + 1, self._number + 1)]:
                path.unlink(missing_ok=True)
                self._touched.remove(path)
            self._unforced = []
            self._number = number
            self._tar = Output(self._location / tar_name(number), place)
        self._tar.cut(place)
        self._tar.end_with(END)

    def touched(self) -> list[Path]:
        """Return the tars that were written to."""
        return self._touched

    def close(self) -> None:
        """Close the tar that is open."""
        self._tar.close()
