"""Fakes for tests that must not really time anything: an executor that answers from a table of rates."""

from __future__ import annotations

from collections.abc import Callable

from imgstore_tui.bench.protocol.messages import Flag, Job, Outcome, Step
from imgstore_tui.core.operations import Operation

FAKE_FIXED_S = 0.001
FAKE_IMAGE_S = 0.0001
FAKE_STORE_BYTES = 4096


def fake_outcome(job: Job) -> Outcome:
    """Return what a flawless trial would: the same numbers for the same job."""
    if job.step is Step.VERIFY:
        return Outcome(True, fields={"verified": True, "psnr_db": None})
    if job.step is not Step.TRIAL:
        return Outcome(True)
    images = job.operation.images(job.cutoff)
    seconds = FAKE_FIXED_S + images * FAKE_IMAGE_S
    fields: dict[str, object] = {
        "seconds": seconds,
        "samples": [seconds],
        "open_s": FAKE_FIXED_S,
        "storage_s": images * FAKE_IMAGE_S,
        "batch": job.batch,
    }
    if job.operation.writes:
        size = FAKE_STORE_BYTES * images
        fields |= {"apparent_bytes": size, "allocated_bytes": size, "files": 1, "drain_s": 0.0}
    if job.operation is not Operation.WRITE_MANY:
        fields["verified"] = True
    return Outcome(True, fields=fields)


class FakeExecutor:
    """An executor without processes.

    Args:
        answer: Gives the outcome of each job; flawless ones by default.
    """

    def __init__(self, answer: Callable[[Job], Outcome] = fake_outcome) -> None:
        self._answer = answer
        self.jobs: list[Job] = []
        self.rounds = 0
        self.closed = False

    def begin_round(self) -> None:
        """Count the round."""
        self.rounds += 1

    def run(self, job: Job, limit_s: float, on_progress: Callable[[int], None], cancel: Flag) -> Outcome:
        """Answer at once."""
        self.jobs.append(job)
        if cancel.is_set():
            return Outcome(False, "Stopped by the user.", cancelled=True)
        on_progress(job.cutoff)
        return self._answer(job)

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True
