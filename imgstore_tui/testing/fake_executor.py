"""Provides an executor without processes, for tests that must not time anything: outcomes follow from fixed rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from imgstore_tui.bench.protocol.messages import Flag, Step, TrialOutcome, TrialRequest, TrialResult
from imgstore_tui.core.operations import Operation

FAKE_FIXED_S = 0.001
FAKE_IMAGE_S = 0.0001
FAKE_STORE_BYTES = 4096
FAKE_BYTES_PER_S = 1e9


def fake_outcome(request: TrialRequest) -> TrialOutcome:
    """Return the outcome of a flawless trial: the same numbers for the same request."""
    if request.step is Step.VERIFY:
        return TrialOutcome(True, result=TrialResult(verified=True))
    if request.step is Step.CEILING:
        return TrialOutcome(True, result=_fake_ceiling(request))
    if request.step is not Step.TRIAL:
        return TrialOutcome(True)
    images = request.operation.images(request.cutoff)
    seconds = FAKE_FIXED_S + images * FAKE_IMAGE_S
    result = TrialResult(
        seconds=seconds,
        samples=(seconds,),
        open_s=FAKE_FIXED_S,
        storage_s=images * FAKE_IMAGE_S,
        batch=request.batch,
        verified=None if request.operation is Operation.WRITE_MANY else True,
    )
    if request.operation.writes:
        size = FAKE_STORE_BYTES * images
        result = replace(result, apparent_bytes=size, allocated_bytes=size, files=1, drain_s=0.0)
    return TrialOutcome(True, result=result)


def _fake_ceiling(request: TrialRequest) -> TrialResult:
    """Return the result of a ceiling: a fixed rate, the images of the cutoff for a codec."""
    seconds = FAKE_STORE_BYTES * request.cutoff / FAKE_BYTES_PER_S
    images = request.cutoff if request.ceiling is not None and request.ceiling.is_codec else None
    return TrialResult(
        seconds=seconds, samples=(seconds,), pixel_bytes=FAKE_STORE_BYTES * request.cutoff, images=images
    )


class FakeExecutor:
    """An executor without processes; it records the requests."""

    def __init__(self, answer: Callable[[TrialRequest], TrialOutcome] = fake_outcome) -> None:
        """Create an executor.

        Args:
            answer: Returns the outcome of each request; flawless ones by default.
        """
        self._answer = answer
        self.requests: list[TrialRequest] = []
        self.rounds = 0
        self.closed = False

    def begin_round(self) -> None:
        """Count the round."""
        self.rounds += 1

    def run(
        self, request: TrialRequest, limit_s: float, on_progress: Callable[[int], None], cancel: Flag
    ) -> TrialOutcome:
        """Return the outcome at once."""
        self.requests.append(request)
        if cancel.is_set():
            return TrialOutcome(False, "Stopped by the user.", cancelled=True)
        on_progress(request.cutoff)
        return self._answer(request)

    def close(self) -> None:
        """Record that it was closed."""
        self.closed = True
