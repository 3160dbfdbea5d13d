"""Runs the rounds of a run: interleaves the blocks, keeps the time budget, pauses, skips, and ends the run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from imgstore_tui.bench.plan.grid import Block, run_blocks, shuffled_blocks
from imgstore_tui.bench.plan.stop_rule import with_stops
from imgstore_tui.bench.protocol.messages import TrialOutcome
from imgstore_tui.bench.results.past_costs import load_past_costs
from imgstore_tui.bench.run.block_round import BlockRound
from imgstore_tui.bench.run.ceilings import measure_ceilings
from imgstore_tui.bench.run.clients import expect_client_rounds, lacks_client_rounds, measure_clients
from imgstore_tui.bench.run.data_warnings import warnings_of
from imgstore_tui.bench.run.measurement import SKIPPED_BY_USER
from imgstore_tui.bench.run.preflight import short_budget
from imgstore_tui.bench.run.probes import run_probes
from imgstore_tui.bench.run.round_scope import Group, RoundScope, group_of
from imgstore_tui.bench.run.services import RunServices
from imgstore_tui.core.events import CellSkipped, Continued, Paused, RunFinished, RunStarted
from imgstore_tui.core.model import NOT_RESUMABLE, Cell, Probe, Run

PAUSE_POLL_S = 0.05


class RunLoop:
    """One run from its first round to its end."""

    def __init__(self, run: Run, services: RunServices, data_warnings: Sequence[str] = ()) -> None:
        """Prepare a run; a run that is resumed has measurements already.

        Args:
            run: The run so far.
            services: What its trials use.
            data_warnings: Warnings of the datasets.
        """
        self._run = run
        self._plan = run.plan
        self._services = services
        self._data_warnings = data_warnings
        self._blocks = run_blocks(run)
        self._skipped: set[Cell] = set()

    def run(self) -> Run:
        """Run all rounds, or until the budget is spent or the run is stopped; return the run."""
        services = self._services
        if services.client_runner is not None:
            expect_client_rounds(services)
        services.listen(RunStarted(self._run, services.work.cells, services.work.seconds, str(services.journal.path)))
        if not self._run.measurements:
            self._warn_before_first_trial()
        status = self._run_rounds()
        self._skip_unwanted()
        probes = self._probe() if self._plan.probes and status == "finished" else self._run.probes
        if services.stopped:
            status = "stopped"
        finished_at = _now()
        services.journal.end(status, finished_at)
        passed = services.passing_warnings if status == "finished" else ()
        run = with_stops(
            replace(
                self._run,
                measurements=tuple(services.measurements),
                warnings=tuple(text for text in services.warnings if text not in passed),
                probes=probes,
                ceilings=tuple(services.ceilings),
                client_rounds=tuple(services.client_rounds),
                paused_s=self._run.paused_s + services.budget.paused_s,
                status=status,
                finished_at=finished_at,
            )
        )
        services.listen(RunFinished(run))
        return run

    def _warn_before_first_trial(self) -> None:
        services = self._services
        caches = {dataset: services.pixel_cache(dataset) for dataset in services.facts}
        for text in (*self._data_warnings, *warnings_of(self._run, services.facts, caches)):
            services.warn(text)
        image_bytes = {dataset: facts.image_bytes for dataset, facts in services.facts.items()}
        if text := short_budget(self._plan, services.work.cells, image_bytes, load_past_costs()):
            services.warn(text, passing=True)

    def _run_rounds(self) -> str:
        """Run the rounds and return the status of the run."""
        services = self._services
        services.budget.restart()
        scope = RoundScope(self._plan, self._blocks, services.stop_rule, services.work.expect)
        rounds = range(self._plan.rounds)
        # What rounds have left out for want of time is made up for when there turns out to be enough.
        for number, again in ((number, again) for again in (False, True) for number in rounds):
            if services.stop_rule.all_settled:
                break
            if again and not any(self._lacks(block, number) for block in self._blocks):
                continue
            groups = scope.groups(services.budget.left_s)
            if not groups:
                break
            seconds = dict[Group, float]()
            services.executor.begin_round()
            measure_ceilings(services, number)
            for block in shuffled_blocks(self._blocks, self._plan.seed, number):
                if services.stopped:
                    return "stopped"
                if services.budget.left_s < 0:
                    self._warn_of_rest(f"was spent in round {number + 1} of {self._plan.rounds}")
                    return "budget"
                if group_of(block) not in groups or (again and not self._lacks(block, number)):
                    continue
                began = time.monotonic()
                self._run_block(block, number)
                seconds[group_of(block)] = seconds.get(group_of(block), 0.0) + time.monotonic() - began
            scope.add_round(seconds)
            self._measure_clients(number)
        # What is compared may be settled sooner than clients have had their rounds.
        for number in rounds:
            self._measure_clients(number)
        if services.stopped:
            return "stopped"
        if any(lacks_client_rounds(services, number) for number in rounds):
            self._warn_of_rest("did not suffice for all rounds of several clients")
            return "budget"
        if any(self._lacks(block, number) for number in rounds for block in self._blocks):
            self._warn_of_rest("went to some numbers of images first")
            return "budget"
        return "finished"

    def _measure_clients(self, number: int) -> None:
        runner = self._services.client_runner
        if runner is not None and lacks_client_rounds(self._services, number) and self._may_go_on():
            measure_clients(self._services, runner, number, self._may_go_on)

    def _may_go_on(self) -> bool:
        """Wait while the run is paused; return whether anything may still begin."""
        services = self._services
        if services.controls.paused and not services.stopped:
            self._pause()
        return not services.stopped and services.budget.left_s >= 0

    def _lacks(self, block: Block, number: int) -> bool:
        """Whether a block has cells that are wanted in a round and were not measured in it."""
        services = self._services
        return any(
            not services.is_done(cell, number) and not services.stop_rule.is_settled(cell) for cell in block.cells
        )

    def _warn_of_rest(self, why: str) -> None:
        self._services.warn(
            f"The time budget of {self._plan.budget_s:.0f} s {why}; the rest was not run. "
            + (NOT_RESUMABLE if self._run.servers_end else f"Measure it with: imgstore-tui resume {self._run.id}"),
            passing=True,
        )

    def _run_block(self, block: Block, number: int) -> None:
        services = self._services
        if all(services.stop_rule.is_settled(cell) for cell in block.cells):
            return
        block_round = BlockRound(services, block, number)
        for cell in block_round.cells:
            if not self._may_start(cell, number):
                continue
            began = time.monotonic()
            measurement = block_round.measure(cell)
            if measurement is not None:
                services.record(measurement, time.monotonic() - began)
        block_round.remove_stores()

    def _may_start(self, cell: Cell, number: int) -> bool:
        """Wait while the run is paused; return whether a trial of the cell is still wanted in this round."""
        self._skip_unwanted()
        if self._services.controls.paused and not self._services.stopped:
            self._pause()
        services = self._services
        return not (services.stopped or services.is_done(cell, number) or services.stop_rule.is_settled(cell))

    def _pause(self) -> None:
        """Wait until the user resumes the run; the time does not count against the budget."""
        services = self._services
        began = time.monotonic()
        services.journal.pause(_now())
        services.listen(Paused())
        while services.controls.paused and not services.cancel.wait(PAUSE_POLL_S):
            self._skip_unwanted()
        paused_s = time.monotonic() - began
        services.budget.paused_s += paused_s
        services.journal.unpause(paused_s)
        services.listen(Continued(paused_s))

    def _skip_unwanted(self) -> None:
        """Record the trials that the user skips, one per round, so that a resumed run leaves them out, too."""
        services = self._services
        for cell in services.controls.skipped - self._skipped:
            self._skipped.add(cell)
            block = next((block for block in self._blocks if cell in block.cells), None)
            if block is None:
                continue
            services.journal.skip(cell, _now())
            services.listen(CellSkipped(cell))
            for number in range(self._plan.rounds):
                if not services.is_done(cell, number):
                    outcome = TrialOutcome(False, SKIPPED_BY_USER, skipped=True)
                    services.record(services.measurement_of(cell, block.spec, number, outcome))

    def _probe(self) -> tuple[Probe, ...]:
        """Run the probes of all storage methods that have one, on the first dataset."""
        done = {probe.spec for probe in self._run.probes}
        specs = [spec for spec in self._plan.specs if spec.label not in done]
        probes = run_probes(specs, self._plan.datasets[0], self._services)
        for probe in probes:
            self._services.journal.add_probe(probe)
        return (*self._run.probes, *probes)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
