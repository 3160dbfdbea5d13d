"""A run, with an executor that answers at once; and one with real children."""

from __future__ import annotations

import collections
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imgstore_tui.bench.protocol.messages import Flag, Step, TrialOutcome, TrialRequest
from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.results.lock import RunLock
from imgstore_tui.bench.results.state import RunPhase, RunState, reduce, reduce_all
from imgstore_tui.bench.run.runner import resume_run, run_plan
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.core.backend import Capabilities
from imgstore_tui.core.errors import DataError, ImgstoreError, UnavailableError, UsageError
from imgstore_tui.core.events import Event, Progress, RunFinished, RunStarted, TrialFinished, TrialStarted, Warned
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.core.operations import Operation, Status, SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.testing.fake_executor import FakeExecutor, fake_outcome
from tests.support.entry_points import offer
from tests.support.plans import small_plan


def run_fake(plan: Plan, executor: FakeExecutor | None = None, **arguments: object) -> tuple[Run, list[Event]]:
    events: list[Event] = []
    run = run_plan(plan, executor=executor or FakeExecutor(), listen=events.append, **arguments)  # type: ignore[arg-type]
    return run, events


def test_no_more_time_is_left_than_the_budget_lets() -> None:
    _, events = run_fake(small_plan(budget_s=1.0, rounds=20))
    expected = next(event.expected_s for event in events if isinstance(event, RunStarted))
    left = [event.remaining_s for event in events if isinstance(event, Progress) and event.remaining_s is not None]
    assert expected > 10
    assert left
    # What has begun when it is spent comes to its end: a trial, of the many that there would be.
    assert max(left) < expected / 4


def test_a_change_is_half_done_when_half_of_its_images_are() -> None:
    class Half(FakeExecutor):
        def run(
            self, request: TrialRequest, limit_s: float, on_progress: Callable[[int], None], cancel: Flag
        ) -> TrialOutcome:
            if request.step is Step.TRIAL:
                on_progress(5)
            return super().run(request, limit_s, on_progress, cancel)

    _, events = run_fake(small_plan("lmdb", rounds=1, cutoffs=(1000,), operations=(Operation.APPEND,)), Half())
    shares = [event.fraction for event in events if isinstance(event, Progress) and event.images_done == 5]
    assert shares == [pytest.approx(0.5)], "of the ten images that are a hundredth of the store"


def test_every_cell_is_measured_once_a_round() -> None:
    run, events = run_fake(small_plan())
    started = next(event for event in events if isinstance(event, RunStarted))
    assert run.status == "finished"
    for cell in started.cells:
        rounds = [m.round for m in run.measurements if m.cell == cell]
        assert sorted(rounds) == [0, 1]
    assert len(run.measurements) == 2 * len(started.cells) == 2 * 2 * (2 + 1 + 3 + 1)
    assert all(m.status is Status.OK and m.verified for m in run.measurements)
    assert list(Path.cwd().iterdir()) == []


def test_the_journal_holds_what_the_listener_hears_before_it_hears_it() -> None:
    seen: list[int] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrialFinished):
            saved = read_journal(saved_runs()[0])
            assert saved.measurements[-1] == event.measurement
            seen.append(len(saved.measurements))

    run = run_plan(small_plan(), executor=FakeExecutor(), listen=listen)
    assert seen == list(range(1, len(run.measurements) + 1))
    assert read_journal(runs_folder() / f"{run.id}.jsonl") == run


def test_the_state_that_events_make_is_the_run() -> None:
    run, events = run_fake(small_plan())
    state = RunState()
    for event in events:
        state = reduce(state, event)
    assert reduce_all(RunState(), events) == state
    assert state.phase is RunPhase.FINISHED
    assert state.run == run
    assert state.fraction == 1.0
    assert isinstance(events[-1], RunFinished)
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert fractions
    assert all(0 <= fraction <= 1 for fraction in fractions)


def test_a_write_is_verified_before_it_counts_and_reads_use_its_store() -> None:
    executor = FakeExecutor()
    run_fake(
        small_plan("disk", rounds=1, cutoffs=(20,), operations=(Operation.WRITE_MANY, Operation.READ_MANY)), executor
    )
    steps = [(request.step, request.operation) for request in executor.requests]
    assert steps == [
        (Step.TRIAL, Operation.WRITE_MANY),
        (Step.VERIFY, Operation.WRITE_MANY),
        (Step.TRIAL, Operation.READ_MANY),
    ]
    assert len({request.location for request in executor.requests}) == 1


