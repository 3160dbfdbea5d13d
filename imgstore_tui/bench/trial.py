"""A trial, inside its own process: the operations of the instrument, what is on the clock and what is not."""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui import registry
from imgstore_tui.bench.board import Board
from imgstore_tui.bench.clock import Clock, Sample, Snapshot
from imgstore_tui.bench.drain import drain, settle
from imgstore_tui.bench.job import Job, Step
from imgstore_tui.bench.pagecache import resident_share
from imgstore_tui.bench.sink import Checker, Sink
from imgstore_tui.bench.source import Source
from imgstore_tui.core.backend import Backend, Content, PayloadKind
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.operations import Operation, Payload, SyncLevel

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Pixels

SHUFFLE_BATCH = 64
"""Mini-batch of ``read-random``."""
MOST_SAMPLES = 50
FEWEST_SAMPLES = 3
SAMPLING_S = 0.25
"""A trial of many samples stops taking more after so many seconds on the clock."""
FOREIGN_WINDOW_S = 0.2
"""Below this the kernel's 10 ms ticks cannot tell how busy others were."""

Report = Callable[[int], None]
Taken = tuple[list[Sample], Callable[[], dict[str, Any]]]
"""The samples of a trial, and what is still to be found out about it once the clock has stopped for good."""


@dataclass
class Bench:
    """What a job works with: the spec's backend and codec, the source, and how they meet."""

    job: Job
    backend: Backend
    codec: Codec
    source: Source
    report: Report

    @classmethod
    def of(cls, job: Job, report: Report) -> Bench:
        """Set up for a job."""
        codec = registry.codecs.get("raw")({}) if job.payload is Payload.RAW else registry.make_codec(job.spec)
        return cls(job, registry.make_backend(job.spec), codec, Source(Path(job.source)), report)

    @property
    def kind(self) -> PayloadKind:
        """Whether images travel as one array a batch or as bytes."""
        whole = self.codec.name == "raw" and self.source.uniform is not None
        return PayloadKind.ARRAY if whole and PayloadKind.ARRAY in self.backend.payloads else PayloadKind.BYTES

    @property
    def batch(self) -> int:
        """Images a call hands over."""
        return self.source.batch_size(self.job.batch)

    def content(self, count: int) -> Content:
        """Return what a store of ``count`` images holds."""
        shape, dtype = self.source.uniform or (None, None)
        size = self.source.original_bytes(count) if self.codec.from_file else self.source.pixel_bytes(count)
        return Content(count, self.kind, self.codec.name, shape, dtype, size)


def run_job(job: Job, board: Board) -> dict[str, Any]:
    """Do a job in this process and return the measurement's fields.

    Raises:
        ImgstoreError: With the sentence that becomes the row's reason.
    """
    if job.step is Step.HELLO:
        return {}
    location = Path(job.location)
    bench = Bench.of(job, board.report)
    if job.step is Step.VERIFY:
        return _verify(bench, location)
    if job.step is Step.PREPARE:
        _write(bench, location, job.cutoff, Clock())
        drain(bench.backend, location)
        return {}
    _warm_up(bench)
    settle()
    gc.collect()
    gc.disable()
    clock, started_at = Clock(board), datetime.now(UTC).isoformat(timespec="milliseconds")
    match job.operation:
        case Operation.WRITE_ONE:
            samples, finish = _write_one(bench, location, clock)
        case Operation.WRITE_MANY:
            samples, finish = _write_many(bench, location, clock)
        case _:
            samples, finish = _read(bench, location, clock)
    fields = _record(clock, samples, started_at)
    board.measure(False)
    gc.enable()
    return {"batch": bench.batch, **fields, **finish()}


def _record(clock: Clock, samples: Sequence[Sample], started_at: str) -> dict[str, Any]:
    """Return the fields that follow from the samples, the clock, and what was seen at its two ends."""
    after, before = Snapshot.take(), clock.before
    if before is None:
        raise ValueError("the clock has not run")
    # The lower median is a sample that was taken, so that its phases add up to it.
    median = statistics.median_low(sample.seconds for sample in samples)
    chosen = next(sample for sample in samples if sample.seconds == median)
    foreign, wall = None, after.wall_s - before.wall_s
    if after.busy_s is not None and before.busy_s is not None and wall >= FOREIGN_WINDOW_S:
        foreign = max(0.0, (after.busy_s - before.busy_s - (after.own_s - before.own_s)) / wall)
    return {
        "seconds": median,
        "samples": [sample.seconds for sample in samples],
        **{f"{phase}_s": seconds for phase, seconds in chosen.phases.items()},
        "cpu_user_s": clock.cpu_user_s,
        "cpu_system_s": clock.cpu_system_s,
        "foreign_cpu": foreign,
        "private_before": before.private_bytes,
        "private_after": after.private_bytes,
        "io_read_bytes": clock.io_read_bytes,
        "io_dirtied_bytes": clock.io_dirtied_bytes,
        "started_at": started_at,
        "elapsed_s": clock.elapsed_s,
        "dirty_before": before.dirty_bytes,
    }


