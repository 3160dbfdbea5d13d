"""Changing a store that is there, inside a trial: append, overwrite, delete a hundredth of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgstore_tui.bench.trial.clock import Clock
from imgstore_tui.bench.trial.read import read_labels, read_pass
from imgstore_tui.bench.trial.read_buffer import ReadBuffer, Verifier
from imgstore_tui.bench.trial.setup import TimedSamples, TrialSetup
from imgstore_tui.bench.trial.write import Feeder, drain_and_measure, finish_writing
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import Operation


def change(setup: TrialSetup, location: Path, clock: Clock) -> TimedSamples:
    """Time one change of a store of N images; afterwards every image must be what it then should be."""
    operation, count = setup.request.operation, setup.request.cutoff
    amount = operation.images(count)
    # Which image of the source stands under each id once all is done.
    expected = {image_id: image_id for image_id in range(count)}
    ids: Sequence[int]
    if operation is Operation.APPEND:
        ids = range(count, count + amount)
        expected |= {image_id: image_id for image_id in ids}
    else:
        order = random.Random(setup.request.seed)  # noqa: S311 - an order, not a secret
        ids = sorted(order.sample(range(count), amount))
        if operation is Operation.OVERWRITE:
            if setup.pixel_cache.distinct < 2:
                raise UnsupportedError("Overwriting needs two images, to see that one took the other's place.")
            expected |= {image_id: image_id + 1 for image_id in ids}
    batch = min(setup.batch, amount)
    feeder = Feeder(setup, batch)
    clock.start()
    editor = setup.backend.edit(location, setup.request.sync)
    clock.lap("open")
    clock.stop()
    try:
        for start in range(0, amount, batch):
            part = ids[start : start + batch]
            if operation is Operation.DELETE:
                clock.start()
                editor.delete(part)
                clock.lap("storage")
                clock.stop()
            else:
                feeder.feed(editor, part, [expected[image_id] for image_id in part], clock)
            setup.report(start + len(part))
        synced = finish_writing(setup, editor, location, clock)
    except BaseException:
        editor.abort()
        raise
    finally:
        feeder.close()
    pixels = None
    if operation is not Operation.DELETE:
        pixels = setup.pixel_cache.pixel_bytes_of([expected[image_id] for image_id in ids])
    else:
        for image_id in ids:
            del expected[image_id]

    def finish() -> dict[str, Any]:
        weighed = drain_and_measure(setup, location)
        _verify(setup, location, expected, ids if operation is Operation.DELETE else ())
        return {"sync_count": synced, "verified": True, **weighed}

    return [clock.take_sample(pixels)], finish


def _verify(setup: TrialSetup, location: Path, expected: dict[int, int], gone: Sequence[int]) -> None:
    verifier = Verifier(setup.pixel_cache, setup.codec, expected)
    kept = sorted(expected)
    wanted = setup.pixel_cache.labels_of([expected[image_id] for image_id in kept])
    verifier.labels(read_labels(setup, location, Clock()), wanted)
    buffer = ReadBuffer(setup.pixel_cache, setup.codec, setup.kind, setup.batch)
    batches = [kept[start : start + setup.batch] for start in range(0, len(kept), setup.batch)]
    read_pass(setup, location, batches, buffer, Clock(), verifier)
    with setup.backend.open(location) as reader:
        for image_id in gone:
            try:
                buffer.fetch(reader, [image_id])
            except StoreError:
                continue
            raise StoreError(f"Image {image_id} was deleted and can still be read.")