def test_reads_without_a_write_get_a_store_built_off_the_clock() -> None:
    executor = FakeExecutor()
    run, _ = run_fake(small_plan("disk", rounds=1, operations=(Operation.READ_ONE, Operation.READ_MANY)), executor)
    assert [request.step for request in executor.requests] == [Step.PREPARE, Step.VERIFY, Step.TRIAL, Step.TRIAL] * 2
    assert {m.operation for m in run.measurements} == {Operation.READ_ONE, Operation.READ_MANY}


def test_each_sync_level_is_written_and_verified() -> None:
    executor = FakeExecutor()
    both = (SyncLevel.BUFFERED, SyncLevel.END)
    run, _ = run_fake(
        small_plan("disk", rounds=1, cutoffs=(20,), operations=(Operation.WRITE_MANY,), sync=both), executor
    )
    assert [m.sync for m in run.measurements] == list(both)
    assert [request.step for request in executor.requests] == [Step.TRIAL, Step.VERIFY] * 2


def fail(step: Step, operation: Operation, reason: str = "It burns.") -> FakeExecutor:
    def answer(request: TrialRequest) -> TrialOutcome:
        if (request.step, request.operation) == (step, operation):
            return TrialOutcome(False, reason)
        return fake_outcome(request)

    return FakeExecutor(answer)


def test_a_store_that_is_wrong_has_no_score_and_its_reads_do_not_run() -> None:
    executor = fail(Step.VERIFY, Operation.WRITE_MANY, "Image 3 came back with other pixels than were stored.")
    run, _ = run_fake(small_plan("disk", rounds=1, cutoffs=(20,)), executor)
    write = next(m for m in run.measurements if m.operation is Operation.WRITE_MANY)
    assert (write.status, write.seconds, write.samples, write.verified) == (Status.FAILED, None, (), False)
    assert write.reason == "Read back and found wrong: Image 3 came back with other pixels than were stored."
    assert write.allocated_bytes is not None
    reads = [m for m in run.measurements if not m.operation.writes]
    assert {m.status for m in reads} == {Status.FAILED}
    assert all("because write-many failed: Read back and found wrong: Image 3" in str(m.reason) for m in reads)


def test_a_failed_preparation_fails_the_reads_that_depend_on_it_by_name() -> None:
    run, _ = run_fake(
        small_plan("disk", rounds=1, operations=(Operation.READ_MANY,)), fail(Step.PREPARE, Operation.READ_MANY)
    )
    assert {m.reason for m in run.measurements} == {"Not run, because the store to read could not be built: It burns."}


def test_where_a_store_is_not_claimed_what_depends_on_it_is_skipped_and_has_not_failed() -> None:
    def answer(request: TrialRequest) -> TrialOutcome:
        unsupported = (request.step, request.operation) in {
            (Step.TRIAL, Operation.WRITE_MANY),
            (Step.PREPARE, Operation.APPEND),
        }
        return TrialOutcome(False, "Codec x takes no grey.", skipped=True) if unsupported else fake_outcome(request)

    operations = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.APPEND)
    run, _ = run_fake(small_plan("disk", rounds=1, cutoffs=(20,), operations=operations), FakeExecutor(answer))
    assert {m.status for m in run.measurements} == {Status.SKIPPED}
    assert {m.reason for m in run.measurements} == {
        "Codec x takes no grey.",
        "Not run, because write-many was skipped: Codec x takes no grey.",
        "Not run, because the store to change could not be built: Codec x takes no grey.",
    }


def test_one_failed_trial_leaves_the_others_alone() -> None:
    run, _ = run_fake(small_plan(), fail(Step.TRIAL, Operation.READ_ONE))
    failed = {m.operation for m in run.measurements if m.status is Status.FAILED}
    assert failed == {Operation.READ_ONE}
    assert run.status == "finished"


