"""Getting images out of a data set, in the form in which a backend takes them, each with its sums."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.backend import PayloadKind, Writer
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.dataset import BrokenImageError, Dataset, Excluded
from imgstore_tui.core.errors import DataError, StoreError
from imgstore_tui.jobs.convert.checksums import NO_STAMP, ChecksumRecord, checksum, image_checksum

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

BATCH = 256
"""Images that are put or read back at once, fewer where they fill ``BATCH_BYTES``."""
BATCH_BYTES = 2**25


class UnreadableImageError(Exception):
    """An image cannot be had, and the storage has been told how many there are."""

    def __init__(self, excluded: Excluded) -> None:
        super().__init__(excluded.reason)
        self.excluded = excluded


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """One image, ready to be put."""

    record: ChecksumRecord
    image: Any
    payload: bytes


@dataclass
class PreparedBatch:
    """Images on their way, in the form in which the backend takes them."""

    records: list[ChecksumRecord]
    images: list[Pixels]
    payloads: list[bytes]

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(entry.size for entry in self.records)

    def put(self, writer: Writer, first: int, kind: PayloadKind) -> None:
        """Put them under ids from ``first`` on."""
        ids = range(first, first + len(self.records))
        labels = np.array([entry.label for entry in self.records], np.int64)
        if kind is PayloadKind.ARRAY:
            images: Pixels = np.stack(self.images)  # type: ignore[assignment]
            writer.put_array(ids, images, labels)
        else:
            writer.put_bytes(ids, self.payloads, labels)


class ImagePreparer:
    """Asks a data set for its images, and keeps account of those that cannot be had."""

    def __init__(self, dataset: Dataset, codec: Codec, kind: PayloadKind, count: int) -> None:
        self._dataset, self._codec, self._kind, self._count = dataset, codec, kind, count
        self.excluded: dict[int, Excluded] = {}

    def batches(self, first: int, *, exact: bool) -> Iterator[PreparedBatch]:
        """Yield images from one on, a few MiB at a time, without those that cannot be had.

        Raises:
            MissingError: If one cannot be had that was not known to be so, and ``exact`` is asked for.
        """
        batch, size = PreparedBatch([], [], []), 0
        for index in range(first, self._count):
            if index in self.excluded:
                continue
            try:
                found = self.prepare(index)
            except BrokenImageError as error:
                self.excluded[index] = error.excluded
                if exact:
                    raise UnreadableImageError(error.excluded) from None
                continue
            batch.records.append(found.record)
            if self._kind is PayloadKind.ARRAY:
                batch.images.append(found.image)
            else:
                batch.payloads.append(found.payload)
            size += found.record.size
            if len(batch.records) >= BATCH or size >= BATCH_BYTES:
                yield batch
                batch, size = PreparedBatch([], [], []), 0
        if batch.records:
            yield batch

    def size_of_first(self) -> int:
        """Return the bytes of the first image that can be had.

        Raises:
            MissingError: If the first that was believed to be so cannot.
        """
        first = next(index for index in range(self._count) if index not in self.excluded)
        try:
            return self.prepare(first).record.size
        except BrokenImageError as error:
            self.excluded[first] = error.excluded
            raise UnreadableImageError(error.excluded) from None

    def prepare(self, index: int) -> PreparedImage:
        """Get an image in the form in which it is stored; what a lossless codec makes of it is decoded and compared.

        Raises:
            BrokenImageError: If it cannot be had.
            StoreError: If the codec does not give it back as it was.
        """
        label, codec = int(self._dataset.label(index)), self._codec
        stamp = self._stamp(index)  # before it is read: a change meanwhile is noticed later
        if codec.from_file:
            payload = self._dataset.original(index)
            source = image_checksum(self._dataset.image(index)) if self._dataset.has_pixels else checksum(payload)
            return PreparedImage(
                ChecksumRecord(index, label, len(payload), checksum(payload), source, stamp), None, payload
            )
        image = self._dataset.image(index)
        source = image_checksum(image)
        if self._kind is PayloadKind.ARRAY:
            return PreparedImage(
                ChecksumRecord(index, label, image.nbytes, checksum(image.data), source, stamp), image, b""
            )
        payload = codec.encode(image)
        if codec.lossless and image_checksum(codec.decode(payload)) != source:
            raise StoreError(f"Codec {codec.name} does not give image {index} back as it was; choose another.")
        return PreparedImage(
            ChecksumRecord(index, label, len(payload), checksum(payload), source, stamp), image, payload
        )

    def is_unchanged(self, entry: ChecksumRecord) -> bool:
        """Whether an image that was put is still what the data set holds; its file alone tells if it is untouched."""
        try:
            if int(self._dataset.label(entry.index)) != entry.label:
                return False
            if entry.stamp != NO_STAMP and self._stamp(entry.index) == entry.stamp:
                return True
            if self._codec.from_file and checksum(self._dataset.original(entry.index)) != entry.stored:
                return False
            if not self._dataset.has_pixels:
                return True
            return image_checksum(self._dataset.image(entry.index)) == entry.source
        except BrokenImageError:
            return False

    def _stamp(self, index: int) -> bytes:
        try:
            path = self._dataset.file(index)
            facts = path.stat()
        except (DataError, OSError):
            return NO_STAMP
        return checksum(b"%d %d " % (facts.st_size, facts.st_mtime_ns) + os.fsencode(path))