def _warm_up(bench: Bench) -> None:
    """Use backend and codec once on a dummy store, so that no import or library start-up is on the clock."""
    location = Path(bench.job.workspace) / "dummy"
    dummy = Bench(bench.job, bench.backend, bench.codec, bench.source, lambda _: None)
    _write(dummy, location, 1, Clock())
    sink = Sink(dummy.source, dummy.codec, dummy.kind, 1)
    _read_pass(dummy, location, [range(1)], sink, Clock())
    with dummy.backend.open(location) as reader:
        reader.read_labels()
    dummy.backend.destroy(location)


# Writing


def _write(bench: Bench, location: Path, count: int, clock: Clock) -> int | None:
    """Create a store of ``count`` images; returns the sync calls made, None where none were asked for."""
    source, codec, batch = bench.source, bench.codec, min(bench.batch, count)
    as_array = bench.kind is PayloadKind.ARRAY
    array = source.new_array(batch) if as_array or source.uniform else None
    encode = not as_array and not codec.from_file and bench.job.payload is not Payload.ENCODED
    clock.start()
    writer = bench.backend.create(location, bench.content(count), bench.job.sync)
    clock.lap("open")
    clock.stop()
    try:
        for start in range(0, count, batch):
            stop = min(start + batch, count)
            ids, labels = range(start, stop), source.labels(start, stop)
            if array is not None:
                source.copy_into(start, stop, array[: stop - start])
            if as_array and array is not None:
                clock.start()
                writer.put_array(ids, array[: stop - start], labels)
            else:
                images: Sequence[Pixels] = (
                    list(array[: stop - start]) if array is not None else [source.image(i).copy() for i in ids]
                )
                payloads: list[bytes] = []
                if codec.from_file:
                    payloads = [source.original(image_id) for image_id in ids]
                elif not encode:
                    payloads = [codec.encode(image) for image in images]
                clock.start()
                if encode:
                    payloads = [codec.encode(image) for image in images]
                    clock.lap("codec")
                writer.put_bytes(ids, payloads, labels)
            clock.lap("storage")
            clock.stop()
            bench.report(stop)
        clock.start()
        writer.close()
        clock.lap("close")
        synced = None
        if bench.job.sync is SyncLevel.END:
            synced = bench.backend.make_durable(location)
            clock.lap("sync")
        clock.stop()
    except BaseException:
        writer.abort()
        raise
    return synced


def _write_many(bench: Bench, location: Path, clock: Clock) -> Taken:
    synced = _write(bench, location, bench.job.cutoff, clock)
    return [clock.take_sample()], lambda: {"sync_count": synced, **_weigh(bench, location)}


def _write_one(bench: Bench, folder: Path, clock: Clock) -> Taken:
    folder.mkdir()
    samples: list[Sample] = []
    synced = None
    for number in _sampling(samples):
        synced = _write(bench, folder / f"{number:03}", 1, clock)
        samples.append(clock.take_sample())

    def finish() -> dict[str, Any]:
        for number in range(len(samples)):
            verified = _verify(bench, folder / f"{number:03}")
        return {"sync_count": synced, **verified, **_weigh(bench, folder / "000")}

    return samples, finish


def _weigh(bench: Bench, location: Path) -> dict[str, Any]:
    drained = drain(bench.backend, location)
    usage = bench.backend.disk_usage(location)
    return {
        "drain_s": drained,
        "apparent_bytes": usage.apparent_bytes,
        "allocated_bytes": usage.allocated_bytes,
        "files": usage.files,
    }


def _sampling(samples: list[Sample]) -> Iterator[int]:
    """Count samples until there are enough, or the time for them is spent."""
    while len(samples) < FEWEST_SAMPLES or (
        len(samples) < MOST_SAMPLES and sum(sample.seconds for sample in samples) < SAMPLING_S
    ):
        yield len(samples)