def test_stopping_keeps_what_was_measured_and_leaves_nothing() -> None:
    cancel = threading.Event()
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if sum(isinstance(event, TrialFinished) for event in events) == 5:
            cancel.set()

    run = run_plan(small_plan(), executor=FakeExecutor(), cancel=cancel, listen=listen)
    assert run.status == "stopped"
    assert len(run.measurements) == 5
    assert read_journal(saved_runs()[0]) == run
    assert list(Path.cwd().iterdir()) == []


def test_a_stopped_run_is_resumed_and_only_what_is_missing_is_measured() -> None:
    cancel = threading.Event()
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if sum(isinstance(event, TrialFinished) for event in events) == 5:
            cancel.set()

    first = run_plan(small_plan(), executor=FakeExecutor(), cancel=cancel, listen=listen)
    path = saved_runs()[0]
    with path.open("ab") as journal:
        journal.write(b'{"kind":"measurement","spec":"torn')
    executor = FakeExecutor()
    run = resume_run(path, executor=executor)
    whole, _ = run_fake(small_plan())
    assert run.status == "finished"
    # The rule that ended a cell's rounds is known at the end: none for cells whose rounds were cut off by the stop.
    assert {m.stop for m in first.measurements} == {None}
    assert {m.stop for m in run.measurements} == {"rounds"}
    assert tuple(replace(m, stop=None) for m in run.measurements[:5]) == first.measurements
    assert sorted(map(repr, ((m.cell, m.round) for m in run.measurements))) == sorted(
        map(repr, ((m.cell, m.round) for m in whole.measurements))
    )
    trials = [request for request in executor.requests if request.step is Step.TRIAL]
    assert len(trials) == len(whole.measurements) - 5
    assert read_journal(path) == replace(run, plan=first.plan)
    with pytest.raises(UsageError, match="is complete"):
        resume_run(path, executor=FakeExecutor())
    assert list(Path.cwd().iterdir()) == []


def test_a_run_whose_data_changed_is_not_resumed(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "photos").mkdir()
    Image.new("L", (8, 8), 1).save(tmp_path / "photos" / "a.png")
    run_fake(small_plan("disk", datasets=(f"folder:{tmp_path / 'photos'}",), budget_s=1e-9))
    Image.new("L", (8, 8), 2).save(tmp_path / "photos" / "a.png")
    with pytest.raises(DataError, match="is not what it was"):
        resume_run(saved_runs()[0], executor=FakeExecutor())


def test_a_run_of_a_folder_below_the_place_where_it_was_begun_is_resumed(tmp_path: Path) -> None:
    (Path.cwd() / "photos").mkdir()
    for number in range(3):
        Image.new("L", (8, 8), number).save(Path.cwd() / "photos" / f"{number}.png")
    run_fake(small_plan("disk", datasets=("folder:photos",), budget_s=1e-9))
    run = resume_run(saved_runs()[0], executor=FakeExecutor())
    assert run.status == "finished"
    assert run.environment.scratch == str(Path.cwd().resolve())


def test_a_run_is_not_resumed_in_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tmp_path / "before"
    before.mkdir()
    monkeypatch.chdir(before)
    run_fake(small_plan("disk", budget_s=1e-9))
    monkeypatch.chdir(tmp_path)
    before.rmdir()
    with pytest.raises(UnavailableError, match="was begun in"):
        resume_run(saved_runs()[0], executor=FakeExecutor())


def test_what_the_first_round_leaves_out_is_measured_where_there_is_time() -> None:
    plan = small_plan(cutoffs=(10, 100), rounds=3, budget_s=3600.0, looks=True)
    run, _ = run_fake(plan)
    assert run.status == "finished"
    assert not any("time budget" in text for text in run.warnings)
    rounds = collections.Counter(m.cell for m in run.measurements)
    assert {cell.cutoff for cell in rounds} == {1, 10, 100}
    assert set(rounds.values()) == {3}


def test_a_spent_budget_ends_the_run_and_says_so() -> None:
    run, events = run_fake(small_plan(budget_s=1e-9))
    assert run.status == "budget"
    assert "time budget" in run.warnings[-1]
    assert read_journal(saved_runs()[0]) == run
    assert any(isinstance(event, Warned) for event in events)
    whole = resume_run(saved_runs()[0], executor=FakeExecutor())
    assert whole.status == "finished"
    assert not any("time budget" in text for text in (*whole.warnings, *read_journal(saved_runs()[0]).warnings))


