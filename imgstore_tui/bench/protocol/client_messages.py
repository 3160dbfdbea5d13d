"""Defines what the supervisor asks of the clients of a round and what comes back; both cross pipes as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from imgstore_tui.bench.protocol.messages import Flag, TrialRequest
from imgstore_tui.core.client_round import ClientWork


@dataclass(frozen=True, slots=True)
class ClientData:
    """How a client on a machine that does not see the files of the run makes the pictures to compare with."""

    dataset: str
    """As written in the plan."""
    count: int
    """How many images the run uses at most."""
    originals: bool
    """Whether the files' own bytes are needed."""
    fingerprint: str
    """What they are, see ``DatasetFacts``."""


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """What one client of a round is to do."""

    trial: TrialRequest
    """Operation, store, and how it is read."""
    number: int
    """0 for the first client."""
    clients: int
    work: ClientWork
    window_s: float
    """Seconds for which it goes on; 0 for one pass."""
    data: ClientData | None = None
    """None where the client sees the files of the run."""


@dataclass(frozen=True, slots=True)
class ClientFigures:
    """What a client has measured; fields mean what they mean in ``ClientResult``."""

    images: int
    pixel_bytes: int
    seconds: float
    begin_s: float
    late_s: float
    requests: int
    latency_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClientOutcome:
    """How one client of a round ended."""

    number: int
    machine: str
    figures: ClientFigures | None = None
    reason: str | None = None
    """Why it has no figures, one sentence."""
    skipped: bool = False
    """Skipped, not failed: the plug-in does not claim what was asked."""
    clock_offset_s: float | None = None
    """Its clock less that of the run; None where both are the same clock."""
    clock_uncertainty_s: float | None = None


@dataclass(frozen=True, slots=True)
class ClusterWorker:
    """One process of a cluster that can run a client."""

    address: str
    machine: str
    """Name of its machine."""
    cores: int
    """Cores that it may use."""
    same_machine: bool
    """Whether it runs on the machine of the run."""
    sees_scratch: bool
    """Whether it sees the files of the run: a file that the run has written holds there what it holds here."""


class ClientRunner(Protocol):
    """The seam between client rounds and how their clients get processes."""

    def start(self, clients: int, cancel: Flag) -> tuple[ClusterWorker, ...]:
        """Start or reach the workers of a round; return them in the order in which they get clients.

        Args:
            clients: How many the round needs.
            cancel: When set, what is being started is ended.

        Raises:
            UnavailableError: If there are too few, they have other versions, or the run is stopped.
        """

    def run(self, requests: tuple[ClientRequest, ...], limit_s: float, cancel: Flag) -> tuple[ClientOutcome, ...]:
        """Run one client for each request, all at once; never raises for what happens to a client.

        Args:
            requests: What each client is to do.
            limit_s: Seconds after which a client counts as hung, its window left out.
            cancel: When set, all clients are killed; nothing is returned.
        """

    def close(self) -> None:
        """End what was started."""
