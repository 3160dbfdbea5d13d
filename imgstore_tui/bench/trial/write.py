"""Times the writing operations: copies each batch into private memory off the clock, then encodes and puts it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imgstore_tui.bench.protocol.messages import TrialResult
from imgstore_tui.bench.trial.clock import Clock, Sample
from imgstore_tui.bench.trial.read_pass import Batches, in_order, verify, with_disk_usage
from imgstore_tui.bench.trial.setup import TimedSamples, TrialSetup, sample_numbers
from imgstore_tui.core.backend import Content, PayloadKind, Writer
from imgstore_tui.core.location import Location
from imgstore_tui.core.operations import SyncLevel

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels, Pixels


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """Images in private memory: one array, payloads as they are stored, or images that are encoded on the clock."""

    ids: Sequence[int]
    labels: Labels
    array: Pixels | None = None
    payloads: Sequence[bytes] = ()
    images: Sequence[Pixels] = ()


class Feeder:
    """Hands batches to a writer: copies each into private memory off the clock, then encodes and puts it."""

    def __init__(self, setup: TrialSetup, batch: int) -> None:
        """Allocate memory and start the threads that encode.

        Args:
            setup: The trial.
            batch: Images of the largest batch.
        """
        self._setup = setup
        source = setup.pixel_cache
        self._as_array = setup.payload_kind is PayloadKind.ARRAY
        self._array: Pixels | None = source.new_array(batch) if source.uniform else None
        self._encode = not self._as_array and not setup.codec.from_file and setup.codec_timed
        workers = setup.request.workers if self._encode else 1
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None
        if self._pool is not None:
            # Threads are started off the clock.
            list(self._pool.map(time.sleep, [0.001] * workers))

    def prepare(self, ids: Sequence[int], source_ids: Sequence[int]) -> PreparedBatch:
        """Copy images into private memory.

        Args:
            ids: Ids that the images get in the store.
            source_ids: Their ids in the source.
        """
        setup, source = self._setup, self._setup.pixel_cache
        labels = source.labels_of(source_ids)
        array = None if self._array is None else self._array[: len(ids)]
        if array is not None:
            source.copy_into(source_ids, array)
        if self._as_array and array is not None:
            return PreparedBatch(ids, labels, array)
        images = list(array) if array is not None else [source.image(image_id).copy() for image_id in source_ids]
        if setup.codec.from_file:
            return PreparedBatch(ids, labels, payloads=[source.original(image_id) for image_id in source_ids])
        if self._encode:
            return PreparedBatch(ids, labels, images=images)
        return PreparedBatch(ids, labels, payloads=[setup.codec.encode(image) for image in images])

    def put(self, writer: Writer, batch: PreparedBatch, clock: Clock) -> None:
        """Encode a prepared batch, if that belongs on the clock, and put it."""
        clock.start()
        if batch.array is not None:
            writer.put_array(batch.ids, batch.array, batch.labels)
        else:
            payloads = batch.payloads
            if self._encode:
                payloads = self._encoded(batch.images, clock)
                clock.lap("codec")
            writer.put_bytes(batch.ids, payloads, batch.labels)
        clock.lap("storage")
        clock.stop()

    def feed(self, writer: Writer, ids: Sequence[int], source_ids: Sequence[int], clock: Clock) -> None:
        """Prepare and put one batch, see ``prepare``."""
        self.put(writer, self.prepare(ids, source_ids), clock)

    def _encoded(self, images: Sequence[Pixels], clock: Clock) -> list[bytes]:
        encode = self._setup.codec.encode
        if self._pool is None:
            return [encode(image) for image in images]
        workers = self._setup.request.workers

        def encode_share(number: int) -> tuple[list[bytes], int]:
            began = time.perf_counter_ns()
            encoded = [encode(image) for image in images[number::workers]]
            return encoded, time.perf_counter_ns() - began

        payloads: list[bytes] = [b""] * len(images)
        for number, (encoded, nanoseconds) in enumerate(self._pool.map(encode_share, range(workers))):
            payloads[number::workers] = encoded
            clock.count_worker("codec", nanoseconds)
        return payloads

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()


def write(setup: TrialSetup, location: Location, count: int, clock: Clock) -> int | None:
    """Create a store of the first images of the source.

    Args:
        setup: The trial.
        location: The store; it does not exist yet.
        count: Images to write.
        clock: Gets the phases open, storage, codec, close and sync.

    Returns:
        Number of sync calls; None if the request's sync level needs none, or the library makes more by itself.
    """
    most = min(setup.batch, count)
    feeder = Feeder(setup, most)
    batches = in_order(count, most)
    try:
        content, first = setup.content(count), feeder.prepare(batches[0], batches[0])
        if len(batches) > 1:
            return _write(setup, location, content, feeder, first, batches[1:], clock)
        with clock.running():
            sync_count = _write(setup, location, content, feeder, first, [], clock)
        setup.report(count)
        return sync_count
    finally:
        feeder.close()


def _write(
    setup: TrialSetup,
    location: Location,
    content: Content,
    feeder: Feeder,
    first: PreparedBatch,
    others: Batches,
    clock: Clock,
) -> int | None:
    clock.start()
    writer = setup.backend.create(location, content, setup.request.sync)
    clock.lap("open")
    clock.stop()
    try:
        feeder.put(writer, first, clock)
        for ids in others:
            setup.report(ids[0])
            feeder.feed(writer, ids, ids, clock)
        return finish_writing(setup, writer, location, clock)
    except BaseException:
        writer.abort()
        raise


def finish_writing(setup: TrialSetup, writer: Writer, location: Location, clock: Clock) -> int | None:
    """Close the writer and, for the sync level ``end``, force everything to the device, on the clock.

    At ``batch`` the writer has forced and counted each batch.

    Args:
        setup: The trial.
        writer: The open writer.
        location: Its store.
        clock: Gets the phases close and sync.

    Returns:
        Number of sync calls; None if the request's sync level needs none, or the library makes more by itself.
    """
    clock.start()
    writer.close()
    clock.lap("close")
    sync_count = None
    if setup.request.sync is SyncLevel.END:
        sync_count = setup.access.force(location, writer)
        clock.lap("sync")
    elif setup.request.sync is SyncLevel.BATCH:
        sync_count = writer.syncs if setup.backend.capabilities.counts_syncs else None
    if setup.backend.capabilities.forces_itself:
        sync_count = None  # nobody has counted what the library forces
    clock.stop()
    clock.count_requests(writer.requests, writer.retries)
    return sync_count


def write_many(setup: TrialSetup, location: Location, clock: Clock) -> TimedSamples:
    """Time the writing of one whole store."""
    watch = setup.access.watch_close()
    sync_count = write(setup, location, setup.request.cutoff, clock)
    watch.closed([location])
    pixels = setup.pixel_cache.pixel_bytes(setup.request.cutoff)

    def complete(result: TrialResult) -> TrialResult:
        result = drain_and_measure(replace(result, sync_count=sync_count), setup, location)
        watch.check(result.seconds)
        return result

    return TimedSamples([clock.take_sample(pixels)], complete)


def write_one(setup: TrialSetup, clock: Clock) -> TimedSamples:
    """Time the writing of many stores of one image, each in a fresh location."""
    setup.access.begin_many()
    samples: list[Sample] = []
    sync_count = None
    watch = setup.access.watch_close()
    for number in sample_numbers(samples):
        sync_count = write(setup, setup.access.one_of_many(number), 1, clock)
        samples.append(clock.take_sample(setup.pixel_cache.pixel_bytes(1)))
    stores = [setup.access.one_of_many(number) for number in range(len(samples))]
    watch.closed(stores)

    def complete(result: TrialResult) -> TrialResult:
        result = drain_and_measure(replace(result, sync_count=sync_count), setup, *stores)
        watch.check(result.seconds)
        for store in stores:
            result = replace(result, verified=True, psnr_db=verify(setup, store, 1))
        return result

    return TimedSamples(samples, complete)


def drain_and_measure(result: TrialResult, setup: TrialSetup, *stores: Location) -> TrialResult:
    """Drain the stores of a trial and measure the first: before that, some file systems do not know its size.

    Args:
        result: What has been measured so far.
        setup: The trial.
        stores: The stores that the trial wrote, closed.

    Returns:
        The result with ``drain_s`` and the disk usage.
    """
    return with_disk_usage(replace(result, drain_s=setup.access.drain(stores)), setup, stores[0])
