"""Runs of made-up measurements whose true costs are known: start-up and cost per image of each method and operation."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from imgstore_tui.core.model import Measurement, Run
from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.testing.fake_runs import fake_run, fake_spec

IMAGE_BYTES = 4096
"""Bytes on disk of each image, unless a run says otherwise."""
GIB = 1024**3

Costs = Mapping[str, Mapping[Operation, tuple[float, float]]]
"""Seconds to start and seconds per image, by method and operation."""


def true_seconds(costs: Costs, spec: str, operation: Operation, images: int) -> float:
    """Return the time without noise."""
    start, per_image = costs[spec][operation]
    return start + per_image * operation.images(images)


def costed_run(
    costs: Costs,
    cutoffs: Sequence[int] = (10, 100, 1000),
    rounds: int = 12,
    seed: object = 0,
    *,
    noise: float = 0.05,
    weather: float = 0.1,
    bend: Mapping[str, float] | None = None,
    disk: Mapping[str, int] | None = None,
    files: Mapping[str, int] | None = None,
    memory: Mapping[str, int] | None = None,
    cache: Sequence[CacheState] = (CacheState.HOT,),
    cold: float = 8.0,
    images: int = 50_000,
    dataset: str = "synthetic",
    memory_bytes: int = 8 * GIB,
) -> Run:
    """Return a run whose times are known but for noise.

    Args:
        costs: The true costs. The method ``source`` is the user's own files.
        cutoffs: Numbers of images.
        rounds: Rounds.
        seed: Seeds the noise.
        noise: Standard deviation of the logarithm of a trial's time.
        weather: The same of what a round does to all methods.
        bend: Power of the number of images, by method, that its cost per image grows with; 0 is a straight line.
        disk: Bytes on disk per image, by method.
        files: Number of files of a store, by method; 0 is one per image.
        memory: Peak private bytes, by method.
        cache: Cache states of the reads.
        cold: Times as long as hot that a cold read takes.
        images: Images that the data has.
        dataset: The dataset as written.
        memory_bytes: Memory of the machine.
    """
    source = random.Random(f"{seed}")
    operations = tuple(dict.fromkeys(operation for of_method in costs.values() for operation in of_method))
    base = fake_run(tuple(costs), cutoffs, 1, operations=operations, cache=cache, dataset=dataset)
    templates = {(trial.spec, trial.operation, trial.cutoff, trial.cache): trial for trial in base.measurements}
    measurements = []
    for number in range(rounds):
        shared = source.gauss(0.0, weather)
        for (spec, operation, cutoff, state), template in templates.items():
            if operation not in costs[spec]:
                continue
            start, per_image = costs[spec][operation]
            bent = (cutoff / cutoffs[0]) ** (bend or {}).get(spec, 0.0)
            slower = cold if state is CacheState.COLD else 1.0
            seconds = (start + per_image * operation.images(cutoff) * bent) * slower
            seconds *= math.exp(shared + source.gauss(0.0, noise))
            measurements.append(_trial(template, number, seconds, cutoff, disk, files, memory))
    repeated = max(cutoffs) > images
    facts = replace(base.datasets[0], images=images, used=min(max(cutoffs), images), repeated=repeated)
    plan = replace(
        base.plan, specs=tuple(fake_spec(label) for label in costs if label != IN_PLACE.label), rounds=rounds
    )
    environment = replace(base.environment, memory_bytes=memory_bytes)
    return replace(base, plan=plan, measurements=tuple(measurements), datasets=(facts,), environment=environment)


def _trial(
    template: Measurement,
    number: int,
    seconds: float,
    cutoff: int,
    disk: Mapping[str, int] | None,
    files: Mapping[str, int] | None,
    memory: Mapping[str, int] | None,
) -> Measurement:
    spec = template.spec
    size = (disk or {}).get(spec, IMAGE_BYTES) * cutoff
    weighed = template.operation is Operation.WRITE_MANY or spec == IN_PLACE.label
    return replace(
        template,
        round=number,
        seconds=seconds,
        samples=(seconds,),
        apparent_bytes=size if weighed else None,
        allocated_bytes=size if weighed else None,
        files=((files or {}).get(spec, 1) or cutoff) if weighed else None,
        peak_private_bytes=(memory or {}).get(spec, 2_000_000),
    )


READ_COSTS: Costs = {
    "quickstart": {Operation.READ_RANDOM: (2.5e-4, 6e-6), Operation.WRITE_MANY: (6e-4, 5e-6)},
    "steady": {Operation.READ_RANDOM: (1.2e-3, 2e-6), Operation.WRITE_MANY: (2e-3, 3e-6)},
}
"""Two methods that cross at 237.5 images in random reads: one starts sooner, the other has cheaper images."""
CROSSING = (1.2e-3 - 2.5e-4) / (6e-6 - 2e-6)


def is_at_least(hits: int, trials: int, rate: float = 0.95) -> bool:
    """Return whether so many hits are not too few for a rate, by three standard deviations."""
    return hits >= trials * rate - 3 * math.sqrt(trials * rate * (1 - rate))
