"""Reading, inside a trial: a first pass that is checked, then the passes that count."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.bench.system.page_cache import resident_share
from imgstore_tui.bench.trial.cache_state import prepare_cache, proof
from imgstore_tui.bench.trial.clock import Clock, Sample
from imgstore_tui.bench.trial.read_buffer import Checker, Sink
from imgstore_tui.bench.trial.read_workers import read_in_processes
from imgstore_tui.bench.trial.setup import MOST_SAMPLES, SHUFFLE_BATCH, Rig, Taken, sampling
from imgstore_tui.core.backend import Reader
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.operations import Operation

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels

COLD_SAMPLING_S = 3.0
"""A cold trial takes no further sample after so many seconds, evictions included."""

Batches = Sequence[Sequence[int]]


def read(rig: Rig, location: Path, clock: Clock) -> Taken:
    """Time the reading operation that the job names, in the cache state that it names.

    What is timed is also checked, off the clock: hot on a first pass, which warms the cache too; cold on a last one.
    """
    match rig.job.operation:
        case Operation.READ_LABELS:
            timing = _labels(rig, location, clock)
        case Operation.READ_ONE:
            timing = _read_one(rig, location, clock)
        case Operation.GET_ONE:
            timing = _get_one(rig, location, clock)
        case _:
            timing = _read_all(rig, location, clock)
    if not rig.cold:
        timing.check()
    samples: list[Sample] = []
    before = prepare_cache(rig, location)
    for number in sampling(samples, most=timing.most, wall_s=COLD_SAMPLING_S if rig.cold else None):
        if rig.cold and number:
            # What is told of several is the worst.
            before = max(before or 0.0, prepare_cache(rig, location) or 0.0)
        timing.run(number)
        samples.append(clock.take_sample(timing.pixel_bytes(number)))

    def finish() -> dict[str, Any]:
        after = resident_share(rig.backend.files(location))
        if rig.cold:
            timing.check()
        timing.close()
        return {
            "verified": True,
            "resident_before": before,
            "resident_after": after,
            "cache_proof": proof(rig, before),
            # Nobody writes the user's own files, so nobody else weighs them.
            **(disk_fields(rig, location) if rig.in_place else {}),
        }

    return samples, finish


def disk_fields(rig: Rig, location: Path) -> dict[str, Any]:
    """Return the fields of a measurement that say what a store weighs."""
    usage = rig.backend.disk_usage(location)
    return {
        "apparent_bytes": usage.apparent_bytes,
        "allocated_bytes": usage.allocated_bytes,
        "files": usage.files,
    }


@dataclass(frozen=True, slots=True)
class _Timing:
    """One reading operation: what is run on the clock, and the same with a check."""

    run: Callable[[int], None]
    """Run sample 0, 1, ..."""
    check: Callable[[], None]
    pixel_bytes: Callable[[int], int | None] = lambda _: None
    """Bytes of the pixels that sample 0, 1, ... handles."""
    most: int = MOST_SAMPLES
    close: Callable[[], None] = lambda: None


def _labels(rig: Rig, location: Path, clock: Clock) -> _Timing:
    expected = rig.source.labels_of(range(rig.job.cutoff))
    checker = Checker(rig.source, rig.codec)

    def run(_: int, clock: Clock = clock) -> None:
        checker.labels(read_labels(rig, location, clock), expected)

    return _Timing(run, lambda: run(0, Clock()))


def _some_ids(rig: Rig) -> list[int]:
    order = random.Random(rig.job.seed)  # noqa: S311 - an order, not a secret
    return [order.randrange(rig.job.cutoff) for _ in range(MOST_SAMPLES)]


def _read_one(rig: Rig, location: Path, clock: Clock) -> _Timing:
    ids, sink, checker = _some_ids(rig), Sink(rig.source, rig.codec, rig.kind, 1), Checker(rig.source, rig.codec)

    def check() -> None:
        for image_id in ids:
            read_pass(rig, location, [[image_id]], sink, Clock(), checker)

    def run(number: int) -> None:
        read_pass(rig, location, [[ids[number]]], sink, clock)

    return _Timing(run, check, lambda number: rig.source.pixel_bytes_of([ids[number]]))


def _get_one(rig: Rig, location: Path, clock: Clock) -> _Timing:
    if rig.cold:
        raise UnsupportedError("get-one reads from an open store, whose pages cannot be proven cold. Use read-one.")
    ids, sink, checker = _some_ids(rig), Sink(rig.source, rig.codec, rig.kind, 1), Checker(rig.source, rig.codec)
    reader = rig.backend.open(location)

    def check() -> None:
        for image_id in ids:
            _read_batch(rig, reader, [image_id], sink, Clock(), checker)

    def run(number: int) -> None:
        _read_batch(rig, reader, [ids[number]], sink, clock, None)

    return _Timing(run, check, lambda number: rig.source.pixel_bytes_of([ids[number]]), close=reader.close)


def _read_all(rig: Rig, location: Path, clock: Clock) -> _Timing:
    batches = _batches(rig)

    def reader(checker: Checker | None) -> Callable[[Batches, Clock], None]:
        # Each process fills its own memory and uses the library once before it says that it is ready: what a forked
        # process touches for the first time is copied for it, which takes longer than opening a store does.
        if rig.job.workers > 1 and rig.dummy is not None:
            use_store(rig, rig.dummy)
        sink = Sink(rig.source, rig.codec, rig.kind, len(batches[0]))
        return lambda part, own: read_pass(rig, location, part, sink, own, checker)

    alone = reader(None) if rig.job.workers == 1 else None

    def run(_: int) -> None:
        if alone is None:
            read_in_processes(rig.job.workers, batches, lambda: reader(None), clock)
        else:
            alone(batches, clock)

    def check() -> None:
        if alone is None:
            read_in_processes(rig.job.workers, batches, lambda: reader(Checker(rig.source, rig.codec)), Clock())
        else:
            reader(Checker(rig.source, rig.codec))(batches, Clock())

    return _Timing(run, check, lambda _: rig.source.pixel_bytes(rig.job.cutoff), most=1)


def _batches(rig: Rig) -> Batches:
    """Return the ids of each call: in order, or all once in a seeded shuffled order."""
    count, most = rig.job.cutoff, rig.batch
    if rig.job.operation is Operation.READ_MANY:
        return in_order(count, most)
    order = list(range(count))
    random.Random(rig.job.seed).shuffle(order)  # noqa: S311 - an order, not a secret
    size = min(SHUFFLE_BATCH, most)
    return [order[start : start + size] for start in range(0, count, size)]


def in_order(count: int, most: int) -> Batches:
    """Return all ids, ``most`` a call."""
    return [range(start, min(start + most, count)) for start in range(0, count, most)]


def use_store(rig: Rig, location: Path) -> None:
    """Read the first image of a store, off every clock."""
    read_pass(rig.unreported(), location, [range(1)], Sink(rig.source, rig.codec, rig.kind, 1), Clock())


def read_pass(
    rig: Rig, location: Path, batches: Batches, sink: Sink, clock: Clock, checker: Checker | None = None
) -> None:
    """Open, read the batches into the sink, close; each batch is checked where a checker is given."""
    if checker is None:
        with clock.running():
            _pass(rig, location, batches, sink, clock, None)
    else:
        _pass(rig, location, batches, sink, clock, checker)
    rig.report(sum(map(len, batches)))


def _pass(rig: Rig, location: Path, batches: Batches, sink: Sink, clock: Clock, checker: Checker | None) -> None:
    clock.start()
    reader = rig.backend.open(location)
    clock.lap("open")
    clock.stop()
    done = 0
    try:
        for ids in batches:
            if done:
                rig.report(done)
            _read_batch(rig, reader, ids, sink, clock, checker)
            done += len(ids)
    except BaseException:
        reader.close()
        raise
    clock.start()
    reader.close()
    clock.lap("close")
    clock.stop()


def _read_batch(
    rig: Rig, reader: Reader, ids: Sequence[int], sink: Sink, clock: Clock, checker: Checker | None
) -> None:
    clock.start()
    sink.fetch(reader, ids)
    clock.lap("storage")
    if rig.codec_timed and sink.encoded:
        sink.decode()
        clock.lap("codec")
    clock.stop()
    if checker is not None:
        # The user's files are compared as bytes: they need not be decoded for it.
        if sink.encoded and not rig.codec_timed and not rig.codec.from_file:
            sink.decode()
        checker.batch(ids, sink)


def read_labels(rig: Rig, location: Path, clock: Clock) -> Labels:
    """Open, read all labels, close."""
    clock.start()
    reader = rig.backend.open(location)
    clock.lap("open")
    labels = reader.read_labels()
    clock.lap("storage")
    reader.close()
    clock.lap("close")
    clock.stop()
    # A copy made after the close: what a store hands out must be the caller's own.
    return np.array(labels)


def verify(rig: Rig, location: Path, count: int) -> dict[str, Any]:
    """Read every image and label back and compare with the source.

    Raises:
        StoreError: For the first difference.
    """
    checker = Checker(rig.source, rig.codec)
    checker.labels(read_labels(rig, location, Clock()), rig.source.labels_of(range(count)))
    batches = in_order(count, min(rig.batch, count))
    read_pass(rig, location, batches, Sink(rig.source, rig.codec, rig.kind, len(batches[0])), Clock(), checker)
    return {"verified": True, "psnr_db": checker.psnr_db}
