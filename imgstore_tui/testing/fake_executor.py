"""Fakes for tests that must not really time anything: an executor that answers from a table of rates."""

from __future__ import annotations

from collections.abc import Callable

from imgstore_tui.bench.protocol.messages import Flag, Step, TrialOutcome, TrialRequest
from imgstore_tui.core.operations import Operation

FAKE_FIXED_S = 0.001
FAKE_IMAGE_S = 0.0001
FAKE_STORE_BYTES = 4096


def fake_outcome(request: TrialRequest) -> TrialOutcome:
    """Return what a flawless trial would: the same numbers for the same request."""
    if request.step is Step.VERIFY:
        return TrialOutcome(True, fields={"verified": True, "psnr_db": None})
    if request.step is not Step.TRIAL:
        return TrialOutcome(True)
    images = request.operation.images(request.cutoff)
    seconds = FAKE_FIXED_S + images * FAKE_IMAGE_S
    fields: dict[str, object] = {
        "seconds": seconds,
        "samples": [seconds],
        "open_s": FAKE_FIXED_S,
        "storage_s": images * FAKE_IMAGE_S,
        "batch": request.batch,
    }
    if request.operation.writes:
        size = FAKE_STORE_BYTES * images
        fields |= {"apparent_bytes": size, "allocated_bytes": size, "files": 1, "drain_s": 0.0}
    if request.operation is not Operation.WRITE_MANY:
        fields["verified"] = True
    return TrialOutcome(True, fields=fields)


class FakeExecutor:
    """An executor without processes.

    Args:
        answer: Gives the outcome of each request; flawless ones by default.
    """

    def __init__(self, answer: Callable[[TrialRequest], TrialOutcome] = fake_outcome) -> None:
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
        """Answer at once."""
        self.requests.append(request)
        if cancel.is_set():
            return TrialOutcome(False, "Stopped by the user.", cancelled=True)
        on_progress(request.cutoff)
        return self._answer(request)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True
