"""Writes the tars: for each image a member with the image, and a member of the same name with its label, if any.

Members are called after their ids, or after the names of images where these have any.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.webdataset.keys import keys_for, member_ending
from imgstore_tui.backends.webdataset.tar import BLOCK, END, head, heads, key_of, named_head, padded
from imgstore_tui.core.backend import Content, PayloadKind, force
from imgstore_tui.core.content import ORIGINAL_CODEC
from imgstore_tui.core.image_names import SeenNames
from imgstore_tui.core.manifest import image_bytes
from imgstore_tui.images import decode
from imgstore_tui.storekit.names_file import missing_names
from imgstore_tui.storekit.npy_file import npy_header
from imgstore_tui.storekit.output import Output, Piece
from imgstore_tui.storekit.records import RecordFiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imgstore_tui.core.backend import Labels, Pixels

FIRST = "images-000000.tar"
INDEX_WIDTH = 3
"""Columns of the index: number of the tar, offset of the header of the image's member, bytes of that member."""
LABEL_BLOCKS = 2 * BLOCK
"""Bytes of the member of a label: its header, and a text that always fits into one block."""
_LABEL_ROOM = 20
"""Most characters of a label."""
_TOGETHER_BELOW = 64 * 2**10
"""Smaller images are joined with their headers before they are written; others are written from their memory."""
_AT_ONCE = 4 * 2**20
"""Most bytes that are joined."""


def tar_name(number: int) -> str:
    """Return the name of a tar, numbered as WebDataset writers do."""
    return f"images-{number:06d}.tar"


def label_members(numbers: Labels, labels: Labels) -> NDArray[np.uint8]:
    """Return the members that hold the labels of images, uint8 array (n, 1024)."""
    texts = [b"%d" % label for label in labels.tolist()]
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    members = np.zeros((len(texts), LABEL_BLOCKS), np.uint8)
    for length in np.unique(lengths).tolist():
        alike = np.flatnonzero(lengths == length)
        members[alike, :BLOCK] = heads(numbers[alike], b".cls", length)
    padding = b"".join(text.ljust(_LABEL_ROOM, b"\0") for text in texts)
    members[:, BLOCK : BLOCK + _LABEL_ROOM] = np.frombuffer(padding, np.uint8).reshape(len(texts), _LABEL_ROOM)
    return members


