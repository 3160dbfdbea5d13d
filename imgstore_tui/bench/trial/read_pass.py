"""Reads a store once: opens it, reads batches or labels, closes it, with every phase on a clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.bench.protocol.messages import TrialResult
from imgstore_tui.bench.trial.clock import Clock
from imgstore_tui.bench.trial.read_buffer import ReadBuffer
from imgstore_tui.bench.trial.setup import TrialSetup
from imgstore_tui.bench.trial.spot_check import CopyAside
from imgstore_tui.bench.trial.verifier import Verifier
from imgstore_tui.core.backend import Reader
from imgstore_tui.core.location import Location

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels

Batches = Sequence[Sequence[int]]
"""The ids of each call."""


def in_order(count: int, most: int) -> Batches:
    """Return the ids 0 to ``count`` in order, ``most`` per call."""
    return [range(start, min(start + most, count)) for start in range(0, count, most)]


def new_buffer(setup: TrialSetup, batch: int) -> ReadBuffer:
    """Return a buffer for batches of at most ``batch`` images, its memory touched."""
    return ReadBuffer(setup.pixel_cache, setup.codec, setup.payload_kind, batch)


def read_pass(
    setup: TrialSetup,
    location: Location,
    batches: Batches,
    buffer: ReadBuffer,
    clock: Clock,
    verifier: Verifier | None = None,
    copy_aside: CopyAside | None = None,
) -> None:
    """Open a store, read batches into a buffer, close the store.

    Args:
        setup: The trial.
        location: The store.
        batches: The ids of each call.
        buffer: Holds the largest batch; it is reused for each.
        clock: Gets the phases open, storage, codec and close.
        verifier: Compares each batch, off the clock; None if nothing is compared.
        copy_aside: Copies a few bytes of each image aside, off the clock; None if nothing is.

    Raises:
        StoreError: If the store cannot be read, or the verifier finds a difference.
    """
    if verifier is None:
        with clock.running():
            _pass(setup, location, batches, buffer, clock, None, copy_aside)
    else:
        _pass(setup, location, batches, buffer, clock, verifier, copy_aside)
    setup.report(sum(map(len, batches)))


def _pass(
    setup: TrialSetup,
    location: Location,
    batches: Batches,
    buffer: ReadBuffer,
    clock: Clock,
    verifier: Verifier | None,
    copy_aside: CopyAside | None,
) -> None:
    clock.start()
    reader = setup.backend.open(location)
    clock.lap("open")
    clock.stop()
    done = 0
    try:
        for ids in batches:
            if done:
                setup.report(done)
            read_batch(setup, reader, ids, buffer, clock, verifier)
            if copy_aside is not None:
                with clock.left_out():
                    copy_aside(ids, buffer)
            done += len(ids)
    except BaseException:
        reader.close()
        raise
    clock.start()
    reader.close()
    clock.lap("close")
    clock.stop()
    clock.count_requests(reader.requests, reader.retries)


def read_batch(
    setup: TrialSetup,
    reader: Reader,
    ids: Sequence[int],
    buffer: ReadBuffer,
    clock: Clock,
    verifier: Verifier | None = None,
) -> None:
    """Read one batch from an open store.

    Args:
        setup: The trial.
        reader: The open store.
        ids: The images of the batch.
        buffer: Receives the images and labels.
        clock: Gets the phases storage and codec.
        verifier: Checks the batch, off the clock; None if nothing is checked.
    """
    clock.start()
    buffer.fetch(reader, ids)
    clock.lap("storage")
    if setup.codec_timed and buffer.encoded:
        buffer.decode()
        clock.lap("codec")
    clock.stop()
    if verifier is not None:
        # The user's files are compared as bytes: they need not be decoded for it.
        if buffer.encoded and not setup.codec_timed and not setup.codec.from_file:
            buffer.decode()
        verifier.check_batch(ids, buffer)


def read_labels(setup: TrialSetup, location: Location, clock: Clock) -> Labels:
    """Open a store, read all labels, close the store.

    Args:
        setup: The trial.
        location: The store.
        clock: Gets the phases open, storage and close.

    Returns:
        int64 array (n,), owned by the caller.
    """
    clock.start()
    reader = setup.backend.open(location)
    clock.lap("open")
    labels = reader.read_labels()
    clock.lap("storage")
    reader.close()
    clock.lap("close")
    clock.stop()
    clock.count_requests(reader.requests, reader.retries)
    # A copy made after the close: what a store hands out must be the caller's own.
    return np.array(labels)


def use_store(setup: TrialSetup, location: Location) -> None:
    """Read the first image of a store, off every clock, so that the library has been used once."""
    read_pass(setup.unreported(), location, [range(1)], new_buffer(setup, 1), Clock())


def verify(setup: TrialSetup, location: Location, count: int) -> float | None:
    """Read every image and label of a store and compare with the source.

    Args:
        setup: The trial.
        location: The store.
        count: Images in the store.

    Returns:
        Mean peak signal-to-noise ratio, dB; None if the codec is lossless.

    Raises:
        StoreError: For the first difference.
    """
    verifier = Verifier(setup.pixel_cache, setup.codec)
    verifier.check_labels(read_labels(setup, location, Clock()), setup.pixel_cache.labels_of(range(count)))
    batches = in_order(count, min(setup.batch, count))
    read_pass(setup, location, batches, new_buffer(setup, len(batches[0])), Clock(), verifier)
    return verifier.psnr_db


def with_disk_usage(result: TrialResult, setup: TrialSetup, location: Location) -> TrialResult:
    """Return the result with the disk usage of a store."""
    usage = setup.access.usage(location)
    return replace(
        result,
        apparent_bytes=usage.apparent_bytes,
        allocated_bytes=usage.allocated_bytes,
        files=usage.files,
        disk_parts=dict(usage.parts) or None,
        server_log_bytes=usage.server_log_bytes,
    )
