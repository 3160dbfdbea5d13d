"""Turns the outcome of a trial into a measurement, with the warnings of its row."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.bench.protocol.messages import TrialOutcome
from imgstore_tui.core.model import Cell, DatasetFacts, Measurement
from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.units import counted
from imgstore_tui.plugins.saved_specs import access_of

BUSY_NEIGHBOURS = 0.2
"""Cores kept busy by other processes from which on a row carries a warning."""
HOT_SHARE = 0.99
"""Least share of a store in the page cache for a hot row without a warning."""

SKIPPED_BY_USER = "Skipped by the user."

_WITH_WORKERS = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)
"""Operations in which several workers take part; the others have one, whatever the plan says."""


def measurement_of(
    cell: Cell, spec: Spec, number: int, outcome: TrialOutcome, *, facts: DatasetFacts, batch: int
) -> Measurement:
    """Return the measurement of one trial.

    Args:
        cell: What was measured.
        spec: Its storage method.
        number: The round.
        outcome: How the trial ended.
        facts: The cell's dataset.
        batch: Images per call in the plan, for a trial that did not come to measuring its own.

    Returns:
        The measurement. A trial that failed has no times: without verification there is no score.
    """
    result = outcome.result
    measurement = Measurement(
        spec=spec.label,
        backend=spec.backend,
        codec=spec.codec,
        preset=spec.preset,
        options=spec.all_options,
        dataset=cell.dataset,
        operation=cell.operation,
        cutoff=cell.cutoff,
        round=number,
        payload=cell.payload,
        workers=cell.workers,
        cache=cell.cache,
        sync=cell.sync,
        status=outcome.status,
        reason=outcome.reason,
        scratch=cell.scratch,
        batch=batch if result.batch is None else result.batch,
        start=outcome.start,
        seconds=result.seconds if outcome.ok else None,
        samples=result.samples if outcome.ok else (),
        pixel_bytes=result.pixel_bytes,
        open_s=result.open_s,
        storage_s=result.storage_s,
        codec_s=result.codec_s,
        sync_s=result.sync_s,
        close_s=result.close_s,
        cpu_user_s=result.cpu_user_s,
        cpu_system_s=result.cpu_system_s,
        foreign_cpu=result.foreign_cpu,
        peak_private_bytes=result.peak_private_bytes,
        io_read_bytes=result.io_read_bytes,
        io_dirtied_bytes=result.io_dirtied_bytes,
        resident_before=result.resident_before,
        resident_after=result.resident_after,
        cache_proof=result.cache_proof,
        apparent_bytes=result.apparent_bytes,
        allocated_bytes=result.allocated_bytes,
        files=result.files,
        disk_parts=result.disk_parts,
        server_log_bytes=result.server_log_bytes,
        verified=result.verified,
        psnr_db=result.psnr_db,
        sync_count=result.sync_count,
        server=result.server,
        round_trip_s=result.round_trip_s,
        requests=result.requests,
        retries=result.retries,
        started_at=result.started_at,
        elapsed_s=result.elapsed_s,
        drain_s=result.drain_s,
        dirty_before=result.dirty_before,
        access=access_of(spec, cell.operation, cell.payload, uniform=facts.shape is not None),
    )
    return replace(measurement, warnings=_warnings_of(measurement, facts))


def _warnings_of(measurement: Measurement, facts: DatasetFacts) -> tuple[str, ...]:
    warnings = []
    if measurement.workers > 1 and measurement.operation in _WITH_WORKERS:
        warnings.append("phases are the workers' seconds added up: they overlap")
    if measurement.cutoff > facts.used:
        warnings.append(f"{counted(facts.used, 'image')} repeated to {measurement.cutoff:,}")
    if measurement.foreign_cpu is not None and measurement.foreign_cpu > BUSY_NEIGHBOURS:
        warnings.append(f"noisy: other programs used {measurement.foreign_cpu:.1f} cores")
    resident = measurement.resident_before if measurement.cache is CacheState.HOT else None
    if resident is not None and resident < HOT_SHARE:
        warnings.append(f"hot, yet only {resident:.0%} of the store was in memory")
    if measurement.cache is CacheState.COLD and measurement.seconds is not None and measurement.io_read_bytes == 0:
        # The second witness: mincore has seen the files' pages only.
        warnings.append("cold, yet the kernel fetched nothing: it lay with the metadata, or in a cache below")
    return tuple(warnings)