def test_a_forecast_of_a_spent_budget_is_gone_when_the_run_has_finished() -> None:
    run, events = run_fake(small_plan("lmdb", "disk", cutoffs=(100_000,), budget_s=60.0, rounds=6))
    assert any("is enough for about" in event.text for event in events if isinstance(event, Warned))
    assert run.status == "finished"
    assert run.warnings == read_journal(saved_runs()[0]).warnings == ()


def test_a_budget_too_short_for_a_verdict_is_told_before_it_is_spent() -> None:
    run, _ = run_fake(small_plan(budget_s=1e-9, rounds=6))
    assert "is enough for about" in run.warnings[0]
    assert not any(
        "is enough for about" in text for text in run_fake(small_plan(budget_s=3600.0, rounds=6))[0].warnings
    )


def test_which_rule_ended_the_rounds_of_a_cell_is_told() -> None:
    events: list[Event] = []
    plan = small_plan("disk", rounds=2, budget_s=3600.0)

    def listen(event: Event) -> None:
        events.append(event)
        if sum(isinstance(event, TrialFinished) for event in events) == 8:
            # Of the six cells two have had their second turn, or more, whatever the order.
            time_flies()

    def time_flies() -> None:
        monkeypatched.setattr(time, "monotonic", lambda: real() + 7200)

    real = time.monotonic
    with pytest.MonkeyPatch.context() as monkeypatched:
        run = run_plan(plan, executor=FakeExecutor(), listen=listen)
    assert run.status == "budget"
    rounds = collections.Counter(m.cell for m in run.measurements)
    assert {m.stop for m in run.measurements} == {"rounds", "budget"}
    assert all((m.stop == "rounds") == (rounds[m.cell] == 2) for m in run.measurements)
    assert read_journal(saved_runs()[0]) == run


def test_images_that_are_repeated_are_said_to_be(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "photos").mkdir()
    for number in range(3):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "photos" / f"{number}.png")
    run, _ = run_fake(small_plan("disk", rounds=1, datasets=(f"folder:{tmp_path / 'photos'}",)))
    assert run.datasets[0].repeated
    assert any("3 images" in warning for warning in run.warnings)
    big = next(m for m in run.measurements if m.cutoff == 20)
    assert big.warnings == ("3 images repeated to 20",)
    assert next(m for m in run.measurements if m.cutoff == 1).warnings == ()


def test_what_a_codec_drops_of_the_pixels_is_said_with_the_number_of_images(tmp_path: Path) -> None:
    for number, mode in enumerate(["RGB", "RGBA", "RGBA", "I;16"]):
        Image.new(mode, (9, 7)).save(tmp_path / f"{number}.png")
    plan = small_plan("disk+jpeg", "lmdb+jpeg", "disk", datasets=(f"folder:{tmp_path}",), cutoffs=(4,), scratch=None)
    run, _ = run_fake(replace(plan, operations=(Operation.WRITE_MANY,)))
    assert [warning for warning in run.warnings if "drops" in warning] == [
        f"folder:{tmp_path}: 2 images have an alpha channel; jpeg drops transparency.",
        f"folder:{tmp_path}: 1 image has 16 bits a channel; jpeg drops 16-bit depth.",
    ]


def test_only_one_run_at_a_time() -> None:
    refused: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrialStarted) and not refused:
            with pytest.raises(UnavailableError) as caught:
                run_fake(small_plan())
            refused.append(str(caught.value))

    run = run_plan(small_plan(), executor=FakeExecutor(), listen=listen)
    (sentence,) = refused
    assert sentence.startswith(f"Another run is going on (run {run.id}, process {os.getpid()} of the user ")
    assert f"watch it (imgstore-tui show {run.id} --follow)" in sentence
    assert f"(kill {os.getpid()})" in sentence
    assert sentence.endswith("More: imgstore-tui help sweep.")


@pytest.mark.parametrize("change", [{"scratch": "/nowhere/at/all"}, {"datasets": ("folder:/nowhere/at/all",)}])
def test_what_cannot_run_is_refused_before_another_run_is_waited_for(change: dict[str, Any]) -> None:
    with RunLock(), pytest.raises(ImgstoreError, match="/nowhere/at/all"):
        run_plan(replace(small_plan(), **change), executor=FakeExecutor())