# Reading


def _read(bench: Bench, location: Path, clock: Clock) -> Taken:
    job = bench.job
    samples: list[Sample] = []
    match job.operation:
        case Operation.READ_LABELS:
            expected = bench.source.labels(0, job.cutoff)
            Checker(bench.source, bench.codec).labels(_read_labels(bench, location, Clock()), expected)
            before = _residency(bench, location)
            for _ in _sampling(samples):
                labels = _read_labels(bench, location, clock)
                samples.append(clock.take_sample())
                Checker(bench.source, bench.codec).labels(labels, expected)
        case Operation.READ_ONE:
            order = random.Random(job.seed)  # noqa: S311 - an order, not a secret
            ids = [order.randrange(job.cutoff) for _ in range(MOST_SAMPLES)]
            sink = Sink(bench.source, bench.codec, bench.kind, 1)
            checker = Checker(bench.source, bench.codec)
            for image_id in ids:
                _read_pass(bench, location, [[image_id]], sink, Clock(), checker)
            before = _residency(bench, location)
            for number in _sampling(samples):
                _read_pass(bench, location, [[ids[number]]], sink, clock)
                samples.append(clock.take_sample())
        case _:
            batches = _batches(bench)
            sink = Sink(bench.source, bench.codec, bench.kind, len(batches[0]))
            _read_pass(bench, location, batches, sink, Clock(), Checker(bench.source, bench.codec))
            before = _residency(bench, location)
            _read_pass(bench, location, batches, sink, clock)
            samples.append(clock.take_sample())
    proof = None if before is None else f"{before:.1%} of the store's pages resident (mincore) when the clock started"
    return samples, lambda: {
        "verified": True,
        "resident_before": before,
        "resident_after": _residency(bench, location),
        "cache_proof": proof,
    }


def _residency(bench: Bench, location: Path) -> float | None:
    return resident_share(bench.backend.files(location))


def _batches(bench: Bench) -> list[Sequence[int]]:
    """Return the ids of each call: in order, or all once in a seeded shuffled order."""
    count, most = bench.job.cutoff, bench.batch
    if bench.job.operation is Operation.READ_MANY:
        return [range(start, min(start + most, count)) for start in range(0, count, most)]
    order = list(range(count))
    random.Random(bench.job.seed).shuffle(order)  # noqa: S311 - an order, not a secret
    size = min(SHUFFLE_BATCH, most)
    return [order[start : start + size] for start in range(0, count, size)]


def _read_pass(
    bench: Bench,
    location: Path,
    batches: Sequence[Sequence[int]],
    sink: Sink,
    clock: Clock,
    checker: Checker | None = None,
) -> None:
    """Open, read the batches into the sink, close; each batch is checked where a checker is given."""
    decode = bench.job.payload is not Payload.ENCODED
    clock.start()
    reader = bench.backend.open(location)
    clock.lap("open")
    clock.stop()
    done = 0
    try:
        for ids in batches:
            clock.start()
            sink.fetch(reader, ids)
            clock.lap("storage")
            if decode and sink.encoded:
                sink.decode()
                clock.lap("codec")
            clock.stop()
            if checker is not None:
                if sink.encoded and not decode:
                    sink.decode()
                checker.batch(ids, sink)
            done += len(ids)
            bench.report(done)
    except BaseException:
        reader.close()
        raise
    clock.start()
    reader.close()
    clock.lap("close")
    clock.stop()


def _read_labels(bench: Bench, location: Path, clock: Clock) -> Any:
    clock.start()
    reader = bench.backend.open(location)
    clock.lap("open")
    labels = reader.read_labels()
    clock.lap("storage")
    reader.close()
    clock.lap("close")
    clock.stop()
    return np.array(labels)


def _verify(bench: Bench, location: Path) -> dict[str, Any]:
    """Read every image and label back and compare with the source; raises for the first difference."""
    job, checker = bench.job, Checker(bench.source, bench.codec)
    count = 1 if job.operation is Operation.WRITE_ONE else job.cutoff
    checker.labels(_read_labels(bench, location, Clock()), bench.source.labels(0, count))
    batch = min(bench.batch, count)
    sink = Sink(bench.source, bench.codec, bench.kind, batch)
    batches = [range(start, min(start + batch, count)) for start in range(0, count, batch)]
    _read_pass(bench, location, batches, sink, Clock(), checker)
    return {"verified": True, "psnr_db": checker.psnr_db}
