"""Changing a store that is there, inside a trial: append, overwrite, delete a hundredth of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgstore_tui.bench.trial.clock import Clock
from imgstore_tui.bench.trial.read import read_labels, read_pass
from imgstore_tui.bench.trial.read_buffer import Checker, Sink
from imgstore_tui.bench.trial.setup import Rig, Taken
from imgstore_tui.bench.trial.write import Feeder, drain_and_weigh, finish_writing
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import Operation


def change(rig: Rig, location: Path, clock: Clock) -> Taken:
    """Time one change of a store of N images; afterwards every image must be what it then should be."""
    operation, count = rig.job.operation, rig.job.cutoff
    amount = operation.images(count)
    # Which image of the source stands under each id once all is done.
    expected = {image_id: image_id for image_id in range(count)}
    ids: Sequence[int]
    if operation is Operation.APPEND:
        ids = range(count, count + amount)
        expected |= {image_id: image_id for image_id in ids}
    else:
        order = random.Random(rig.job.seed)  # noqa: S311 - an order, not a secret
        ids = sorted(order.sample(range(count), amount))
        if operation is Operation.OVERWRITE:
            if rig.source.distinct < 2:
                raise UnsupportedError("Overwriting needs two images, to see that one took the other's place.")
            expected |= {image_id: image_id + 1 for image_id in ids}
    batch = min(rig.batch, amount)
    feeder = Feeder(rig, batch)
    clock.start()
    editor = rig.backend.edit(location, rig.job.sync)
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
            rig.report(start + len(part))
        synced = finish_writing(rig, editor, location, clock)
    except BaseException:
        editor.abort()
        raise
    finally:
        feeder.close()
    pixels = None
    if operation is not Operation.DELETE:
        pixels = rig.source.pixel_bytes_of([expected[image_id] for image_id in ids])
    else:
        for image_id in ids:
            del expected[image_id]

    def finish() -> dict[str, Any]:
        weighed = drain_and_weigh(rig, location)
        _verify(rig, location, expected, ids if operation is Operation.DELETE else ())
        return {"sync_count": synced, "verified": True, **weighed}

    return [clock.take_sample(pixels)], finish


def _verify(rig: Rig, location: Path, expected: dict[int, int], gone: Sequence[int]) -> None:
    checker = Checker(rig.source, rig.codec, expected)
    kept = sorted(expected)
    wanted = rig.source.labels_of([expected[image_id] for image_id in kept])
    checker.labels(read_labels(rig, location, Clock()), wanted)
    sink = Sink(rig.source, rig.codec, rig.kind, rig.batch)
    batches = [kept[start : start + rig.batch] for start in range(0, len(kept), rig.batch)]
    read_pass(rig, location, batches, sink, Clock(), checker)
    with rig.backend.open(location) as reader:
        for image_id in gone:
            try:
                sink.fetch(reader, [image_id])
            except StoreError:
                continue
            raise StoreError(f"Image {image_id} was deleted and can still be read.")
