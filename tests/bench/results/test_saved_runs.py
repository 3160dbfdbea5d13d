"""Saved runs are summarized, renamed and deleted; a running one is followed and left alone."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.results.follow import follow_run
from imgstore_tui.bench.results.journal import Journal, find_run, read_journal, saved_runs
from imgstore_tui.bench.results.lock import RunLock
from imgstore_tui.bench.results.saved_runs import delete, newest_first, read_saved_run, rename
from imgstore_tui.bench.results.state import RunPhase, RunState, reduce
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.core.errors import DataError, UnavailableError, UsageError
from imgstore_tui.core.events import Event, Progress, TrialFinished
from imgstore_tui.present.text.saved_run import (
    completed_text,
    deletion_question,
    description_text,
    failed_text,
    started_text,
)
from imgstore_tui.testing.fake_runs import fake_run
from tests.support.saved_runs import save_journal


def test_a_run_at_a_glance() -> None:
    path = save_journal(fake_run(rounds=2, failures={"lmdb/read-one": "no"}))
    saved = read_saved_run(path)
    assert (saved.measured, saved.trials, saved.failed, saved.status) == (102, 102, 8, "finished")
    assert saved.size_bytes == path.stat().st_size
    assert not saved.can_be_resumed
    assert started_text(saved.run) == "2026-01-02 03:04"
    assert (completed_text(saved), failed_text(saved)) == ("102", "8")
    assert "disk, lmdb, hdf5 on synthetic images" in description_text(saved)
    assert "N=1,10,100,1k" in description_text(saved)


def test_a_run_without_an_end_is_incomplete_and_can_be_resumed() -> None:
    run = fake_run(rounds=2)
    saved = read_saved_run(save_journal(replace(run, measurements=run.measurements[:40]), end=False))
    assert (saved.status, completed_text(saved), failed_text(saved)) == ("interrupted", "40 of 102", "none")
    assert saved.can_be_resumed


def test_a_broken_file_says_so_among_the_others() -> None:
    good = save_journal(fake_run(rounds=1))
    bad = runs_folder() / "20270101-000000-[red]\x1b.jsonl"
    bad.write_text("{}\n")
    first, second = newest_first()
    assert (first.path, first.status, first.run) == (bad, "unreadable", None)
    assert "is not a run of this program" in description_text(first)
    assert "\x1b" not in description_text(first) + deletion_question(first)
    assert (second.path, second.status) == (good, "finished")
    delete(bad)
    assert saved_runs() == [good]


def test_a_run_is_known_by_its_name() -> None:
    path = save_journal(fake_run(rounds=1))
    assert rename(path, "  nvme,\tsecond  try ") == "nvme, second try"
    assert read_journal(path).title == read_saved_run(path).name == "nvme, second try"
    assert find_run("nvme, second try") == path
    assert "'nvme, second try' (20260102-030405-fake), all its 51 trials" in deletion_question(read_saved_run(path))
    assert rename(path, "") == ""
    assert read_saved_run(path).name == path.stem
    with pytest.raises(UsageError, match="no file, no id, no name"):
        find_run("nvme, second try")


def test_a_name_is_one_runs_alone_and_not_too_long() -> None:
    one = save_journal(replace(fake_run(rounds=1), id="20260101-000000-one"))
    other = save_journal(replace(fake_run(rounds=1), id="20260101-000000-two"))
    rename(one, "mine")
    rename(one, "mine")
    for name in ("mine", one.stem):
        with pytest.raises(UsageError, match="is called"):
            rename(other, name)
    with pytest.raises(UsageError, match="at most 60 characters"):
        rename(other, "x" * 61)
    for name in ("last", "/etc/passwd", "a/b"):
        with pytest.raises(UsageError, match="not 'last' and holds no '/'"):
            rename(other, name)
    assert read_journal(other).title == ""


def test_renaming_mends_a_torn_line_and_loses_nothing() -> None:
    path = save_journal(fake_run(rounds=1), end=False)
    with path.open("ab") as file:
        file.write(b'{"kind":"measurement","spec":"torn')
    rename(path, "mended")
    run = read_journal(path)
    assert (len(run.measurements), run.title, run.status) == (51, "mended", "interrupted")


def test_what_is_no_saved_run_is_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "precious.jsonl"
    foreign.write_text("mine")
    for action in (lambda: delete(foreign), lambda: rename(foreign, "x")):
        with pytest.raises(UsageError, match="is no saved run"):
            action()
    assert foreign.read_text() == "mine"
    broken = runs_folder() / "broken.jsonl"
    broken.parent.mkdir(parents=True)
    broken.write_text("what?\n")
    with pytest.raises(DataError, match="is not a run"):
        rename(broken, "x")
    assert broken.read_text() == "what?\n"


def test_a_journal_that_is_written_is_held() -> None:
    run = fake_run(rounds=1)
    journal = Journal.begin(run)
    for action in (
        lambda: delete(journal.path), lambda: rename(journal.path, "x"), lambda: Journal.resume(journal.path, "now"),
    ):  # fmt: skip
        with pytest.raises(UnavailableError, match="is being written by another process"):
            action()
    with RunLock() as lock:
        lock.set_holder(f"run {run.id}")
        assert read_saved_run(journal.path).status == "running"
        assert not read_saved_run(journal.path).can_be_resumed
        with pytest.raises(UnavailableError, match="is going on"):
            delete(journal.path)
    journal.add(run.measurements[0])
    journal.close()
    assert len(read_journal(journal.path).measurements) == 1
    delete(journal.path)
    assert saved_runs() == []


def test_a_run_that_is_over_is_told_at_once() -> None:
    run = fake_run(rounds=2)
    path = save_journal(run)
    events: list[Event] = []
    followed = follow_run(path, cancel=threading.Event(), listen=events.append)
    state = RunState()
    for event in events:
        state = reduce(state, event)
    assert state.phase is RunPhase.FINISHED
    assert state.run == followed == read_journal(path)
    assert len(state.cells) == 51
    assert state.journal == str(path)


def test_a_run_of_another_process_is_watched_as_it_goes_on() -> None:
    run = fake_run(rounds=1)
    events: list[Event] = []
    with RunLock() as lock:
        lock.set_holder(f"run {run.id}")
        journal = Journal.begin(run)
        journal.add(run.measurements[0])

        def listen(event: Event) -> None:
            events.append(event)
            trials = sum(isinstance(entry, TrialFinished) for entry in events)
            if isinstance(event, Progress) and trials < 4:
                journal.add(run.measurements[trials])
            elif isinstance(event, Progress) and read_journal(journal.path).finished_at is None:
                journal.end("finished", "now")

        followed = follow_run(journal.path, cancel=threading.Event(), listen=listen)
        journal.close()
    assert (followed.status, followed.measurements) == ("finished", run.measurements[:4])
    assert [event.measurement for event in events if isinstance(event, TrialFinished)] == list(run.measurements[:4])
    shares = [event.fraction for event in events if isinstance(event, Progress)]
    assert shares == sorted(shares)
    assert 0 < shares[0] < 1


def test_watching_can_be_left() -> None:
    run, cancel = fake_run(rounds=1), threading.Event()
    with RunLock() as lock:
        lock.set_holder(f"run {run.id}")
        journal = Journal.begin(run)
        cancel.set()
        assert follow_run(journal.path, cancel=cancel, listen=lambda _: None).status == "interrupted"
        journal.close()
