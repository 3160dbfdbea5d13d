"""Times changes of an existing store: appends, overwrites or deletes one percent of its images."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from imgstore_tui.bench.protocol.messages import TrialResult
from imgstore_tui.bench.trial.clock import Clock
from imgstore_tui.bench.trial.read_pass import new_buffer, read_labels, read_pass
from imgstore_tui.bench.trial.setup import TimedSamples, TrialSetup
from imgstore_tui.bench.trial.verifier import Verifier
from imgstore_tui.bench.trial.write import Feeder, drain_and_measure, finish_writing
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.location import Location
from imgstore_tui.core.operations import Operation


def edit(setup: TrialSetup, location: Location, clock: Clock) -> TimedSamples:
    """Time one change of a store of N images; afterwards every image of the store is verified.

    Args:
        setup: The trial.
        location: The store; it is changed.
        clock: Times the change.

    Raises:
        StoreError: If the store cannot be changed.
        UnsupportedError: If the backend or the dataset does not allow the change.
    """
    operation = setup.request.operation
    ids, source_ids = _changed_ids(setup)
    amount = len(ids)
    batch = min(setup.batch, amount)
    feeder = Feeder(setup, batch)
    watch = setup.access.watch_close()
    clock.start()
    editor = setup.backend.edit(location, setup.request.sync)
    clock.lap("open")
    clock.stop()
    try:
        for start in range(0, amount, batch):
            batch_ids = ids[start : start + batch]
            if operation is Operation.DELETE:
                clock.start()
                editor.delete(batch_ids)
                clock.lap("storage")
                clock.stop()
            else:
                feeder.feed(editor, batch_ids, [source_ids[image_id] for image_id in batch_ids], clock)
            setup.report(start + len(batch_ids))
        sync_count = finish_writing(setup, editor, location, clock)
        watch.closed([location])
    except BaseException:
        editor.abort()
        raise
    finally:
        feeder.close()
    pixels = None
    if operation is not Operation.DELETE:
        pixels = setup.pixel_cache.pixel_bytes_of([source_ids[image_id] for image_id in ids])
    else:
        for image_id in ids:
            del source_ids[image_id]

    def complete(result: TrialResult) -> TrialResult:
        result = drain_and_measure(result, setup, location)
        watch.check(result.seconds)
        _verify(setup, location, source_ids, ids if operation is Operation.DELETE else ())
        return replace(result, sync_count=sync_count, verified=True)

    return TimedSamples([clock.take_sample(pixels)], complete)


def _changed_ids(setup: TrialSetup) -> tuple[Sequence[int], dict[int, int]]:
    """Return the ids that are changed, ascending, and by every id of the store the source's id of its image then.

    Raises:
        UnsupportedError: If images are to be overwritten and the source has one only.
    """
    operation, count = setup.request.operation, setup.request.cutoff
    amount = operation.images(count)
    source_ids = {image_id: image_id for image_id in range(count)}
    if operation is Operation.APPEND:
        added = range(count, count + amount)
        return added, source_ids | {image_id: image_id for image_id in added}
    order = random.Random(setup.request.seed)  # noqa: S311 - an order, not a secret
    ids = sorted(order.sample(range(count), amount))
    if operation is Operation.OVERWRITE:
        if setup.pixel_cache.distinct < 2:
            raise UnsupportedError("Overwriting needs two images, to see that one took the other's place.")
        source_ids |= {image_id: image_id + 1 for image_id in ids}
    return ids, source_ids


def _verify(setup: TrialSetup, location: Location, source_ids: dict[int, int], deleted: Sequence[int]) -> None:
    verifier = Verifier(setup.pixel_cache, setup.codec, source_ids)
    ids = sorted(source_ids)
    expected = setup.pixel_cache.labels_of([source_ids[image_id] for image_id in ids])
    verifier.check_labels(read_labels(setup, location, Clock()), expected)
    buffer = new_buffer(setup, setup.batch)
    batches = [ids[start : start + setup.batch] for start in range(0, len(ids), setup.batch)]
    read_pass(setup, location, batches, buffer, Clock(), verifier)
    with setup.backend.open(location) as reader:
        for image_id in deleted:
            try:
                buffer.fetch(reader, [image_id])
            except StoreError:
                continue
            raise StoreError(f"Image {image_id} was deleted and can still be read.")
