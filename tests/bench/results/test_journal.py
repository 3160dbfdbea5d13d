from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from imgstore_tui.bench.results.journal import Ballast, Journal, find_run, left_ballast, read_journal, saved_runs
from imgstore_tui.core.errors import DataError, UnavailableError, UsageError
from imgstore_tui.core.model import Run
from imgstore_tui.testing.fake_runs import fake_run


@pytest.fixture
def run() -> Run:
    return fake_run()


def write(run: Run, *, end: bool = True) -> Path:
    journal = Journal.begin(run)
    for measurement in run.measurements:
        journal.add(measurement)
    for warning in run.warnings:
        journal.warn(warning)
    if end:
        journal.end(run.status, run.finished_at or "")
    journal.close()
    return journal.path


def test_a_run_comes_back_as_it_was(run: Run) -> None:
    assert read_journal(write(run)) == run


def test_a_journal_is_the_users_alone_and_never_overwritten(run: Run) -> None:
    path = write(run)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UnavailableError, match="File exists"):
        Journal.begin(run)


def test_what_cannot_be_removed_beside_it_is_no_error(run: Run) -> None:
    """As where a folder has become immutable, or its device read-only."""
    journal = Journal.begin(run)
    ballast = journal.path.with_suffix(".ballast")
    ballast.unlink()
    ballast.mkdir()
    journal.end("finished", run.finished_at or "")
    assert read_journal(journal.path).status == "finished"


def test_a_journal_that_was_removed_is_not_written_on(run: Run) -> None:
    """The file would take it all, and nobody would ever find it."""
    journal = Journal.begin(run)
    journal.add(run.measurements[0])
    journal.path.unlink()
    with pytest.raises(UnavailableError, match="was removed while the run went on"):
        journal.add(run.measurements[1])
    journal.close()


def test_without_an_end_it_was_interrupted(run: Run) -> None:
    read = read_journal(write(run, end=False))
    assert read.status == "interrupted"
    assert read.measurements == run.measurements


def test_cut_anywhere_after_the_first_line_it_loses_no_whole_line(run: Run) -> None:
    path = write(run)
    data = path.read_bytes()
    head = data.index(b"\n") + 1
    for length in range(head, len(data), 997):
        path.write_bytes(data[:length])
        read = read_journal(path)
        lines = data[head:length].count(b"\n")
        assert len(read.measurements) + len(read.warnings) == lines


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"hello\n", b'{"kind":"run"}\n',
     b"\xff\xfe\n", b"[1]\n", b'{"kind":"measurement"}\n', b"[" * 9999 + b"\n",
     b'{"kind":"run","schema_version":"1"}\n'],
)  # fmt: skip
def test_a_foreign_file_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"^Run file .*\.$"):
        read_journal(path)


def test_a_damaged_line_is_named(run: Run) -> None:
    path = write(run)
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2].replace(b'"round":', b'"rownd":', 1)
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(DataError, match="damaged in line 3"):
        read_journal(path)


def test_a_newer_version_is_refused(run: Run) -> None:
    path = write(run)
    first, rest = path.read_text().split("\n", 1)
    path.write_text(json.dumps(json.loads(first) | {"schema_version": 99}) + "\n" + rest)
    with pytest.raises(DataError, match="version 99"):
        read_journal(path)


def test_runs_are_found_by_file_id_and_last(run: Run) -> None:
    with pytest.raises(UsageError, match="no saved run"):
        find_run("last")
    path = write(run)
    assert find_run(str(path)) == find_run(run.id) == find_run("last") == path
    assert saved_runs() == [path]
    with pytest.raises(UsageError, match=f"Did you mean '{run.id}'"):
        find_run(run.id[:-1])


def test_a_folder_that_cannot_be_written_is_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setitem(os.environ, "IMGSTORE_TUI_HOME", str(tmp_path / "file"))
    with pytest.raises(UnavailableError, match="cannot be saved"):
        Journal.begin(run)


def test_a_journal_that_cannot_begin_is_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise UnavailableError("It is full.")

    monkeypatch.setattr(Journal, "_write", full)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(UnavailableError):
        Journal.begin(fake_run(rounds=1))
    assert saved_runs() == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cutoff", 10**400),
        ("seconds", 10**400),
        ("seconds", "INFINITE"),
        ("samples", [1.0, 10**400]),
        ("samples", [1.0, "INFINITE"]),
    ],
)
def test_a_number_that_no_clock_can_have_told_is_damage(run: Run, field: str, value: object) -> None:
    path = write(run)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[1][field] = value
    # JSON has no limit of numbers: what is too large for Python's becomes infinite without a word.
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines).replace('"INFINITE"', "1e999"))
    with pytest.raises(DataError, match="is damaged in line 2"):
        read_journal(path)


def test_an_end_that_is_no_word_is_told_as_one(run: Run) -> None:
    path = write(run, end=False)
    with path.open("a") as file:
        file.write('{"kind":"end","status":7,"finished_at":8}\n')
    assert read_journal(path).status == "7"


def test_a_plan_of_numbers_beyond_all_measure_is_no_run(run: Run) -> None:
    path = write(run)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[0]["plan"]["cutoffs"] = [1, 10**400]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with pytest.raises(DataError, match="is not a run of this program"):
        read_journal(path)


def test_ballast_is_left_once_no_process_writes_its_journal(run: Run) -> None:
    journal = Journal.begin(run)
    ballast = journal.path.with_suffix(".ballast")
    assert ballast.exists()
    assert left_ballast() == []
    journal.close()
    ballast.touch()
    assert left_ballast() == [Ballast(run.id, ballast)]
    journal.path.unlink()
    assert left_ballast() == [Ballast(run.id, ballast)]