@pytest.mark.parametrize(
    ("change", "kind", "word"),
    [
        ({"datasets": ("synthetic,size=7",)}, UsageError, "size"),
        ({"datasets": ("folder:/nowhere/at/all",)}, DataError, "/nowhere/at/all"),
        ({"scratch": "/nowhere/at/all"}, UsageError, "--scratch"),
        ({"specs": (resolve_spec("disk+original"),)}, DataError, "original"),
        ({"cutoffs": (90_000_000,)}, UnavailableError, "fewer cutoffs"),
    ],
)
def test_what_cannot_run_is_refused_before_the_first_trial(
    change: dict[str, object], kind: type[ImgstoreError], word: str
) -> None:
    with pytest.raises(kind) as caught:
        run_fake(small_plan(**change))
    assert word in str(caught.value)
    assert list(Path.cwd().iterdir()) == []
    assert saved_runs() == []


def test_scratch_in_the_data_is_refused(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(UsageError, match="lies in the data"):
        run_fake(small_plan(datasets=(f"folder:{tmp_path}",), scratch=str(tmp_path)))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.sample_first
@pytest.mark.parametrize("workers", [1, 2])
def test_a_run_with_real_children_is_whole_and_leaves_nothing(workers: int) -> None:
    operations = tuple(operation for operation in Operation if not operation.changes)
    run = run_plan(small_plan(rounds=1, operations=operations, workers=workers))
    assert run.status == "finished"
    assert {m.status for m in run.measurements} == {Status.OK}, [m.reason for m in run.measurements]
    for m in run.measurements:
        assert m.verified
        assert m.seconds is not None
        assert m.start == "fork"
        phases = [value or 0 for value in (m.open_s, m.storage_s, m.codec_s, m.sync_s, m.close_s)]
        if workers == 1:
            assert sum(phases) == pytest.approx(m.seconds)
        else:
            shared = m.operation in (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)
            assert any("workers' seconds" in warning for warning in m.warnings) == shared
        if m.operation.writes:
            assert m.drain_s is not None
            assert m.allocated_bytes
        else:
            assert m.resident_before == 1.0
    assert list(Path.cwd().iterdir()) == []


def test_what_a_backend_does_not_claim_is_skipped_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(tmp_path, {"imgstore_tui.backends": {"ledger": "tests.outside.ledger:Ledger"}}, monkeypatch)
    executor = FakeExecutor()
    run, _ = run_fake(small_plan("ledger", rounds=1, cutoffs=(20,), operations=(Operation.DELETE,)), executor)
    assert [(m.status, m.reason) for m in run.measurements] == [
        (Status.SKIPPED, "Backend ledger does not claim delete.")
    ]
    assert executor.requests == []


def test_reads_that_a_backend_does_not_claim_are_skipped_and_the_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        registry.backends.get("disk"), "capabilities", Capabilities(random_access=False, labels_apart=False)
    )
    operations = tuple(operation for operation in Operation if not operation.writes)
    run, _ = run_fake(small_plan("disk", rounds=1, cutoffs=(20,), operations=operations))
    assert {m.operation for m in run.measurements if m.status is Status.OK} == {Operation.READ_MANY}
    assert {m.reason for m in run.measurements if m.status is Status.SKIPPED} == {
        f"Backend disk does not claim {operation}."
        for operation in (Operation.READ_ONE, Operation.GET_ONE, Operation.READ_RANDOM, Operation.READ_LABELS)
    }


def test_open_files_do_not_pile_up() -> None:
    plan = small_plan("disk", rounds=1, cutoffs=(1,), operations=(Operation.READ_ONE,))
    run_plan(plan)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    run_plan(plan)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_run_that_is_stopped_while_images_are_made_does_not_blame_them() -> None:
    cancel = threading.Event()

    cancel.set()  # before the first image, as by a key pressed while a large data set is prepared
    with pytest.raises(ImgstoreError, match="Stopped before the first trial"):
        run_plan(small_plan(), executor=FakeExecutor(), cancel=cancel, listen=lambda _: None)
