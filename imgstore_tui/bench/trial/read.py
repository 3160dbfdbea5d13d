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
from imgstore_tui.bench.trial.read_buffer import ReadBuffer, Verifier
from imgstore_tui.bench.trial.read_workers import read_in_processes
from imgstore_tui.bench.trial.setup import MOST_SAMPLES, SHUFFLE_BATCH, TimedSamples, TrialSetup, sample_numbers
from imgstore_tui.core.backend import Reader
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.operations import Operation

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels

COLD_SAMPLING_S = 3.0
"""A cold trial takes no further sample after so many seconds, evictions included."""

Batches = Sequence[Sequence[int]]


def read(setup: TrialSetup, location: Path, clock: Clock) -> TimedSamples:
    """Time the reading operation that the request names, in the cache state that it names.

    What is timed is also checked, off the clock: hot on a first pass, which warms the cache too; cold on a last one.
    """
    match setup.request.operation:
        case Operation.READ_LABELS:
            timing = _labels(setup, location, clock)
        case Operation.READ_ONE:
            timing = _read_one(setup, location, clock)
        case Operation.GET_ONE:
            timing = _get_one(setup, location, clock)
        case _:
            timing = _read_all(setup, location, clock)
    if not setup.cold:
        timing.check()
    samples: list[Sample] = []
    before = prepare_cache(setup, location)
    for number in sample_numbers(samples, most=timing.most, wall_s=COLD_SAMPLING_S if setup.cold else None):
        if setup.cold and number:
            # What is told of several is the worst.
            before = max(before or 0.0, prepare_cache(setup, location) or 0.0)
        timing.run(number)
        samples.append(clock.take_sample(timing.pixel_bytes(number)))

    def finish() -> dict[str, Any]:
        after = resident_share(setup.backend.files(location))
        if setup.cold:
            timing.check()
        timing.close()
        return {
            "verified": True,
            "resident_before": before,
            "resident_after": after,
            "cache_proof": proof(setup, before),
            # Nobody writes the user's own files, so nobody else weighs them.
            **(disk_fields(setup, location) if setup.in_place else {}),
        }

    return samples, finish


def disk_fields(setup: TrialSetup, location: Path) -> dict[str, Any]:
    """Return the fields of a measurement that say what a store weighs."""
    usage = setup.backend.disk_usage(location)
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


def _labels(setup: TrialSetup, location: Path, clock: Clock) -> _Timing:
    expected = setup.pixel_cache.labels_of(range(setup.request.cutoff))
    verifier = Verifier(setup.pixel_cache, setup.codec)

    def run(_: int, clock: Clock = clock) -> None:
        verifier.labels(read_labels(setup, location, clock), expected)

    return _Timing(run, lambda: run(0, Clock()))


def _some_ids(setup: TrialSetup) -> list[int]:
    order = random.Random(setup.request.seed)  # noqa: S311 - an order, not a secret
    return [order.randrange(setup.request.cutoff) for _ in range(MOST_SAMPLES)]


def _read_one(setup: TrialSetup, location: Path, clock: Clock) -> _Timing:
    ids, buffer, verifier = (
        _some_ids(setup),
        ReadBuffer(setup.pixel_cache, setup.codec, setup.kind, 1),
        Verifier(setup.pixel_cache, setup.codec),
    )

    def check() -> None:
        for image_id in ids:
            read_pass(setup, location, [[image_id]], buffer, Clock(), verifier)

    def run(number: int) -> None:
        read_pass(setup, location, [[ids[number]]], buffer, clock)

    return _Timing(run, check, lambda number: setup.pixel_cache.pixel_bytes_of([ids[number]]))


def _get_one(setup: TrialSetup, location: Path, clock: Clock) -> _Timing:
    if setup.cold:
        raise UnsupportedError("get-one reads from an open store, whose pages cannot be proven cold. Use read-one.")
    ids, buffer, verifier = (
        _some_ids(setup),
        ReadBuffer(setup.pixel_cache, setup.codec, setup.kind, 1),
        Verifier(setup.pixel_cache, setup.codec),
    )
    reader = setup.backend.open(location)

    def check() -> None:
        for image_id in ids:
            _read_batch(setup, reader, [image_id], buffer, Clock(), verifier)

    def run(number: int) -> None:
        _read_batch(setup, reader, [ids[number]], buffer, clock, None)

    return _Timing(run, check, lambda number: setup.pixel_cache.pixel_bytes_of([ids[number]]), close=reader.close)


