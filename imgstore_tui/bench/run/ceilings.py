"""Measures the ceilings of a run, each in a child like a trial: a codec alone, a plain file, a copy of memory."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from imgstore_tui.bench.plan.grid import IN_PLACE_OPERATIONS, datasets_with_files, images_needed, reads_in_place
from imgstore_tui.bench.protocol.messages import Step, TrialOutcome, TrialRequest
from imgstore_tui.bench.run.services import RunServices
from imgstore_tui.core.ceiling import Ceiling, CeilingKind
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Payload, SyncLevel
from imgstore_tui.core.spec import IN_PLACE, Spec
from imgstore_tui.plugins import registry

ROUNDS = 5
"""Rounds in which ceilings are measured: they are compared with nothing, so that few are enough."""
LIMIT_S = 120.0


def measure_ceilings(services: RunServices, number: int) -> None:
    """Measure the ceilings of all datasets in a round, those that are there already left out.

    Args:
        services: The services of the run.
        number: The round.
    """
    if not services.plan.ceilings or number >= ROUNDS:
        return
    done = {(ceiling.key, ceiling.round) for ceiling in services.ceilings}
    files = datasets_with_files(services.facts.values())
    for dataset in services.facts:
        for planned in planned_ceilings(services.plan, dataset, has_files=dataset in files):
            if (planned.key, number) in done:
                continue
            if services.stopped or services.budget.left_s < 0:
                return
            outcome = _run(services, replace(planned, round=number))
            if not outcome.cancelled:
                services.record_ceiling(_with_outcome(replace(planned, round=number), outcome))


def planned_ceilings(plan: Plan, dataset: str, *, has_files: bool) -> Iterator[Ceiling]:
    """Yield what is measured for a dataset in each round, without results.

    Args:
        plan: The plan.
        dataset: The dataset as the plan has it.
        has_files: Whether its images are files of the user.
    """
    yield Ceiling(dataset, CeilingKind.COPY, 0)
    reads = any(not operation.writes for operation in plan.operations)
    writes = any(operation.writes for operation in plan.operations)
    for state in plan.cache if reads else ():
        yield Ceiling(dataset, CeilingKind.FILE_READ, 0, cache=state)
    for level in plan.sync if writes else ():
        yield Ceiling(dataset, CeilingKind.FILE_WRITE, 0, sync=level)
    if plan.payload is not Payload.END_TO_END:
        return  # no codec is on the clock
    in_place = has_files and reads_in_place(plan) and any(entry in plan.operations for entry in IN_PLACE_OPERATIONS)
    for spec in _one_of_each_codec((*plan.specs, IN_PLACE) if in_place else plan.specs):
        codec = registry.codecs.get(spec.codec)
        kinds = [CeilingKind.ENCODE] if writes and not codec.from_file else []
        for kind in [*kinds, *([CeilingKind.DECODE] if reads else [])]:
            yield Ceiling(dataset, kind, 0, codec=spec.codec, codec_options=dict(spec.codec_options))


def _one_of_each_codec(specs: tuple[Spec, ...]) -> list[Spec]:
    """Return one method for each codec and its options, those that keep raw pixels left out."""
    by_codec = {(spec.codec, spec.codec_options): spec for spec in specs if not registry.codecs.get(spec.codec).is_raw}
    return list(by_codec.values())


def _run(services: RunServices, ceiling: Ceiling) -> TrialOutcome:
    plan = services.plan
    codec = ceiling.codec or IN_PLACE.codec
    location = services.folder.claim("ceiling")
    request = TrialRequest(
        Step.CEILING,
        # No backend takes part.
        replace(IN_PLACE, codec=codec, codec_options=tuple(ceiling.codec_options.items())),
        cutoff=images_needed(plan, ceiling.dataset),
        location=str(location),
        pixel_cache=str(services.pixel_cache(ceiling.dataset)),
        workspace=str(services.folder.workspace),
        cache=ceiling.cache,
        drop_caches=plan.drop_caches,
        sync=ceiling.sync or SyncLevel.BUFFERED,
        batch=plan.batch,
        ceiling=ceiling.kind,
    )
    outcome = services.executor.run(request, LIMIT_S, lambda _: None, services.cancel)
    # A child that failed may have left its file; what cannot be removed now is removed with the run's folder.
    with contextlib.suppress(OSError):
        location.unlink(missing_ok=True)
    return outcome


def _with_outcome(ceiling: Ceiling, outcome: TrialOutcome) -> Ceiling:
    result = outcome.result
    return replace(
        ceiling,
        status=outcome.status,
        reason=outcome.reason,
        seconds=result.seconds if outcome.ok else None,
        samples=result.samples if outcome.ok else (),
        bytes=result.pixel_bytes,
        images=result.images,
        cache_proof=result.cache_proof,
        foreign_cpu=result.foreign_cpu,
        started_at=result.started_at,
    )
