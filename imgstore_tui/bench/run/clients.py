"""Measures client rounds: several processes that read one store at once, beside the trials of a run."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from imgstore_tui.bench.plan.client_grid import ClientBlock, client_blocks, client_seconds, shuffled_rounds
from imgstore_tui.bench.plan.grid import images_needed
from imgstore_tui.bench.protocol.client_messages import (
    ClientData,
    ClientOutcome,
    ClientRequest,
    ClientRunner,
    ClusterWorker,
)
from imgstore_tui.bench.protocol.messages import Step, TrialOutcome, TrialRequest
from imgstore_tui.bench.run.services import RunServices
from imgstore_tui.core.client_round import LATE_S, ClientResult, ClientRound
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.events import TrialStarted
from imgstore_tui.core.location import Location, public_text
from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import CacheState, Operation, Status
from imgstore_tui.core.units import format_seconds
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.server import ServerBackend

MOST_LATE = 3
"""Rounds in a row that may be thrown away because of late clients, until nothing more is measured."""
LIMIT_S = 120.0
"""Seconds in which a client must be ready."""
OFF_S = 0.02
"""Difference of two machines' clocks that is said."""


def lacks_client_rounds(services: RunServices, number: int) -> bool:
    """Return whether client rounds of a round are still to be measured."""
    return any(_missing(services, block, number) for block in client_blocks(services.plan))


def expect_client_rounds(services: RunServices) -> None:
    """Let the progress of a run count the client rounds that are to be measured."""
    plan = services.plan
    blocks = client_blocks(plan)
    missing = sum(len(_missing(services, block, number)) for block in blocks for number in range(plan.rounds))
    planned = plan.rounds * sum(len(block.rounds) for block in blocks)
    seconds = plan.rounds * client_seconds(plan, services.work.expect)
    services.work.expect_further(missing, seconds * missing / max(1, planned))


def measure_clients(services: RunServices, runner: ClientRunner, number: int, may_go_on: Callable[[], bool]) -> None:
    """Measure the client rounds of a round, those that are there already left out.

    Args:
        services: The services of the run.
        runner: Gives clients their processes; it is closed at the end.
        number: The round.
        may_go_on: Returns whether anything may still begin.
    """
    blocks = [block for block in client_blocks(services.plan) if _missing(services, block, number)]
    random.Random(f"{services.plan.seed}/{number}/clients").shuffle(blocks)  # noqa: S311 - an order, not a secret
    with contextlib.closing(runner):
        for block in blocks:
            if not may_go_on():
                return
            ClientBlockRound(services, runner, block, number).run(may_go_on)


def _missing(services: RunServices, block: ClientBlock, number: int) -> list[ClientRound]:
    """Return what is still to be measured of a block in a round, without results."""
    done = {(entry.key, entry.round) for entry in services.client_rounds}
    rounds = (replace(planned, round=number) for planned in block.rounds)
    return [planned for planned in rounds if (planned.key, number) not in done and not is_given_up(services, planned)]


def is_given_up(services: RunServices, planned: ClientRound) -> bool:
    """Return whether clients were late in so many rounds in a row that no further one is measured."""
    last = [entry for entry in services.client_rounds if entry.key == planned.key][-MOST_LATE:]
    return len(last) == MOST_LATE and all(map(_was_late, last))


