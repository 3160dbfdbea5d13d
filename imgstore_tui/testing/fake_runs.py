"""Provides invented runs that look like real ones, for tests of whatever shows a run, and for trying a screen."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from imgstore_tui.core.access import Access
from imgstore_tui.core.model import DatasetFacts, Environment, Measurement, Plan, Probe, Run
from imgstore_tui.core.operations import CacheState, Operation, Status, SyncLevel
from imgstore_tui.core.spec import Spec, parse_spec_text

IMAGE_BYTES = 32 * 32 * 3
DEFAULT_OPERATIONS = Plan().operations

# Seconds to write, fixed and per image; to read, fixed and per image. Bytes on disk, fixed and per image.
_COSTS: dict[str, tuple[float, float, float, float, int, int]] = {
    "disk": (6e-4, 1.9e-4, 3e-4, 1.1e-4, 8192, 4096),
    "lmdb": (1.1e-3, 9e-6, 2.5e-4, 4e-6, 16384, 4096),
    "hdf5": (2.4e-3, 6.5e-6, 1.1e-3, 4.2e-6, 4096, 3080),
}
_CODECS = {"disk": "png"}


def fake_spec(label: str) -> Spec:
    """Return a spec with this label, whether such a backend exists or not."""
    parsed = parse_spec_text(label)
    codec = parsed.codec or _CODECS.get(parsed.backend, "raw")
    return Spec(
        parsed.backend, codec, parsed.preset or "tuned", tuple(parsed.options.items()),
        tuple(parsed.codec_options.items()), label,
    )  # fmt: skip


def fake_run(
    specs: Sequence[str] = ("disk", "lmdb", "hdf5"),
    cutoffs: Sequence[int] = (1, 10, 100, 1000),
    rounds: int = 6,
    seed: int = 0,
    failures: Mapping[str, str] | None = None,
    *,
    operations: Sequence[Operation] = DEFAULT_OPERATIONS,
    sync: Sequence[SyncLevel] = (SyncLevel.BUFFERED,),
    cache: Sequence[CacheState] = (CacheState.HOT,),
    dataset: str = "synthetic",
    noise: float = 0.04,
    verified: bool = True,
    status: str = "finished",
) -> Run:
    """Return a plausible run; the same arguments give the same run on every machine.

    Args:
        specs: Labels, in the order shown; disk, lmdb and hdf5 have their usual costs.
        cutoffs: Numbers of images.
        rounds: Rounds, numbered from 1.
        seed: Seeds the noise.
        failures: Reasons by ``SPEC``, ``SPEC/OPERATION`` or ``SPEC/OPERATION/CUTOFF``; these trials fail.
        operations: What is measured.
        sync: Sync levels of the writes.
        cache: Cache states of the reads.
        dataset: Dataset as written.
        noise: Standard deviation of the logarithm of a trial's time.
        verified: Whether trials say that their store was verified.
        status: How the run ended.
    """
    source = random.Random(f"imgstore-tui/{seed}")  # noqa: S311 - noise, not a secret
    plan = Plan(
        (dataset,), tuple(fake_spec(label) for label in specs), tuple(cutoffs), tuple(operations), tuple(cache),
        tuple(sync), rounds=rounds, seed=seed,
    )  # fmt: skip
    return Run(
        id="20260102-030405-fake",
        plan=plan,
        environment=_environment(),
        datasets=(_dataset_facts(dataset, max(cutoffs, default=1)),),
        started_at="2026-01-02T03:04:05+00:00",
        measurements=tuple(_failed(trial, failures or {}) for trial in _trials(plan, source, noise, verified)),
        status=status,
        finished_at="2026-01-02T03:05:00+00:00" if status != "running" else None,
    )


def fake_article_run(
    cutoffs: Sequence[int] = (1, 10, 100, 1000, 10_000, 100_000), rounds: int = 6, *, dataset: str = "cifar10:/data"
) -> Run:
    """Return a plausible run of the plan ``article``, with larger images and probes.

    Args:
        cutoffs: Numbers of images; the larger images stop at 1,000 and 100.
        rounds: Rounds.
        dataset: The dataset in place of the article's own images.
    """
    larger = {"synthetic,size=256,upto=1000": (256, 1000), "synthetic,size=512,upto=100": (512, 100)}
    specs = [f"{backend}:preset=article" for backend in ("disk", "lmdb", "hdf5")]
    operations = (Operation.WRITE_ONE, Operation.WRITE_MANY, Operation.READ_ONE, Operation.READ_MANY)
    levels = (SyncLevel.BUFFERED, SyncLevel.END)
    whole = fake_run(specs, cutoffs, rounds, operations=operations, sync=levels, dataset=dataset)
    facts, measurements = list(whole.datasets), list(whole.measurements)
    for text, (size, most) in larger.items():
        fitting = [cutoff for cutoff in cutoffs if cutoff <= most] or [1]
        part = fake_run(specs, fitting, rounds, size, operations=operations, sync=levels, dataset=text)
        # An image of more pixels weighs and costs more; as PNG it weighs less than its pixels.
        factor = {"disk": size * size * 3 // 8192, "lmdb": size * size * 3 // 4096 + 1, "hdf5": size * size // 1024}
        facts += [
            replace(entry, shape=(size, size, 3), summary=f"synthetic {size}x{size}x3") for entry in part.datasets
        ]
        measurements += [
            replace(trial, allocated_bytes=None if trial.allocated_bytes is None else trial.allocated_bytes * scale)
            for trial in part.measurements
            for scale in [factor[trial.backend]]
        ]
    return replace(
        whole,
        plan=replace(whole.plan, datasets=(dataset, *larger), budget_s=None, name="article", probes=True),
        datasets=tuple(facts),
        measurements=tuple(measurements),
        probes=(
            Probe("lmdb:preset=article", "lmdb", dataset, 1000, {
                "pixels_bytes": (3_072_000,), "length_bytes": (4.1e6, 8.2e6, 12.3e6, 12.3e6),
                "map_bytes": (30_720_000,), "full_count": (0,), "own_length_bytes": (4.1e6, 8.2e6, 8.2e6),
                "tight_map_bytes": (4_608_000,), "tight_full_count": (2,),
            }),
            Probe("hdf5:preset=article", "hdf5", dataset, 1000, {
                "uint8_write_s": (0.01,) * 6, "int64_write_s": (0.05,) * 6, "uint8_read_s": (0.004,) * 6,
                "int64_read_s": (0.012,) * 6, "uint8_length_bytes": (3.1e6,) * 6, "int64_length_bytes": (24.6e6,) * 6,
            }),
        ),
    )  # fmt: skip


def _dataset_facts(dataset: str, largest: int) -> DatasetFacts:
    """Return the facts of a dataset of 50,000 images, of which the largest cutoff uses some or all."""
    used = min(largest, 50_000)
    return DatasetFacts(
        dataset, "synthetic images, 32x32x3 uint8", 50_000, used, largest > used, (32, 32, 3), "uint8",
        used * IMAGE_BYTES, None, hashlib.sha256(dataset.encode()).hexdigest(),
    )  # fmt: skip


def _trials(plan: Plan, source: random.Random, noise: float, verified: bool) -> Iterator[Measurement]:
    """Yield the measurements of a plan with one dataset, round by round."""
    (dataset,) = plan.datasets
    for number in range(1, plan.rounds + 1):
        # Shared by the round, so that pairing by round has something to do.
        round_factor = source.lognormvariate(0.0, noise)
        for spec in plan.specs:
            for operation in plan.operations:
                for cutoff in [1] if operation is Operation.WRITE_ONE else plan.cutoffs:
                    for state in plan.sync if operation.writes else plan.cache:
                        factor = round_factor * source.lognormvariate(0.0, noise)
                        yield _trial(spec, operation, cutoff, number, state, dataset, factor, verified)


def _environment() -> Environment:
    return Environment(
        imgstore_tui="0.1.0",
        python="3.11.7",
        platform="Linux-6.1-x86_64",
        kernel="6.1.0",
        cpu="Imaginary 9000 at 3.00 GHz",
        cores=2,
        memory_bytes=8 * 1024**3,
        libraries={"numpy": "2.4.6", "pillow": "13.0.0", "lmdb": "3.0.0", "h5py": "3.16.0"},
        scratch="/scratch",
        scratch_filesystem="ext4",
        scratch_device="/dev/vda",
        scratch_free_bytes=40 * 1024**3,
        same_device_as_data=True,
        host="fake",
        load=0.1,
    )


def _trial(
    spec: Spec, operation: Operation, cutoff: int, number: int, state: CacheState | SyncLevel, dataset: str,
    factor: float, verified: bool,
) -> Measurement:  # fmt: skip
    write_open, write_image, read_open, read_image, fixed_bytes, image_bytes = _costs(spec)
    images = operation.images(cutoff)
    synced = state is SyncLevel.END
    if operation.writes:
        fixed, each = write_open, write_image
        forced = (4e-3 + (2e-4 * images if spec.backend == "disk" else 2e-6 * images)) if synced else 0.0
    else:
        each = read_image * (1.35 if operation is Operation.READ_RANDOM else 1.0)
        if operation is Operation.READ_LABELS:
            each /= 40
        slower = 8.0 if state is CacheState.COLD else 1.0
        fixed, each, forced = read_open * slower, each * slower, 0.0
    codec = 0.7 * each * images if spec.codec != "raw" else 0.0
    parts = [0.6 * fixed, each * images - codec, codec, forced, 0.4 * fixed]
    parts = [part * factor for part in parts]
    seconds = sum(parts)
    many = operation.images(2) == 1 and not operation.changes
    allocated = fixed_bytes + image_bytes * cutoff
    return Measurement(
        spec=spec.label, backend=spec.backend, codec=spec.codec, preset=spec.preset,
        options=spec.all_options,
        dataset=dataset, operation=operation, cutoff=cutoff, round=number, payload=Plan().payload, workers=1,
        cache=state if isinstance(state, CacheState) else None, sync=state if isinstance(state, SyncLevel) else None,
        status=Status.OK, scratch="", batch=256, stop="rounds", seconds=seconds,
        samples=tuple(seconds * scale for scale in (0.97, 1.0, 1.04)) if many else (seconds,),
        open_s=parts[0], storage_s=parts[1], codec_s=parts[2], sync_s=parts[3], close_s=parts[4],
        cpu_user_s=seconds * (3 if many else 1) * 0.6, cpu_system_s=seconds * (3 if many else 1) * 0.3,
        foreign_cpu=0.02, peak_private_bytes=1_000_000 + 40 * cutoff, io_read_bytes=0,
        io_dirtied_bytes=allocated if operation.writes else 0,
        resident_before=None if operation.writes else 0.0 if state is CacheState.COLD else 1.0,
        apparent_bytes=allocated - 3000 if operation.writes else None,
        allocated_bytes=allocated if operation.writes else None,
        files=(cutoff + 1 if spec.backend == "disk" else 1) if operation.writes else None,
        verified=verified, sync_count=2 if synced else 0, start="fork", started_at="2026-01-02T03:04:05+00:00",
        elapsed_s=seconds * 1.1, drain_s=0.004 if operation.writes else None, dirty_before=0, access=_access(spec),
    )  # fmt: skip


def _access(spec: Spec) -> Access:
    return Access.SYSTEM if spec.backend == "disk" else Access.LIBRARY


def _costs(spec: Spec) -> tuple[float, float, float, float, int, int]:
    base = _COSTS.get(spec.backend, _COSTS["lmdb"])
    if spec.label in (spec.backend, f"{spec.backend}:preset=article") and spec.backend in _COSTS:
        return base
    byte = hashlib.sha256(spec.label.encode()).digest()[0]
    scale = 0.6 + byte / 100
    return (base[0] * scale, base[1] * scale, base[2] * scale, base[3] * scale, base[4], round(base[5] * scale))


def _failed(trial: Measurement, failures: Mapping[str, str]) -> Measurement:
    keys = (trial.spec, f"{trial.spec}/{trial.operation}", f"{trial.spec}/{trial.operation}/{trial.cutoff}")
    reason = next((failures[key] for key in keys if key in failures), None)
    if reason is None:
        return trial
    return Measurement(
        spec=trial.spec, backend=trial.backend, codec=trial.codec, preset=trial.preset, options=trial.options,
        dataset=trial.dataset, operation=trial.operation, cutoff=trial.cutoff, round=trial.round,
        payload=trial.payload, workers=trial.workers, cache=trial.cache, sync=trial.sync, status=Status.FAILED,
        scratch=trial.scratch, batch=trial.batch, reason=reason, start=trial.start, started_at=trial.started_at,
        access=trial.access,
    )  # fmt: skip
