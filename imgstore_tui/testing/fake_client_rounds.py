"""Provides invented rounds of several clients whose law and noise are known, for tests of whatever shows them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from imgstore_tui.core.client_round import LATE_S, ClientResult, ClientRound, ClientWork
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, Operation, Status
from imgstore_tui.stats.universal_scalability import ScalabilityLaw
from imgstore_tui.testing.fake_runs import fake_run, fake_spec

FAKE_LAWS = {
    "lmdb": ScalabilityLaw(4000.0, 0.02, 0.0005),
    "hdf5": ScalabilityLaw(3000.0, 0.05, 0.004),
    "disk": ScalabilityLaw(1000.0, 0.2, 0.0),
}
"""The law that each method follows, noise apart; others follow that of disk."""


def fake_client_run(
    specs: Sequence[str] = ("disk", "lmdb", "hdf5"),
    clients: Sequence[int] = (1, 2, 4, 8, 16, 32),
    rounds: int = 6,
    seed: int = 0,
    *,
    operations: Sequence[Operation] = (Operation.READ_RANDOM,),
    work: ClientWork = ClientWork.SHARE,
    cutoff: int = 1000,
    noise: float = 0.03,
    shares_cores: bool | None = False,
    late: Sequence[tuple[int, int]] = (),
    dead: Sequence[tuple[int, int]] = (),
    measurements: bool = True,
) -> Run:
    """Return a plausible run with rounds of clients; the same arguments give the same run on every machine.

    Args:
        specs: Labels, in the order shown; see ``FAKE_LAWS``.
        clients: Numbers of clients.
        rounds: Rounds, numbered from 1.
        seed: Seeds the noise.
        operations: What the clients do.
        work: Whether each client has its own part of the images.
        cutoff: Images of the store.
        noise: Standard deviation of the logarithm of a throughput.
        shares_cores: What the rounds say of cores that are shared.
        late: Number of clients and round of those thrown away because a client was late.
        dead: Number of clients and round of those in which a client died.
        measurements: Whether the run has ordinary trials as well.
    """
    source = random.Random(f"imgstore-tui/clients/{seed}")  # noqa: S311 - noise, not a secret
    run = fake_run(specs, (10, 100, cutoff), rounds, seed)
    entries = []
    for number in range(1, rounds + 1):
        for label in specs:
            for operation in operations:
                for many in clients:
                    law = FAKE_LAWS.get(fake_spec(label).backend, FAKE_LAWS["disk"])
                    rate = law.at(many) * source.lognormvariate(0.0, noise)
                    entry = _round(label, run.plan.datasets[0], operation, cutoff, number, many, work, rate, source)
                    entry = replace(entry, shares_cores=shares_cores)
                    if (many, number) in late:
                        entry = _late(entry)
                    if (many, number) in dead:
                        entry = _dead(entry)
                    entries.append(entry)
    plan = replace(run.plan, clients=tuple(clients), client_window_s=10.0)
    return replace(run, plan=plan, client_rounds=tuple(entries), measurements=run.measurements if measurements else ())


def _round(
    label: str, dataset: str, operation: Operation, cutoff: int, number: int, many: int, work: ClientWork, rate: float,
    source: random.Random,
) -> ClientRound:  # fmt: skip
    spec = fake_spec(label)
    window = 10.0
    results = tuple(
        ClientResult(
            client, "host-1" if client < (many + 1) // 2 else "host-2", images=round(rate / many * window),
            pixel_bytes=round(rate / many * window) * 3072, seconds=window, begin_s=source.uniform(0.0, 0.002),
            late_s=source.uniform(0.0, 0.002), clock_offset_s=0.0, clock_uncertainty_s=0.0005,
            requests=round(rate / many * window / 64),
            latency_s={"p50": 64 * many / rate, "p95": 80 * many / rate, "p99": 120 * many / rate},
        )
        for client in range(many)
    )  # fmt: skip
    return ClientRound(
        spec=spec.label, dataset=dataset, operation=operation, cutoff=cutoff, round=number, clients=many, work=work,
        window_s=window, results=results, cache=None if operation.writes else CacheState.HOT, backend=spec.backend,
        codec=spec.codec, options=spec.all_options, verified=True, started_at="2026-01-02T03:04:05+00:00",
    )  # fmt: skip


def _late(entry: ClientRound) -> ClientRound:
    first, *others = entry.results
    return replace(
        entry,
        status=Status.FAILED,
        reason="Thrown away: client 0 on host-1 began 35.0 ms late.",
        results=(replace(first, late_s=LATE_S + 0.015), *others),
    )


def _dead(entry: ClientRound) -> ClientRound:
    first, *others = entry.results
    died = ClientResult(first.number, first.machine, Status.FAILED, "The client on host-1 was killed.")
    return replace(entry, status=Status.FAILED, reason="Client 0 on host-1 was killed.", results=(died, *others))
