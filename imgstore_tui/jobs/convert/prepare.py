"""Prepares the images of a dataset in the form that a backend takes, each with its checksums."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.backend import PayloadKind, Writer
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.dataset import BrokenImageError, Dataset, Excluded
from imgstore_tui.core.errors import DataError, StoreError
from imgstore_tui.core.fingerprint import Fingerprint
from imgstore_tui.jobs.convert.checksums import NO_STAMP, ChecksumRecord, checksum, image_checksum
from imgstore_tui.jobs.convert.names import ImageNames

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

BATCH = 256
"""Most images that are written or read per call; fewer where they exceed ``BATCH_BYTES``."""
BATCH_BYTES = 2**25


class UnreadableImageError(Exception):
    """An image cannot be read, and the store was created for a fixed number of images."""

    def __init__(self, excluded: Excluded) -> None:
        super().__init__(excluded.reason)
        self.excluded = excluded


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """One image in the form in which it is stored."""

    record: ChecksumRecord
    image: Pixels | None
    """None if the dataset's files are not decoded."""
    payload: bytes

    def add_to(self, fingerprint: Fingerprint) -> None:
        """Add the image, as the dataset returns it, to the fingerprint of all."""
        if self.image is None:
            fingerprint.add_file(self.payload, self.record.label)
        else:
            fingerprint.add(self.image, self.record.label)


@dataclass
class PreparedBatch:
    """Images in the form that the backend takes: arrays or payloads."""

    records: list[ChecksumRecord]
    images: list[Pixels]
    payloads: list[bytes]
    names: ImageNames | None = None
    """Names of the images of the dataset, where they are kept."""

    @property
    def size(self) -> int:
        """Bytes of all images."""
        return sum(record.size for record in self.records)

    def put(self, writer: Writer, first: int, kind: PayloadKind) -> None:
        """Write the images under ids from ``first`` on."""
        ids = range(first, first + len(self.records))
        labels = np.array([record.label for record in self.records], np.int64)
        if self.names is not None:
            writer.put_names(ids, [self.names.name(record.index) for record in self.records])
        if kind is PayloadKind.ARRAY:
            images: Pixels = np.stack(self.images)  # type: ignore[assignment]
            writer.put_array(ids, images, labels)
        else:
            writer.put_bytes(ids, self.payloads, labels)


class ImagePreparer:
    """Prepares the images of a dataset and records those that cannot be read."""

    def __init__(self, dataset: Dataset, codec: Codec, kind: PayloadKind, count: int) -> None:
        self._dataset, self._codec, self._kind, self._count = dataset, codec, kind, count
        self.fingerprint: Fingerprint | None = None
        """Of the images that ``batches`` has yielded so far; None if it did not start with the first image."""
        self.excluded: dict[int, Excluded] = {}

    def batches(self, first: int, *, exact: bool) -> Iterator[PreparedBatch]:
        """Yield the images from ``first`` on in batches of a few MiB, without those that cannot be read.

        Args:
            first: Index of the first image.
            exact: Whether a further image that cannot be read is an error.

        Raises:
            UnreadableImageError: If an image cannot be read that was not excluded before, and ``exact`` is true.
        """
        fingerprint = self.fingerprint = None if first else Fingerprint(has_labels=self._dataset.has_labels)
        batch, size = PreparedBatch([], [], []), 0
        for index in range(first, self._count):
            if index in self.excluded:
                continue
            try:
                image = self.prepare(index)
            except BrokenImageError as error:
                self.excluded[index] = error.excluded
                if exact:
                    raise UnreadableImageError(error.excluded) from None
                continue
            if fingerprint is not None:
                image.add_to(fingerprint)
            batch.records.append(image.record)
            if self._kind is PayloadKind.ARRAY and image.image is not None:
                batch.images.append(image.image)
            else:
                batch.payloads.append(image.payload)
            size += image.record.size
            if len(batch.records) >= BATCH or size >= BATCH_BYTES:
                yield batch
                batch, size = PreparedBatch([], [], []), 0
        if batch.records:
            yield batch

    def size_of_first(self) -> int:
        """Return the bytes of the first image that is not excluded.

        Raises:
            UnreadableImageError: If it cannot be read.
        """
        first = next(index for index in range(self._count) if index not in self.excluded)
        try:
            return self.prepare(first).record.size
        except BrokenImageError as error:
            self.excluded[first] = error.excluded
            raise UnreadableImageError(error.excluded) from None

    def prepare(self, index: int) -> PreparedImage:
        """Return an image in the form in which it is stored; the payload of a lossless codec is decoded and compared.

        Raises:
            BrokenImageError: If the image cannot be read.
            StoreError: If a lossless codec does not return the same pixels.
        """
        label, codec = int(self._dataset.label(index)), self._codec
        stamp = self._stamp(index)  # before the image is read, so that a later change is noticed
        if codec.from_file:
            payload = self._dataset.original(index)
            picture = self._dataset.image(index) if self._dataset.has_pixels else None
            source = checksum(payload) if picture is None else image_checksum(picture)
            return PreparedImage(
                ChecksumRecord(index, label, len(payload), checksum(payload), source, stamp), picture, payload
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

    def is_unchanged(self, record: ChecksumRecord) -> bool:
        """Return whether the dataset still holds an image as it was stored; an equal stamp of its file suffices."""
        try:
            if int(self._dataset.label(record.index)) != record.label:
                return False
            if record.stamp != NO_STAMP and self._stamp(record.index) == record.stamp:
                return True
            if self._codec.from_file and checksum(self._dataset.original(record.index)) != record.stored:
                return False
            if not self._dataset.has_pixels:
                return True
            return image_checksum(self._dataset.image(record.index)) == record.source
        except BrokenImageError:
            return False

    def _stamp(self, index: int) -> bytes:
        try:
            path = self._dataset.file(index)
            facts = path.stat()
        except (DataError, OSError):
            return NO_STAMP
        return checksum(b"%d %d " % (facts.st_size, facts.st_mtime_ns) + os.fsencode(path))
