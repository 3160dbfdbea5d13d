"""A trial, inside its own process: what comes before the clock, what is recorded, what comes after."""

from __future__ import annotations

import contextlib
import gc
import os
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.bench.protocol.shared_progress import SharedProgress
from imgstore_tui.bench.system.page_frames import recycle_page_frames
from imgstore_tui.bench.trial.clock import Clock, Sample, Snapshot
from imgstore_tui.bench.trial.edit import change
from imgstore_tui.bench.trial.probe import run_probe
from imgstore_tui.bench.trial.read import read, read_labels, use_store, verify
from imgstore_tui.bench.trial.settle import drain, wait_for_writeback
from imgstore_tui.bench.trial.setup import TrialSetup
from imgstore_tui.bench.trial.write import destroy, write, write_many, write_one
from imgstore_tui.core.operations import Operation

FOREIGN_WINDOW_S = 0.2
"""Below this the kernel's 10 ms ticks cannot tell how busy others were."""


def run_request(request: TrialRequest, progress: SharedProgress) -> dict[str, Any]:
    """Do a request in this process and return the measurement's fields.

    Raises:
        ImgstoreError: With the sentence that becomes the row's reason.
    """
    if request.step is Step.HELLO:
        return {}
    location = Path(request.location)
    if request.step is Step.DESTROY:
        destroy(request, location)
        return {}
    setup = TrialSetup.of(request, progress.report)
    if request.step is Step.PROBE:
        return run_probe(setup, location)
    if request.step is Step.VERIFY:
        return verify(setup, location, request.cutoff)
    if request.step is Step.PREPARE:
        write(setup, location, request.cutoff, Clock())
        drain(setup.backend, location)
        return {}
    with contextlib.ExitStack() as leftovers:
        _warm_up(setup, leftovers)
        if request.workers == 1 or request.operation.writes:
            leftovers.close()
        return _measure(setup, location, progress)


def _measure(setup: TrialSetup, location: Path, progress: SharedProgress) -> dict[str, Any]:
    """Do the operation on the clock; return the measurement's fields."""
    request = setup.request
    if request.operation.writes:
        # Twice the pixels: what the store takes, and what its writer may hold before it is written.
        recycle_page_frames(
            Path(request.workspace), 2 * setup.pixel_cache.pixel_bytes(request.operation.images(request.cutoff))
        )
    wait_for_writeback()
    gc.collect()
    gc.disable()
    clock, started_at = Clock(progress), datetime.now(UTC).isoformat(timespec="milliseconds")
    if request.operation is Operation.WRITE_ONE:
        samples, finish = write_one(setup, location, clock)
    elif request.operation is Operation.WRITE_MANY:
        samples, finish = write_many(setup, location, clock)
    elif request.operation.changes:
        samples, finish = change(setup, location, clock)
    else:
        samples, finish = read(setup, location, clock)
    fields = _record(clock, samples, started_at)
    progress.measure(False)
    gc.enable()
    return {"batch": setup.most_a_call, **fields, **finish()}


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
        "pixel_bytes": chosen.pixel_bytes or None,
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


def _warm_up(setup: TrialSetup, leftovers: contextlib.ExitStack) -> None:
    """Use backend and codec once on a dummy store, so that no import or library start-up is on the clock.

    Args:
        setup: What to use; gets the dummy, because reading processes must use the library once, too.
        leftovers: Removes the dummy.
    """
    if setup.in_place:
        # There is no second one of the user's folder, and none is made: its first picture serves.
        use_store(setup, Path(setup.request.location))
        return
    # A name of this process's own: what a trial that died here has left is in nobody's way.
    setup.dummy = Path(setup.request.workspace) / f"dummy-{os.getpid()}"
    leftovers.callback(_remove, setup, setup.dummy)
    write(setup.unreported(), setup.dummy, 1, Clock())
    use_store(setup, setup.dummy)
    read_labels(setup, setup.dummy, Clock())


def _remove(setup: TrialSetup, store: Path) -> None:
    if store.exists():
        setup.backend.destroy(store)
