"""Defines a client round: several processes that read or write the same store at once after a common start."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from imgstore_tui.core.operations import CacheState, Operation, Status, SyncLevel
from imgstore_tui.core.options import OptionValue

LATE_S = 0.02
"""A round in which a client began later than this after the agreed instant is thrown away."""


class ClientWork(StrEnum):
    """What the clients of a round do together."""

    SHARE = "share"
    """Each client handles its own part of the images; together they handle each image once a pass."""
    ALL = "all"
    """Each client handles all images."""


@dataclass(frozen=True, slots=True)
class ClientResult:
    """What one client of a round did."""

    number: int
    """0 for the first client."""
    machine: str
    """Name of the machine that it ran on."""
    status: Status = Status.OK
    reason: str | None = None
    """Why it has no figures, one sentence."""
    images: int = 0
    """Images handled within its window."""
    pixel_bytes: int = 0
    """Raw pixels of these images, bytes."""
    seconds: float | None = None
    """From its first request to its last answer."""
    begin_s: float | None = None
    """Its first request, seconds after the agreed instant, by the clock of the run (offset taken off)."""
    late_s: float | None = None
    """How long after the agreed instant it woke up, by its own clock."""
    clock_offset_s: float | None = None
    """Its clock less that of the run; None on one machine, where they are the same."""
    clock_uncertainty_s: float | None = None
    """Half of the round trip by which the offset was measured."""
    requests: int = 0
    """Calls that were timed one by one: batches, or single images."""
    latency_s: dict[str, float] = field(default_factory=dict)
    """Seconds a call took, by quantile: ``p50``, ``p95``, ``p99``; empty where too few calls were made to tell."""


@dataclass(frozen=True, slots=True)
class ClientRound:
    """What one round with K clients yielded, success or failure."""

    spec: str
    dataset: str
    operation: Operation
    cutoff: int
    round: int
    clients: int
    """How many clients, K."""
    work: ClientWork
    window_s: float
    """How long each client goes on, seconds; 0 for a fixed amount of work: one pass."""
    status: Status = Status.OK
    reason: str | None = None
    """Why it has no figures, or was thrown away; one sentence."""
    results: tuple[ClientResult, ...] = ()
    """One per client, those that died as well."""
    cache: CacheState | None = None
    sync: SyncLevel | None = None
    backend: str = ""
    codec: str = ""
    options: dict[str, OptionValue] = field(default_factory=dict)
    """Options of the backend; those of the codec with the prefix ``codec.``."""
    shares_cores: bool | None = None
    """Whether clients and server, or more clients than cores, ran on the same cores; None where nobody can tell."""
    cluster: str | None = None
    """Address of the scheduler; None for clients that the run itself started on this machine."""
    verified: bool | None = None
    """Whether every image and label of the store was read back and found right."""
    warnings: tuple[str, ...] = ()
    started_at: str | None = None
    """UTC, ISO 8601."""

    @property
    def key(self) -> tuple[object, ...]:
        """What this round is a repetition of."""
        return (*self.contest, self.clients)

    @property
    def contest(self) -> tuple[object, ...]:
        """What differs from it in the number of clients alone."""
        return self.dataset, self.spec, self.operation, self.cutoff, self.work, self.window_s, self.cache, self.sync

    @property
    def seconds(self) -> float | None:
        """From the first start to the last end; None where a client has no figures."""
        spans = self._spans()
        return max(end for _, end in spans) - min(begin for begin, _ in spans) if spans else None

    @property
    def images(self) -> int:
        """Images of all clients together."""
        return sum(result.images for result in self.results)

    @property
    def images_per_s(self) -> float | None:
        """Throughput of all clients together: their images over the time from the first start to the last end."""
        return self.images / seconds if self.status is Status.OK and (seconds := self.seconds) else None

    @property
    def idle_s(self) -> float | None:
        """The idle tail: how long the first client to end waited for the last."""
        spans = self._spans()
        return max(end for _, end in spans) - min(end for _, end in spans) if spans else None

    @property
    def start_spread_s(self) -> float | None:
        """From the first client's start to the last client's start."""
        spans = self._spans()
        return max(begin for begin, _ in spans) - min(begin for begin, _ in spans) if spans else None

    @property
    def fairness(self) -> float | None:
        """Jain's index of the clients' rates, 1 where all are served alike, 1/K where one has all.

        Source: R. Jain, D. Chiu, W. Hawe, "A Quantitative Measure of Fairness", DEC-TR-301 (1984).
        """
        rates = [result.images / result.seconds for result in self.results if result.seconds]
        squares = sum(rate * rate for rate in rates)
        return sum(rates) ** 2 / (len(rates) * squares) if squares and len(rates) == len(self.results) else None

    def _spans(self) -> list[tuple[float, float]]:
        """Return begin and end of each client; nothing unless all have both."""
        spans = [
            (result.begin_s, result.begin_s + result.seconds)
            for result in self.results
            if result.begin_s is not None and result.seconds is not None
        ]
        return spans if len(spans) == len(self.results) else []