def _read_all(setup: TrialSetup, location: Path, clock: Clock) -> _Timing:
    batches = _batches(setup)

    def reader(verifier: Verifier | None) -> Callable[[Batches, Clock], None]:
        # Each process fills its own memory and uses the library once before it says that it is ready: what a forked
        # process touches for the first time is copied for it, which takes longer than opening a store does.
        if setup.request.workers > 1 and setup.dummy is not None:
            use_store(setup, setup.dummy)
        buffer = ReadBuffer(setup.pixel_cache, setup.codec, setup.kind, len(batches[0]))
        return lambda part, own: read_pass(setup, location, part, buffer, own, verifier)

    alone = reader(None) if setup.request.workers == 1 else None

    def run(_: int) -> None:
        if alone is None:
            read_in_processes(setup.request.workers, batches, lambda: reader(None), clock)
        else:
            alone(batches, clock)

    def check() -> None:
        if alone is None:
            read_in_processes(
                setup.request.workers, batches, lambda: reader(Verifier(setup.pixel_cache, setup.codec)), Clock()
            )
        else:
            reader(Verifier(setup.pixel_cache, setup.codec))(batches, Clock())

    return _Timing(run, check, lambda _: setup.pixel_cache.pixel_bytes(setup.request.cutoff), most=1)


def _batches(setup: TrialSetup) -> Batches:
    """Return the ids of each call: in order, or all once in a seeded shuffled order."""
    count, most = setup.request.cutoff, setup.batch
    if setup.request.operation is Operation.READ_MANY:
        return in_order(count, most)
    order = list(range(count))
    random.Random(setup.request.seed).shuffle(order)  # noqa: S311 - an order, not a secret
    size = min(SHUFFLE_BATCH, most)
    return [order[start : start + size] for start in range(0, count, size)]


def in_order(count: int, most: int) -> Batches:
    """Return all ids, ``most`` a call."""
    return [range(start, min(start + most, count)) for start in range(0, count, most)]


def use_store(setup: TrialSetup, location: Path) -> None:
    """Read the first image of a store, off every clock."""
    read_pass(
        setup.unreported(), location, [range(1)], ReadBuffer(setup.pixel_cache, setup.codec, setup.kind, 1), Clock()
    )


def read_pass(
    setup: TrialSetup,
    location: Path,
    batches: Batches,
    buffer: ReadBuffer,
    clock: Clock,
    verifier: Verifier | None = None,
) -> None:
    """Open, read the batches into the buffer, close; each batch is checked where a verifier is given."""
    if verifier is None:
        with clock.running():
            _pass(setup, location, batches, buffer, clock, None)
    else:
        _pass(setup, location, batches, buffer, clock, verifier)
    setup.report(sum(map(len, batches)))


def _pass(
    setup: TrialSetup, location: Path, batches: Batches, buffer: ReadBuffer, clock: Clock, verifier: Verifier | None
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
            _read_batch(setup, reader, ids, buffer, clock, verifier)
            done += len(ids)
    except BaseException:
        reader.close()
        raise
    clock.start()
    reader.close()
    clock.lap("close")
    clock.stop()


def _read_batch(
    setup: TrialSetup, reader: Reader, ids: Sequence[int], buffer: ReadBuffer, clock: Clock, verifier: Verifier | None
) -> None:
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
        verifier.batch(ids, buffer)


def read_labels(setup: TrialSetup, location: Path, clock: Clock) -> Labels:
    """Open, read all labels, close."""
    clock.start()
    reader = setup.backend.open(location)
    clock.lap("open")
    labels = reader.read_labels()
    clock.lap("storage")
    reader.close()
    clock.lap("close")
    clock.stop()
    # A copy made after the close: what a store hands out must be the caller's own.
    return np.array(labels)


def verify(setup: TrialSetup, location: Path, count: int) -> dict[str, Any]:
    """Read every image and label back and compare with the source.

    Raises:
        StoreError: For the first difference.
    """
    verifier = Verifier(setup.pixel_cache, setup.codec)
    verifier.labels(read_labels(setup, location, Clock()), setup.pixel_cache.labels_of(range(count)))
    batches = in_order(count, min(setup.batch, count))
    read_pass(
        setup,
        location,
        batches,
        ReadBuffer(setup.pixel_cache, setup.codec, setup.kind, len(batches[0])),
        Clock(),
        verifier,
    )
    return {"verified": True, "psnr_db": verifier.psnr_db}