class Shards(RecordFiles):
    """Writes the last tar of a store, and those that follow it."""

    def __init__(
        self,
        location: Path,
        content: Content,
        shard: int,
        after: tuple[int, int] | None = None,
        *,
        with_labels: bool = True,
        former_names: Iterable[str] = (),
    ) -> None:
        """Open a new first tar, or continue one.

        Args:
            location: The store.
            content: What it holds.
            shard: Images in a tar, 0 for one tar.
            after: Number of the tar and offset at which to continue; None for a new one.
            with_labels: Whether each image has a member with its label.
            former_names: Names of the images that are in the tars already, in order.
        """
        self._location, self._content, self._shard = location, content, shard
        self._end = self._number, offset = after or (0, 0)
        path = location / tar_name(self._number)
        self._tar = Output(path, None if after is None else offset)
        self._changed_tars = [path]
        self._unforced: list[Path] = []
        self._with_labels = with_labels
        self._original = content.codec == ORIGINAL_CODEC
        self._seen = SeenNames()
        for number, name in enumerate(former_names):
            self._key(name, number)
        self._npy_head = b""
        if content.kind is PayloadKind.ARRAY:
            self._npy_head = npy_header(np.dtype(content.dtype), content.shape or ())

    def _key(self, name: str, number: int) -> str:
        """Return the key of an image that has a name: one that no other image has."""
        return next(key for key in keys_for(name, number) if self._seen.add(key))

    def _take_names(self, count: int) -> Sequence[str]:
        """Return the names of the images that are added; they are given anew for each batch."""
        names, self.names = self.names, ()
        if self._content.name_bytes and len(names) != count:
            raise missing_names(self._location, count - len(names))
        return names

    def _add_members(
        self, first: int, fronts: bytes, values: Sequence[Piece], labels: Labels, names: Sequence[str]
    ) -> Labels:
        """Write members under the keys that names of images give, each image with a front."""
        rows = []
        for start, stop in self._parts(first, len(values)):
            at, pieces = self._tar.position, list[Piece]()
            for number in range(start, stop):
                value, name = values[number - first], names[number - first] if names else ""
                size = len(fronts) + len(value)
                key = self._key(name, number).encode() if names else key_of(number)
                ending = "npy" if fronts else member_ending(
                    name, bytes(value[:64]), self._content.codec, original=self._original
                )  # fmt: skip
                pieces += [named_head(b"%s.%s" % (key, ending.encode()), size), fronts, value]
                pieces.append(bytes(padded(size) - size))
                rows.append((self._number, at, size))
                at += BLOCK + padded(size)
                if self._with_labels:
                    text = b"%d" % int(labels[number - first])
                    pieces += [named_head(key + b".cls", len(text)), text.ljust(BLOCK, b"\0")]
                    at += LABEL_BLOCKS
            self._tar.write_pieces(pieces)
        return np.array(rows, np.int64)

    def add_bytes(self, first: int, payloads: Sequence[bytes], labels: Labels) -> Labels:
        """Write a member per payload, and one per label."""
        names = self._take_names(len(payloads))
        if names or not self._with_labels:
            return self._add_members(first, b"", payloads, labels, names)
        rows = []
        for start, stop in self._parts(first, len(payloads)):
            at, pieces = self._tar.position, list[Piece]()
            following = label_members(np.arange(start, stop), labels[start - first : stop - first])
            for number, payload, after in zip(
                range(start, stop), payloads[start - first : stop - first], following, strict=True
            ):
                size = len(payload)
                extension = decode.EXTENSIONS.get(decode.sniff(payload) or "", self._content.codec)
                pieces += [head(b"%s.%s" % (key_of(number), extension.encode()), size), payload]
                pieces += [bytes(padded(size) - size), after]
                rows.append((self._number, at, size))
                at += BLOCK + padded(size) + LABEL_BLOCKS
            self._tar.write_pieces(pieces)
        return np.array(rows, np.int64)

    def add_array(self, first: int, images: Pixels, labels: Labels) -> Labels:
        """Write a member per image, a .npy file, and one per label."""
        names = self._take_names(len(images))
        if names or not self._with_labels:
            rows_of_pixels = list(images.reshape(len(images), -1).view(np.uint8))
            return self._add_members(first, self._npy_head, rows_of_pixels, labels, names)
        size = len(self._npy_head) + image_bytes(self._content)
        stride = BLOCK + padded(size) + LABEL_BLOCKS
        pixels = images.reshape(len(images), -1).view(np.uint8)
        rows = np.empty((len(images), INDEX_WIDTH), np.int64)
        most = max(1, _AT_ONCE // stride)
        for start, stop in self._parts(first, len(images), most):
            numbers, batch = np.arange(start, stop), slice(start - first, stop - first)
            fronts = np.empty((len(numbers), BLOCK + len(self._npy_head)), np.uint8)
            fronts[:, :BLOCK] = heads(numbers, b".npy", size)
            fronts[:, BLOCK:] = np.frombuffer(self._npy_head, np.uint8)
            backs = np.zeros((len(numbers), padded(size) - size + LABEL_BLOCKS), np.uint8)
            backs[:, padded(size) - size :] = label_members(numbers, labels[batch])
            rows[batch, 0], rows[batch, 2] = self._number, size
            rows[batch, 1] = self._tar.position + stride * np.arange(len(numbers))
            if stride < _TOGETHER_BELOW:
                self._tar.write(np.concatenate([fronts, pixels[batch], backs], axis=1).data)
            else:
                self._tar.write_pieces([*itertools.chain.from_iterable(zip(fronts, pixels[batch], backs, strict=True))])
        return rows

    def _parts(self, first: int, count: int, most: int = 2**20) -> Iterator[tuple[int, int]]:
        """Yield the spans of ids that go into one tar each, which is open meanwhile."""
        last = first + count
        while first < last:
            stop = min(last, first + most)
            if self._shard:
                if first // self._shard != self._number:
                    self._next(first // self._shard)
                stop = min(stop, (self._number + 1) * self._shard)
            yield first, stop
            first = stop

    def _next(self, number: int) -> None:
        """End this tar, and begin the tar with this number."""
        self._tar.write_end(END)
        self._tar.close()
        self._unforced.append(self._tar.path)
        self._number = number
        path = self._location / tar_name(number)
        path.unlink(missing_ok=True)  # left by a process that died while it appended
        self._tar = Output(path)
        self._changed_tars.append(path)

    def force(self) -> int:
        """Force the tars written since the last call."""
        calls = len(self._unforced) + 1
        for path in self._unforced:
            force(path)
        self._unforced = []
        self._tar.force()
        return calls

    def finish(self) -> None:
        """Write the end mark of the archive."""
        self._tar.write_end(END)
        self._end = self._number, self._tar.position

    def roll_back(self) -> None:
        """Remove the new tars, and cut the first one to its former end."""
        number, offset = self._end
        if self._number != number:
            self._tar.close()
            for path in [self._location / tar_name(later) for later in range(number + 1, self._number + 1)]:
                path.unlink(missing_ok=True)
                self._changed_tars.remove(path)
            self._unforced = []
            self._number = number
            self._tar = Output(self._location / tar_name(number), offset)
        self._tar.truncate(offset)
        self._tar.write_end(END)

    def changed_paths(self) -> list[Path]:
        """Return the tars that were written."""
        return self._changed_tars

    def close(self) -> None:
        """Close the open tar."""
        self._tar.close()
