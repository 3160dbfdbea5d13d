"""Runs one request in its own process: what comes before the clock, the operation, what comes after."""

from __future__ import annotations

import contextlib
import gc
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from imgstore_tui.bench.protocol.messages import Step, TrialRequest, TrialResult
from imgstore_tui.bench.protocol.shared_progress import SharedProgress
from imgstore_tui.bench.system.page_cache import recycle_page_frames
from imgstore_tui.bench.trial.ceiling import timed_ceiling
from imgstore_tui.bench.trial.clock import Clock, Sample, Snapshot
from imgstore_tui.bench.trial.edit import edit
from imgstore_tui.bench.trial.probe import run_probe
from imgstore_tui.bench.trial.read import read
from imgstore_tui.bench.trial.read_pass import read_labels, use_store, verify
from imgstore_tui.bench.trial.read_workers import IN_PROCESSES, in_own_process
from imgstore_tui.bench.trial.settle import wait_for_writeback
from imgstore_tui.bench.trial.setup import TimedSamples, TrialSetup
from imgstore_tui.bench.trial.store_access import access_to
from imgstore_tui.bench.trial.write import write, write_many, write_one
from imgstore_tui.core.location import Location
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins import registry

FOREIGN_WINDOW_S = 0.2
"""Shortest time over which the kernel's 10 ms ticks tell how busy other processes were."""


def run_request(request: TrialRequest, progress: SharedProgress) -> TrialResult:
    """Run a request in this process.

    Args:
        request: What to do.
        progress: Where to report how far it is.

    Returns:
        What was measured.

    Raises:
        ImgstoreError: With the sentence that becomes the row's reason.
    """
    if request.step is Step.HELLO:
        return TrialResult()
    if request.step is Step.DESTROY:
        access_to(registry.make_backend(request.spec), request).destroy()
        return TrialResult()
    if request.step is Step.CEILING:
        result, timed = _timed(timed_ceiling(request), progress)
        return timed.complete(result)
    setup = TrialSetup.of(request, progress.report)
    if request.step is Step.PROBE:
        return run_probe(setup)
    location = setup.access.location
    if request.step is Step.VERIFY:
        return TrialResult(verified=True, psnr_db=verify(setup, location, request.cutoff))
    if request.step is Step.PREPARE:
        write(setup, location, request.cutoff, Clock())
        setup.access.drain([location])
        return TrialResult()
    if request.operation.writes:
        setup.access.check_sync()
    with contextlib.ExitStack() as leftovers:
        _warm_up(setup, leftovers)
        if request.workers == 1 or request.operation.writes:
            leftovers.close()
        return _measure(setup, location, progress)


def _measure(setup: TrialSetup, location: Location, progress: SharedProgress) -> TrialResult:
    request = setup.request
    if request.operation.writes:
        # Twice the pixels: what the store takes, and what its writer may hold before it is written.
        pixels = setup.pixel_cache.pixel_bytes(request.operation.images(request.cutoff))
        recycle_page_frames(Path(request.workspace), 2 * pixels)
    result, timed = _timed(lambda clock: _run_operation(setup, location, clock), progress)
    return timed.complete(setup.access.with_server(replace(result, batch=setup.largest_call)))


def _timed(run: Callable[[Clock], TimedSamples], progress: SharedProgress) -> tuple[TrialResult, TimedSamples]:
    """Run what is timed, with nothing of this process or of the page cache in its way."""
    wait_for_writeback()
    gc.collect()
    gc.disable()
    clock, started_at = Clock(progress), datetime.now(UTC).isoformat(timespec="milliseconds")
    timed = run(clock)
    result = replace(_result_of(clock, timed.samples), started_at=started_at)
    progress.set_measuring(False)
    gc.enable()
    return result, timed


def _run_operation(setup: TrialSetup, location: Location, clock: Clock) -> TimedSamples:
    operation = setup.request.operation
    if operation is Operation.WRITE_ONE:
        return write_one(setup, clock)
    if operation is Operation.WRITE_MANY:
        return write_many(setup, location, clock)
    if operation.changes:
        return edit(setup, location, clock)
    return read(setup, location, clock)


def _result_of(clock: Clock, samples: Sequence[Sample]) -> TrialResult:
    """Return what follows from the samples, the clock, and the snapshots at its two ends."""
    after, before = Snapshot.take(), clock.before
    if before is None:
        raise ValueError("the clock has not run")
    # The lower median is a sample that was taken, so that its phases add up to it.
    median = statistics.median_low(sample.seconds for sample in samples)
    median_sample = next(sample for sample in samples if sample.seconds == median)
    phases = median_sample.phases
    foreign, wall = None, after.wall_s - before.wall_s
    if after.busy_s is not None and before.busy_s is not None and wall >= FOREIGN_WINDOW_S:
        foreign = max(0.0, (after.busy_s - before.busy_s - (after.own_cpu_s - before.own_cpu_s)) / wall)
    return TrialResult(
        seconds=median,
        samples=tuple(sample.seconds for sample in samples),
        pixel_bytes=median_sample.pixel_bytes or None,
        open_s=phases.get("open"),
        storage_s=phases.get("storage"),
        codec_s=phases.get("codec"),
        sync_s=phases.get("sync"),
        close_s=phases.get("close"),
        cpu_user_s=clock.cpu_user_s,
        cpu_system_s=clock.cpu_system_s,
        foreign_cpu=foreign,
        private_before=before.private_bytes,
        private_after=after.private_bytes,
        io_read_bytes=clock.io_read_bytes,
        io_dirtied_bytes=clock.io_dirtied_bytes,
        requests=median_sample.requests,
        retries=median_sample.retries,
        elapsed_s=clock.elapsed_s,
        dirty_before=before.dirty_bytes,
    )


def _warm_up(setup: TrialSetup, leftovers: contextlib.ExitStack) -> None:
    """Use backend and codec once on a dummy store, so that no import or library start-up is on the clock.

    Args:
        setup: What to use; gets the dummy, because reading processes must use the library once, too.
        leftovers: Removes the dummy.
    """
    if setup.in_place:
        # The user's folder is not copied: its first picture serves.
        use_store(setup, setup.access.location)
        return
    setup.dummy = setup.access.dummy
    leftovers.callback(_remove, setup, setup.dummy)
    dummy = setup.dummy

    def use() -> None:
        write(setup.unreported(), dummy, 1, Clock())
        use_store(setup, dummy)
        read_labels(setup, dummy, Clock())

    if setup.request.workers > 1 and setup.request.operation in IN_PROCESSES:
        in_own_process(use)
    else:
        use()


def _remove(setup: TrialSetup, store: Location) -> None:
    if setup.backend.exists(store):
        setup.backend.destroy(store)