@dataclass
class ClientBlockRound:
    """The client rounds of one method, dataset and number of images in a round: all on one store."""

    services: RunServices
    runner: ClientRunner
    block: ClientBlock
    number: int

    def run(self, may_go_on: Callable[[], bool]) -> None:
        """Build and verify the store, measure all rounds on it, and remove it."""
        planned = shuffled_rounds(_missing(self.services, self.block, self.number), self.services.plan.seed)
        location = self.services.new_location(self.block.spec)
        try:
            for step in (Step.PREPARE, Step.VERIFY):
                outcome = self._execute(step, location)
                if outcome.cancelled:
                    return
                if not outcome.ok:
                    self._record_all(
                        planned, f"Not run, because the store could not be built: {outcome.reason}", outcome
                    )
                    return
            for entry in planned:
                if not may_go_on():
                    return
                if not is_given_up(self.services, entry):
                    self._measure(entry, location)
        finally:
            # What is left, as of a stopped run, is removed with the run's folder.
            if not self.services.stopped:
                self._execute(Step.DESTROY, location)

    def _record_all(self, planned: list[ClientRound], reason: str, outcome: TrialOutcome) -> None:
        for entry in planned:
            self.services.record_client_round(replace(entry, status=outcome.status, reason=reason, started_at=_now()))

    def _execute(self, step: Step, location: Location) -> TrialOutcome:
        entry = self.block.rounds[0]
        request = self._request(step, entry, location)
        return self.services.execute(self._cell(entry.operation), self.number, request)

    def _cell(self, operation: Operation) -> Cell:
        block, plan = self.block, self.services.plan
        return Cell(
            block.dataset, block.spec.label, operation, block.cutoff, CacheState.HOT, None, plan.payload,
            scratch=plan.scratch or "",
        )  # fmt: skip

    @property
    def _data(self) -> ClientData:
        """How machines that do not see the files of the run make the pictures to compare with."""
        facts, plan = self.services.facts[self.block.dataset], self.services.plan
        originals = registry.codecs.get(self.block.spec.codec).from_file
        return ClientData(facts.text, images_needed(plan, facts.text), originals, facts.fingerprint)

    def _request(self, step: Step, entry: ClientRound, location: Location) -> TrialRequest:
        plan = self.services.plan
        return TrialRequest(
            step=step,
            spec=self.block.spec,
            operation=entry.operation,
            cutoff=self.block.cutoff,
            location=public_text(location),
            pixel_cache=str(self.services.pixel_cache(self.block.dataset)),
            workspace=str(self.services.folder.workspace),
            payload=plan.payload,
            cache=CacheState.HOT,
            batch=plan.batch,
            seed=f"{plan.seed}/{self.number}/{self.block.dataset}/{self.block.cutoff}",
        )

    def _measure(self, entry: ClientRound, location: Location) -> None:
        entry = replace(entry, started_at=_now())
        try:
            workers = self.runner.start(entry.clients, self.services.cancel)[: entry.clients]
        except ImgstoreError as error:
            if self.services.stopped:
                return
            self.services.record_client_round(replace(entry, status=Status.FAILED, reason=str(error)))
            return
        entry = replace(entry, shares_cores=self._shares_cores(entry.clients, workers))
        if refusal := self._refusal(workers):
            self.services.record_client_round(replace(entry, status=Status.SKIPPED, reason=refusal))
            return
        trial = self._request(Step.TRIAL, entry, location)
        requests = tuple(
            ClientRequest(
                trial, number, entry.clients, entry.work, entry.window_s, None if worker.sees_scratch else self._data
            )
            for number, worker in enumerate(workers)
        )
        self.services.listen(TrialStarted(self._cell(entry.operation), self.number, "clients"))
        outcomes = self.runner.run(requests, LIMIT_S, self.services.cancel)
        if outcomes:
            self.services.record_client_round(self._with_outcomes(entry, outcomes))

    def _refusal(self, workers: tuple[ClusterWorker, ...]) -> str:
        """Return why clients on these workers cannot read the store; empty if they can."""
        blind = next((worker for worker in workers if not worker.sees_scratch), None)
        if blind is None or issubclass(registry.backends.get(self.block.spec.backend), ServerBackend):
            return ""
        return (
            f"{blind.machine} does not see the files of {self.services.folder.path}, so its clients cannot read this "
            "store. Name a folder that every machine has at the same path with --scratch."
        )

    def _shares_cores(self, clients: int, workers: tuple[ClusterWorker, ...]) -> bool | None:
        """Return whether clients and server, or more clients than cores, run on the same cores."""
        per_machine: dict[str, list[ClusterWorker]] = {}
        for worker in workers:
            per_machine.setdefault(worker.machine, []).append(worker)
        if any(len(there) > there[0].cores for there in per_machine.values()):
            return True
        backend = registry.backends.get(self.block.spec.backend)
        if not issubclass(backend, ServerBackend):
            return False
        server = next((facts for facts in self.services.servers if facts.backend == backend.name), None)
        if server is None or server.same_host is None:
            return None
        if server.same_host:
            return any(worker.same_machine for worker in workers)
        # A server elsewhere may be on the machine of a client, unless all clients are here.
        return False if all(worker.same_machine for worker in workers) else None

    def _with_outcomes(self, entry: ClientRound, outcomes: tuple[ClientOutcome, ...]) -> ClientRound:
        results = tuple(_result(outcome) for outcome in outcomes)
        entry = replace(entry, results=results, verified=True, warnings=tuple(_clock_warnings(outcomes)))
        failed = [result for result in results if result.status is not Status.OK]
        if failed:
            status = Status.SKIPPED if all(result.status is Status.SKIPPED for result in failed) else Status.FAILED
            first = failed[0]
            reason = f"Client {first.number + 1} of {entry.clients} on {first.machine} has no figures: {first.reason}"
            return replace(entry, status=status, reason=reason)
        if late := [result for result in results if (result.late_s or 0.0) > LATE_S]:
            return replace(entry, status=Status.SKIPPED, reason=self._late_reason(entry, late[0]))
        return entry

    def _late_reason(self, entry: ClientRound, late: ClientResult) -> str:
        text = (
            f"Client {late.number + 1} of {entry.clients} on {late.machine} began {format_seconds(late.late_s or 0.0)} "
            "after the agreed instant."
        )
        before = [other for other in self.services.client_rounds if other.key == entry.key][1 - MOST_LATE :]
        if len(before) == MOST_LATE - 1 and all(_was_late(other) for other in before):
            return f"Unsure: clients were late in {MOST_LATE} rounds in a row, and no further one is measured. {text}"
        return f"Thrown away: {text}"


def _was_late(entry: ClientRound) -> bool:
    return any((result.late_s or 0.0) > LATE_S for result in entry.results)


def _result(outcome: ClientOutcome) -> ClientResult:
    common = ClientResult(
        outcome.number, outcome.machine,
        clock_offset_s=outcome.clock_offset_s, clock_uncertainty_s=outcome.clock_uncertainty_s,
    )  # fmt: skip
    figures = outcome.figures
    if figures is None:
        status = Status.SKIPPED if outcome.skipped else Status.FAILED
        return replace(common, status=status, reason=outcome.reason)
    return replace(
        common,
        images=figures.images,
        pixel_bytes=figures.pixel_bytes,
        seconds=figures.seconds,
        begin_s=figures.begin_s,
        late_s=figures.late_s,
        requests=figures.requests,
        latency_s=figures.latency_s,
    )


def _clock_warnings(outcomes: tuple[ClientOutcome, ...]) -> Iterator[str]:
    said = set[str]()
    for outcome in outcomes:
        offset = outcome.clock_offset_s
        if offset is not None and abs(offset) > OFF_S and outcome.machine not in said:
            said.add(outcome.machine)
            yield (
                f"the clock of {outcome.machine} is {format_seconds(abs(offset))} {'fast' if offset > 0 else 'slow'} "
                f"(give or take {format_seconds(outcome.clock_uncertainty_s or 0.0)}); it was taken off"
            )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
