"""Times the reading operations: one checked pass off the clock, then the passes that count."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from imgstore_tui.bench.protocol.messages import TrialResult
from imgstore_tui.bench.trial.clock import Clock, Sample
from imgstore_tui.bench.trial.read_buffer import ReadBuffer
from imgstore_tui.bench.trial.read_pass import (
    Batches,
    in_order,
    new_buffer,
    read_batch,
    read_labels,
    read_pass,
    use_store,
    with_disk_usage,
)
from imgstore_tui.bench.trial.read_workers import read_in_processes
from imgstore_tui.bench.trial.setup import MOST_SAMPLES, TimedSamples, TrialSetup, sample_numbers
from imgstore_tui.bench.trial.spot_check import SpotCheck
from imgstore_tui.bench.trial.verifier import Verifier
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.location import Location
from imgstore_tui.core.operations import SHUFFLE_BATCH, Operation

COLD_SAMPLING_S = 3.0
"""Seconds after which a cold trial takes no further sample, evictions included."""


def read(setup: TrialSetup, location: Location, clock: Clock) -> TimedSamples:
    """Time the reading operation of a request, in the cache state of the request.

    One more pass is compared in full, off the clock: hot the first, which warms the cache too; cold the last. What is
    timed is compared with it, see ``spot_check``.

    Args:
        setup: The trial.
        location: The store.
        clock: Times each sample.

    Raises:
        StoreError: If the store cannot be read, or holds other images or labels than the source.
        UnsupportedError: If the store cannot be made cold.
    """
    match setup.request.operation:
        case Operation.READ_LABELS:
            timing = _read_labels(setup, location, clock)
        case Operation.READ_ONE:
            timing = _read_one(setup, location, clock)
        case Operation.GET_ONE:
            timing = _get_one(setup, location, clock)
        case _:
            timing = _read_all(setup, location, clock)
    if not setup.cold:
        timing.check()
    samples: list[Sample] = []
    fetched: list[int] = []
    before = setup.access.prepare_cache(location)
    for number in sample_numbers(samples, most=timing.most, wall_s=COLD_SAMPLING_S if setup.cold else None):
        if setup.cold and number:
            # Of several samples the worst residency is recorded.
            before = max(before or 0.0, setup.access.prepare_cache(location) or 0.0)
        so_far = clock.io_read_bytes
        timing.run(number)
        fetched.append(clock.io_read_bytes - so_far)
        samples.append(clock.take_sample(timing.pixel_bytes(number)))

    def complete(result: TrialResult) -> TrialResult:
        after = setup.access.resident(location)
        if setup.cold:
            timing.check()
        timing.close()
        timing.compare(len(samples))
        if setup.cold and (contents := timing.contents(len(samples))):
            setup.access.check_fetched(location, fetched, contents)
        # The user's own files are never written, so no write trial measures them.
        result = with_disk_usage(result, setup, location) if setup.in_place else result
        return replace(
            result,
            verified=True,
            resident_before=before,
            resident_after=after,
            cache_proof=setup.access.cache_proof(before),
        )

    return TimedSamples(samples, complete)


@dataclass(frozen=True, slots=True)
class _Timing:
    """One reading operation: what is run on the clock, and the same with a check."""

    run: Callable[[int], None]
    """Runs sample 0, 1, ..."""
    check: Callable[[], None]
    pixel_bytes: Callable[[int], int | None] = lambda _: None
    """Returns the bytes of the pixels of sample 0, 1, ..."""
    compare: Callable[[int], None] = lambda _: None
    """Compares what a number of samples has brought with what the check has brought."""
    contents: Callable[[int], list[int]] = lambda _: []
    """Returns the bytes of payloads or pixels that each of a number of samples has read; empty where it reads none."""
    most: int = MOST_SAMPLES
    close: Callable[[], None] = lambda: None


def _read_labels(setup: TrialSetup, location: Location, clock: Clock) -> _Timing:
    expected = setup.pixel_cache.labels_of(range(setup.request.cutoff))
    verifier = Verifier(setup.pixel_cache, setup.codec)

    def run(_: int, clock: Clock = clock) -> None:
        verifier.check_labels(read_labels(setup, location, clock), expected)

    return _Timing(run, lambda: run(0, Clock()))


def _payloads_alone(setup: TrialSetup) -> bool:
    return setup.payload_kind is PayloadKind.BYTES and not setup.codec_timed


def _random_ids(setup: TrialSetup) -> list[int]:
    order = random.Random(setup.request.seed)  # noqa: S311 - an order, not a secret
    return [order.randrange(setup.request.cutoff) for _ in range(MOST_SAMPLES)]


def _read_one(setup: TrialSetup, location: Location, clock: Clock) -> _Timing:
    def read_one(ids: Sequence[int], buffer: ReadBuffer, clock: Clock, verifier: Verifier | None) -> None:
        read_pass(setup, location, [ids], buffer, clock, verifier)

    return _single_reads(setup, read_one, clock)


def _get_one(setup: TrialSetup, location: Location, clock: Clock) -> _Timing:
    if setup.cold:
        raise UnsupportedError("get-one reads from an open store, whose pages cannot be proven cold. Use read-one.")
    reader = setup.backend.open(location)

    def get_one(ids: Sequence[int], buffer: ReadBuffer, clock: Clock, verifier: Verifier | None) -> None:
        requests, retries = reader.requests, reader.retries
        read_batch(setup, reader, ids, buffer, clock, verifier)
        clock.count_requests(reader.requests - requests, reader.retries - retries)

    return replace(_single_reads(setup, get_one, clock), close=reader.close)


def _single_reads(
    setup: TrialSetup,
    read: Callable[[Sequence[int], ReadBuffer, Clock, Verifier | None], None],
    clock: Clock,
) -> _Timing:
    """Return the timing of reads of one random image each; ``read`` reads one into a buffer."""
    ids, buffer, verifier = _random_ids(setup), new_buffer(setup, 1), Verifier(setup.pixel_cache, setup.codec)
    spots = SpotCheck(MOST_SAMPLES, 1, payloads=_payloads_alone(setup))
    spots.prepare(buffer)

    def check() -> None:
        for number, image_id in enumerate(ids):
            read([image_id], buffer, Clock(), verifier)
            spots.copy_checked(range(number, number + 1), buffer)

    def run(number: int) -> None:
        read([ids[number]], buffer, clock, None)
        spots.copy_timed(range(number, number + 1), buffer)

    def contents(count: int) -> list[int]:
        if buffer.encoded:
            return spots.sizes(count)
        return [setup.pixel_cache.pixel_bytes_of([image_id]) for image_id in ids[:count]]

    return _Timing(run, check, lambda number: setup.pixel_cache.pixel_bytes_of([ids[number]]), spots.compare, contents)


def _read_all(setup: TrialSetup, location: Location, clock: Clock) -> _Timing:
    batches, workers = _batches(setup), setup.request.workers
    spots = SpotCheck(setup.request.cutoff, len(batches[0]), payloads=_payloads_alone(setup))

    def prepare(verifier: Verifier | None) -> Callable[[Batches, Clock], None]:
        # Each process fills its own memory and uses the library once before it is ready: what a forked process touches
        # for the first time is copied for it, which takes longer than opening a store.
        if workers > 1 and setup.dummy is not None:
            use_store(setup, setup.dummy)
        buffer = new_buffer(setup, len(batches[0]))
        spots.prepare(buffer)
        copy_aside = spots.copy_timed if verifier is None else spots.copy_checked
        return lambda share, worker_clock: read_pass(setup, location, share, buffer, worker_clock, verifier, copy_aside)

    single = prepare(None) if workers == 1 else None

    def run(_: int) -> None:
        if single is None:
            read_in_processes(workers, batches, lambda: prepare(None), clock)
        else:
            single(batches, clock)

    def check() -> None:
        if single is None:
            read_in_processes(workers, batches, lambda: prepare(Verifier(setup.pixel_cache, setup.codec)), Clock())
        else:
            prepare(Verifier(setup.pixel_cache, setup.codec))(batches, Clock())

    pixels = setup.pixel_cache.pixel_bytes(setup.request.cutoff)

    def contents(_: int) -> list[int]:
        return [sum(spots.sizes()) or pixels]

    return _Timing(run, check, lambda _: pixels, lambda _: spots.compare(), contents, most=1)


def _batches(setup: TrialSetup) -> Batches:
    """Return the ids of each call: in order, or each once in a seeded shuffled order."""
    count, most = setup.request.cutoff, setup.batch
    if setup.request.operation is Operation.READ_MANY:
        return in_order(count, most)
    order = list(range(count))
    random.Random(setup.request.seed).shuffle(order)  # noqa: S311 - an order, not a secret
    size = min(SHUFFLE_BATCH, most)
    return [order[start : start + size] for start in range(0, count, size)]
