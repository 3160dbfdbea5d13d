"""Writing, inside a trial: what is made ready off the clock, and what is on it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgstore_tui.bench.protocol.messages import TrialRequest
from imgstore_tui.bench.trial.clock import Clock, Sample
from imgstore_tui.bench.trial.read import disk_fields, verify
from imgstore_tui.bench.trial.settle import drain
from imgstore_tui.bench.trial.setup import TimedSamples, TrialSetup, sample_numbers
from imgstore_tui.core.backend import Content, Editor, PayloadKind, Writer
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.plugins import registry

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels, Pixels


@dataclass(frozen=True, slots=True)
class Batch:
    """Images in private memory: one array, payloads as they are stored, or images that are still to be encoded."""

    ids: Sequence[int]
    labels: Labels
    array: Pixels | None = None
    payloads: Sequence[bytes] = ()
    images: Sequence[Pixels] = ()


class Feeder:
    """Hands batches to a writer: each is copied into private memory off the clock, then encoded and put on it."""

    def __init__(self, setup: TrialSetup, batch: int) -> None:
        self._setup = setup
        source = setup.pixel_cache
        self._as_array = setup.kind is PayloadKind.ARRAY
        self._array: Pixels | None = source.new_array(batch) if source.uniform else None
        self._encode = not self._as_array and not setup.codec.from_file and setup.codec_timed
        workers = setup.request.workers if self._encode else 1
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None
        if self._pool is not None:
            # Threads are started off the clock.
            list(self._pool.map(time.sleep, [0.001] * workers))

    def prepare(self, ids: Sequence[int], source_ids: Sequence[int]) -> Batch:
        """Copy the images ``source_ids`` of the source into private memory, to be put under ``ids``."""
        setup, source = self._setup, self._setup.pixel_cache
        labels = source.labels_of(source_ids)
        array = None if self._array is None else self._array[: len(ids)]
        if array is not None:
            source.copy_into(source_ids, array)
        if self._as_array and array is not None:
            return Batch(ids, labels, array)
        images = list(array) if array is not None else [source.image(image_id).copy() for image_id in source_ids]
        if setup.codec.from_file:
            return Batch(ids, labels, payloads=[source.original(image_id) for image_id in source_ids])
        if self._encode:
            return Batch(ids, labels, images=images)
        return Batch(ids, labels, payloads=[setup.codec.encode(image) for image in images])

    def put(self, writer: Writer, batch: Batch, clock: Clock) -> None:
        """Encode what was prepared, where that belongs on the clock, and put it."""
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
        """Put the images ``source_ids`` of the source under ``ids``."""
        self.put(writer, self.prepare(ids, source_ids), clock)

    def _encoded(self, images: Sequence[Pixels], clock: Clock) -> list[bytes]:
        encode = self._setup.codec.encode
        if self._pool is None:
            return [encode(image) for image in images]
        workers = self._setup.request.workers

        def part(number: int) -> tuple[list[bytes], int]:
            began = time.perf_counter_ns()
            encoded = [encode(image) for image in images[number::workers]]
            return encoded, time.perf_counter_ns() - began

        payloads: list[bytes] = [b""] * len(images)
        for number, (encoded, taken) in enumerate(self._pool.map(part, range(workers))):
            payloads[number::workers] = encoded
            clock.count_worker("codec", taken)
        return payloads

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()


def write(setup: TrialSetup, location: Path, count: int, clock: Clock) -> int | None:
    """Create a store of ``count`` images; returns the sync calls made, None where none were asked for."""
    most = min(setup.batch, count)
    feeder = Feeder(setup, most)
    runs = [range(start, min(start + most, count)) for start in range(0, count, most)]
    try:
        content, first = setup.content(count), feeder.prepare(runs[0], runs[0])
        if len(runs) > 1:
            return _write(setup, location, content, feeder, first, runs[1:], clock)
        with clock.running():
            synced = _write(setup, location, content, feeder, first, [], clock)
        setup.report(count)
        return synced
    finally:
        feeder.close()


def _write(
    setup: TrialSetup,
    location: Path,
    content: Content,
    feeder: Feeder,
    first: Batch,
    others: Sequence[range],
    clock: Clock,
) -> int | None:
    clock.start()
    writer = setup.backend.create(location, content, setup.request.sync)
    clock.lap("open")
    clock.stop()
    try:
        feeder.put(writer, first, clock)
        for ids in others:
            setup.report(ids.start)
            feeder.feed(writer, ids, ids, clock)
        return finish_writing(setup, writer, location, clock)
    except BaseException:
        writer.abort()
        raise


def finish_writing(setup: TrialSetup, writer: Writer, location: Path, clock: Clock) -> int | None:
    """Close and, where asked, force everything to the device, on the clock; returns the sync calls made."""
    clock.start()
    writer.close()
    clock.lap("close")
    synced = None
    if setup.request.sync is SyncLevel.END:
        synced = setup.backend.make_durable(location, writer.changed_paths() if isinstance(writer, Editor) else None)
        clock.lap("sync")
    clock.stop()
    return synced


def write_many(setup: TrialSetup, location: Path, clock: Clock) -> TimedSamples:
    """Time one whole store."""
    synced = write(setup, location, setup.request.cutoff, clock)
    pixels = setup.pixel_cache.pixel_bytes(setup.request.cutoff)
    return [clock.take_sample(pixels)], lambda: {"sync_count": synced, **drain_and_measure(setup, location)}


def write_one(setup: TrialSetup, folder: Path, clock: Clock) -> TimedSamples:
    """Time many stores of one image, each in a fresh location."""
    folder.mkdir()
    samples: list[Sample] = []
    synced = None
    for number in sample_numbers(samples):
        synced = write(setup, folder / f"{number:03}", 1, clock)
        samples.append(clock.take_sample(setup.pixel_cache.pixel_bytes(1)))

    def finish() -> dict[str, Any]:
        stores = [folder / f"{number:03}" for number in range(len(samples))]
        weighed = drain_and_measure(setup, *stores)
        for store in stores:
            verified = verify(setup, store, 1)
        return {"sync_count": synced, **verified, **weighed}

    return samples, finish


def destroy(request: TrialRequest, location: Path) -> None:
    """Remove what a request of this operation has made, whole or broken off."""
    backend = registry.make_backend(request.spec)
    if request.operation is not Operation.WRITE_ONE:
        backend.destroy(location)
        return
    for store in sorted(location.iterdir()):
        backend.destroy(store)
    location.rmdir()


def drain_and_measure(setup: TrialSetup, *stores: Path) -> dict[str, Any]:
    """Drain the stores, then say what the first weighs: only then do all file systems know."""
    drained = drain(setup.backend, *stores)
    return {"drain_s": drained, **disk_fields(setup, stores[0])}
