"""What the supervisor asks a child to do, and what comes back; both cross a pipe as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from imgstore_tui.core.model import DEFAULT_BATCH
from imgstore_tui.core.operations import CacheState, Operation, Payload, SyncLevel
from imgstore_tui.core.spec import Spec


class Step(StrEnum):
    """The kinds of request: the timed one, and the untimed ones around it."""

    TRIAL = "trial"
    PREPARE = "prepare"
    """Build and drain a store that reads need and no trial has written."""
    VERIFY = "verify"
    """Read every image and label of a store back and compare with the source."""
    PROBE = "probe"
    """Let the backend try out a habit of its own, see ``Backend.probe``."""
    DESTROY = "destroy"
    """Remove a store, off the clock."""
    HELLO = "hello"
    """Nothing: to measure what a child costs."""


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """One request to a child."""

    step: Step
    spec: Spec
    operation: Operation = Operation.WRITE_MANY
    cutoff: int = 1
    location: str = ""
    """The store's folder; for ``write-one`` the folder in which fresh stores are made."""
    pixel_cache: str = ""
    """Folder of the pixel cache."""
    workspace: str = ""
    """Folder for the dummy store on which first use is warmed."""
    payload: Payload = Payload.END_TO_END
    cache: CacheState | None = None
    drop_caches: bool = False
    """Cold by dropping the caches of the whole machine, too."""
    sync: SyncLevel = SyncLevel.BUFFERED
    workers: int = 1
    batch: int = DEFAULT_BATCH
    seed: str = "0"
    """Seeds the order of random reads; the same for all specs of a round."""
    modules: tuple[str, ...] = ()
    """What a fresh interpreter imports before its clock starts: drivers and plug-ins."""


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What became of a request."""

    ok: bool
    reason: str | None = None
    """Why it failed: the child's own sentence, or what ended the child."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Fields of the measurement that the child filled in, as JSON values."""
    start: str = "fork"
    cancelled: bool = False
    skipped: bool = False
    """A row that is skipped, not one that failed: nobody claims what was asked, or the user does not want it."""
    hung: bool = False
    """It did not end by itself; where the kernel holds a process of it, ``reason`` names that."""


class Flag(Protocol):
    """Something that another thread sets, such as ``threading.Event``."""

    def is_set(self) -> bool:
        """Whether it has been set."""


class Executor(Protocol):
    """The seam between what is measured and how it is run: real child processes, or a fake in tests."""

    def begin_round(self) -> None:
        """Prepare for a round; a fork server is started anew."""

    def run(
        self, request: TrialRequest, limit_s: float, on_progress: Callable[[int], None], cancel: Flag
    ) -> TrialOutcome:
        """Run a request to its end, its time limit, or ``cancel``; never raises for what the request does.

        Args:
            request: What to do.
            limit_s: Seconds after which the child is killed.
            on_progress: Called with the number of images done, at most ten times a second.
            cancel: When set, the child is killed.
        """

    def close(self) -> None:
        """End all processes."""
