"""What the machine does without a storage method, measured beside the methods of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgstore_tui.bench.protocol.messages import Step
from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.run import ceilings
from imgstore_tui.bench.run.runner import resume_run, run_plan
from imgstore_tui.core.ceiling import CeilingKind
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import CacheState, Operation, Payload, Status, SyncLevel
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.testing.fake_executor import FakeExecutor
from tests.support.plans import small_plan

PLAN = Plan(
    datasets=("synthetic,size=8",),
    specs=(resolve_spec("disk+png"),),
    cutoffs=(20,),
    operations=(Operation.WRITE_MANY, Operation.READ_MANY),
    rounds=1,
    sync=(SyncLevel.BUFFERED, SyncLevel.END),
    ceilings=True,
)


def test_a_real_run_measures_codec_file_and_copy() -> None:
    run = run_plan(PLAN)
    kinds = [(entry.kind, entry.codec, entry.cache, entry.sync) for entry in run.ceilings]
    assert kinds == [
        (CeilingKind.COPY, None, None, None),
        (CeilingKind.FILE_READ, None, CacheState.HOT, None),
        (CeilingKind.FILE_WRITE, None, None, SyncLevel.BUFFERED),
        (CeilingKind.FILE_WRITE, None, None, SyncLevel.END),
        (CeilingKind.ENCODE, "png", None, None),
        (CeilingKind.DECODE, "png", None, None),
    ]
    assert [entry.reason for entry in run.ceilings] == [None] * len(kinds)
    assert all(entry.status is Status.OK and entry.bytes_per_s for entry in run.ceilings)
    codec = [entry for entry in run.ceilings if entry.kind.is_codec]
    assert {(entry.images, entry.bytes) for entry in codec} == {(20, 20 * 8 * 8 * 3)}
    assert read_journal(saved_runs()[0]) == run


def planned(plan: Plan, *, has_files: bool = False) -> list[tuple[CeilingKind, str | None]]:
    return [(entry.kind, entry.codec) for entry in ceilings.planned_ceilings(plan, "data", has_files=has_files)]


def test_each_codec_is_measured_once_and_raw_pixels_have_none() -> None:
    plan = replace(PLAN, specs=(resolve_spec("disk+png"), resolve_spec("sqlite+png"), resolve_spec("npy")))
    assert [codec for _, codec in planned(plan) if codec] == ["png", "png"], "encoded and decoded"
    assert all(codec is None for _, codec in planned(replace(plan, payload=Payload.ENCODED)))


def test_the_users_own_files_are_only_decoded() -> None:
    assert (CeilingKind.DECODE, "original") in planned(PLAN, has_files=True)
    assert (CeilingKind.ENCODE, "original") not in planned(PLAN, has_files=True)
    assert (CeilingKind.DECODE, "original") not in planned(replace(PLAN, baseline=False), has_files=True)


def test_a_plan_of_before_measures_none() -> None:
    executor = FakeExecutor()
    run = run_plan(small_plan(), executor=executor)
    assert run.ceilings == ()
    assert not [request for request in executor.requests if request.step is Step.CEILING]


def test_a_few_rounds_are_enough() -> None:
    run = run_plan(small_plan(rounds=8, ceilings=True), executor=FakeExecutor())
    assert {entry.round for entry in run.ceilings} == set(range(ceilings.ROUNDS))


def test_a_resumed_run_measures_only_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_plan(small_plan(rounds=2, ceilings=True), executor=FakeExecutor())
    path = saved_runs()[0]
    lines = path.read_text().splitlines(keepends=True)
    others = [line for line in lines if '"kind":"ceiling"' not in line or '"kind":"copy"' in line]
    path.write_text("".join(others[:-2]))  # without its last trial and its end
    again = resume_run(path, executor=FakeExecutor())
    assert sorted((entry.key, entry.round) for entry in again.ceilings if entry.kind is CeilingKind.COPY) == sorted(
        (entry.key, entry.round) for entry in run.ceilings if entry.kind is CeilingKind.COPY
    )
    assert {entry.key for entry in again.ceilings} == {entry.key for entry in run.ceilings}
