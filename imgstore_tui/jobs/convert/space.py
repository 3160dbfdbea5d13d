"""Checks that a store will fit on its disk, from a sample of the images, before hours are spent on it."""

from __future__ import annotations

import contextlib
import math
import os
import time
import zlib
from pathlib import Path

from imgstore_tui.bench.run.failure_cause import causes_at
from imgstore_tui.core.backend import Content
from imgstore_tui.core.dataset import BrokenImageError
from imgstore_tui.core.errors import ImgstoreError, StoreError, UnavailableError
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.units import format_bytes, format_count
from imgstore_tui.jobs.convert.prepare import ImagePreparer, PreparedBatch
from imgstore_tui.storekit.local import LocalBackend

SAMPLE = 32
"""Images from all over the dataset whose size is looked at; fewer where these take long or much memory."""
SAMPLE_S = 2.0
SAMPLE_BYTES = 1 << 26


class SpaceError(UnavailableError):
    """The disk has no room for the store, of which nothing was written."""


def check_space(
    preparer: ImagePreparer, backend: LocalBackend, content: Content, count: int, missing: int, folder: Path
) -> None:
    """Refuse a conversion for whose images there is no room; in doubt it may begin.

    A store is seldom smaller than the payloads in it. Where these do not fit, a store of the sample shows whether the
    backend compresses them.

    Args:
        preparer: Prepares images.
        backend: Stores them.
        content: What a store of them holds; its count and size do not matter.
        count: Number of images of the dataset.
        missing: Number of images that are not stored yet.
        folder: Folder in which the store is made.

    Raises:
        SpaceError: If there are too few bytes or files left on the disk.
    """
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    if backend.capabilities.file_per_image and status.f_files and missing > status.f_favail:
        raise SpaceError(
            f"The store needs {format_count(missing)} files and {folder.parent} can hold "
            f"{format_count(status.f_favail)} more. Name a destination on another disk, or another storage method."
        )
    batch = _sample(preparer, count)
    block = status.f_frsize if backend.capabilities.file_per_image else 1
    sizes = [-(-record.size // block) * block for record in batch.records]
    need = _least(sizes) * missing
    if need > free:
        need = min(need, _stored_bytes(batch, backend, content, folder) * missing)
    if need > free:
        raise SpaceError(
            f"The store needs about {format_bytes(need)} and {folder.parent} has {format_bytes(free)} free. "
            "Make room there, or name a destination on another disk."
        )


def check_server_space(
    preparer: ImagePreparer, count: int, missing: int, place: ServerLocation, free: int | None
) -> None:
    """Refuse a conversion for whose images a server has no room, if it says how much it has.

    It may compress them: they count as what zlib makes of them, which servers seldom surpass.

    Args:
        preparer: Prepares images.
        count: Number of images of the dataset.
        missing: Number of images that are not stored yet.
        place: Database or bucket.
        free: Bytes that the server has left; None where it does not say.

    Raises:
        SpaceError: If there are too few bytes left.
    """
    if free is None:
        return
    batch = _sample(preparer, count)
    if _least([record.size for record in batch.records]) * missing <= free:
        return
    payloads = batch.payloads if any(batch.payloads) else [image.tobytes() for image in batch.images]
    need = _least([len(zlib.compress(payload, 1)) for payload in payloads]) * missing
    if need > free:
        raise SpaceError(
            f"The store needs about {format_bytes(need)} and {place} has {format_bytes(free)} free. "
            "Make room there, or name a destination on another server."
        )


def with_cause(error: StoreError | OSError, folder: Path) -> StoreError:
    """Return the error of a conversion with what its disk shows right after it: drivers say it in many ways."""
    message = str(error)
    if isinstance(error, OSError):
        message = f"{error.filename or folder} cannot be written: {error.strerror or error}."
    return StoreError(" ".join([*causes_at(folder), message]))


def _sample(preparer: ImagePreparer, count: int) -> PreparedBatch:
    batch = PreparedBatch([], [], [])
    ends = time.monotonic() + SAMPLE_S
    for index in sorted({number * count // SAMPLE for number in range(SAMPLE)}):
        if batch.records and (time.monotonic() > ends or batch.size > SAMPLE_BYTES):
            break
        try:
            image = preparer.prepare(index)
        except BrokenImageError:
            continue
        batch.records.append(image.record)
        if image.image is not None:
            batch.images.append(image.image)
        batch.payloads.append(image.payload)
    return batch


def _least(sizes: list[int]) -> float:
    """Return the least mean size that a sample leaves likely: two standard errors below its own."""
    if not sizes:
        return 0.0
    mean = sum(sizes) / len(sizes)
    if len(sizes) == 1:
        return mean
    variance = sum((size - mean) ** 2 for size in sizes) / (len(sizes) - 1)
    return max(0.0, mean - 2 * math.sqrt(variance / len(sizes)))


def _stored_bytes(batch: PreparedBatch, backend: LocalBackend, content: Content, folder: Path) -> float:
    """Return the bytes of an image in a store of the sample; infinity where even that has no room."""
    place = folder / "sample"
    _remove(backend, place)
    sample = Content(
        len(batch.records), content.kind, content.codec, content.shape, content.dtype,
        sum(record.size for record in batch.records),
    )  # fmt: skip
    try:
        writer = backend.create(place, sample, SyncLevel.BUFFERED)
        try:
            batch.put(writer, 0, content.kind)
            writer.close()
        except BaseException:
            writer.abort()
            raise
        return float(backend.disk_usage(place).allocated_bytes or 0) / len(batch.records)
    except (ImgstoreError, OSError):
        return float("inf")
    finally:
        _remove(backend, place)


def _remove(backend: LocalBackend, place: Path) -> None:
    with contextlib.suppress(ImgstoreError, OSError):  # a store that cannot be made there says why
        if backend.exists(place):
            backend.destroy(place)
