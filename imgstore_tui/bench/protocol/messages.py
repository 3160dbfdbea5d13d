"""Defines what the supervisor asks a child to do and what comes back; both cross a pipe as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from imgstore_tui.core.ceiling import CeilingKind
from imgstore_tui.core.model import DEFAULT_BATCH
from imgstore_tui.core.operations import CacheState, Operation, Payload, Status, SyncLevel
from imgstore_tui.core.spec import Spec


class Step(StrEnum):
    """The kinds of request: the timed one, and the untimed ones around it."""

    TRIAL = "trial"
    PREPARE = "prepare"
    """Build and drain a store that reads need and no trial has written."""
    VERIFY = "verify"
    """Read every image and label of a store back and compare with the source."""
    PROBE = "probe"
    """Run the backend's own probe, see ``Backend.probe``."""
    CEILING = "ceiling"
    """Measure what the machine does without a storage method, see ``TrialRequest.ceiling``."""
    DESTROY = "destroy"
    """Remove a store, off the clock."""
    HELLO = "hello"
    """Do nothing: measures what a child costs."""


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """One request to a child."""

    step: Step
    spec: Spec
    operation: Operation = Operation.WRITE_MANY
    cutoff: int = 1
    location: str = ""
    """Location of the store as text; for ``write-one``, location under which fresh stores are made."""
    pixel_cache: str = ""
    """Folder of the pixel cache."""
    workspace: str = ""
    """Folder for the dummy store on which first use is warmed."""
    payload: Payload = Payload.END_TO_END
    cache: CacheState | None = None
    drop_caches: bool = False
    """Make cold by dropping the caches of the whole machine, too."""
    sync: SyncLevel = SyncLevel.BUFFERED
    workers: int = 1
    batch: int = DEFAULT_BATCH
    seed: str = "0"
    """Seeds the order of random reads; the same for all specs of a round."""
    modules: tuple[str, ...] = ()
    """What a fresh interpreter imports before its clock starts: drivers and plug-ins."""
    ceiling: CeilingKind | None = None
    """What a request of the step ``ceiling`` measures."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What a child has measured.

    Fields are called as in ``Measurement`` and mean the same; what a request does not measure is None.
    """

    seconds: float | None = None
    samples: tuple[float, ...] = ()
    pixel_bytes: int | None = None
    open_s: float | None = None
    storage_s: float | None = None
    codec_s: float | None = None
    sync_s: float | None = None
    close_s: float | None = None
    cpu_user_s: float | None = None
    cpu_system_s: float | None = None
    foreign_cpu: float | None = None
    private_before: int | None = None
    """Private memory of the child before the first clock, bytes."""
    private_after: int | None = None
    """The same after the last clock."""
    peak_private_bytes: int | None = None
    """Filled by the supervisor, which samples the memory while the clock runs."""
    io_read_bytes: int | None = None
    io_dirtied_bytes: int | None = None
    resident_before: float | None = None
    resident_after: float | None = None
    cache_proof: str | None = None
    apparent_bytes: int | None = None
    allocated_bytes: int | None = None
    files: int | None = None
    disk_parts: dict[str, int] | None = None
    server_log_bytes: int | None = None
    verified: bool | None = None
    psnr_db: float | None = None
    sync_count: int | None = None
    server: str | None = None
    round_trip_s: float | None = None
    requests: int | None = None
    retries: int | None = None
    batch: int | None = None
    """Most images a call handed over."""
    started_at: str | None = None
    elapsed_s: float | None = None
    drain_s: float | None = None
    dirty_before: int | None = None
    images: int | None = None
    """Images that a sample of a codec alone handled."""
    probe_images: int | None = None
    """Images that the backend's probe used."""
    probe_values: dict[str, tuple[float, ...]] | None = None
    """What the probe returned, see ``Probe.values``."""


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """How a request ended."""

    ok: bool
    reason: str | None = None
    """Why it failed: the child's own sentence, or what ended the child."""
    result: TrialResult = TrialResult()
    start: str = "fork"
    """How the child began: ``fork`` from the fork server, or ``fresh`` interpreter."""
    cancelled: bool = False
    skipped: bool = False
    """Skipped, not failed: the operation is not claimed by the plug-in, or not wanted by the user."""
    hung: bool = False
    """It did not end by itself; where the kernel holds one of its processes, ``reason`` names that."""

    @property
    def status(self) -> Status:
        """The status of its row."""
        return Status.OK if self.ok else Status.SKIPPED if self.skipped else Status.FAILED


class Flag(Protocol):
    """Something that another thread sets, such as ``threading.Event``."""

    def is_set(self) -> bool:
        """Return whether it has been set."""


class Executor(Protocol):
    """The seam between what is measured and how it is run: real child processes, or a fake in tests."""

    def begin_round(self) -> None:
        """Prepare for a round; a fork server is restarted."""

    def run(
        self, request: TrialRequest, limit_s: float, on_progress: Callable[[int], None], cancel: Flag
    ) -> TrialOutcome:
        """Run a request to its end, its time limit, or ``cancel``; never raises for what happens in the child.

        Args:
            request: What to do.
            limit_s: Seconds without progress after which the child is killed.
            on_progress: Called with the number of images done, at most ten times per second.
            cancel: When set, the child is killed.
        """

    def close(self) -> None:
        """End all processes."""
