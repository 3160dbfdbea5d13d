"""Tests conversions: the store equals the dataset, is complete or absent, and a kill loses little."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.backends.hdf5 import Hdf5Backend
from imgstore_tui.core.backend import Continuation, PayloadKind
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError, ImgstoreError, StoreError, UnavailableError, UsageError
from imgstore_tui.jobs.convert import Conversion, ConversionResult, fill, plan_conversion, prepare
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import StoreSetup, is_sentence, snapshot
from tests.support.datasets import save
from tests.support.program import program, sentence

HERE = [kind.name for kind in registry.local_backends() if not registry.missing_imports(kind)]
SPECS = {"arrow": "arrow:rows=4", "zarr": "zarr:chunk=4"}
"""What a backend is called where by itself it would keep more together than a small data set has."""
DATA = "synthetic,size=8,count=40"


def way_of(backend: str) -> Continuation:
    return registry.make_backend(registry.resolve_spec(backend)).continuation(PayloadKind.ARRAY)


GOING_ON = [SPECS.get(name, name) for name in HERE if way_of(name) is not Continuation.RESTART]


def planned(text: str, spec: str, destination: Path, **options: bool) -> Conversion:
    return plan_conversion(
        text,
        spec,
        destination,
        count=None,
        replace=options.get("replace", False),
        restart=options.get("restart", False),
    )


def converted(text: str, spec: str, destination: Path, **options: bool) -> ConversionResult:
    return planned(text, spec, destination, **options).run(lambda doing, done, total: None)


def held(location: Path) -> list[tuple[bytes, int]]:
    dataset = registry.make_dataset(f'store:"{location}"')
    dataset.scan()
    return [(dataset.image(index).tobytes(), dataset.label(index)) for index in range(len(dataset))]


def source(text: str) -> list[tuple[bytes, int]]:
    dataset = registry.make_dataset(text)
    dataset.scan()
    return [(dataset.image(index).tobytes(), dataset.label(index)) for index in range(len(dataset))]


@pytest.fixture
def short_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of few images, so that a small data set takes several."""
    monkeypatch.setattr(fill, "FIRST_SESSION", 6)
    monkeypatch.setattr(fill, "SESSION_S", 0)
    monkeypatch.setattr(prepare, "BATCH", 6)
    if "zarr" in HERE:
        monkeypatch.setattr("imgstore_tui.backends.zarr.writer._AT_ONCE", 1)


def dies_at(dataset: Dataset, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Let a data set end its reader's work as Ctrl-C does."""
    given = dataset.image

    def image(index: int) -> object:
        if index >= number:
            raise KeyboardInterrupt
        return given(index)

    monkeypatch.setattr(dataset, "image", image)


@pytest.mark.sample_diagonal
@pytest.mark.parametrize("backend", HERE)
@pytest.mark.parametrize("codec", ["raw", "png"])
def test_it_holds_what_the_data_set_holds(backend: str, codec: str, tmp_path: Path, short_sessions: None) -> None:
    done = converted(DATA, f"{backend}+{codec}", tmp_path / "out")
    assert held(tmp_path / "out") == source(DATA)
    assert (done.images, done.resumed) == (40, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_round_and_round_nothing_is_lost(tmp_path: Path) -> None:
    prints = set()
    text = "synthetic,size=16,count=60,varying=yes"
    for number, spec in enumerate(["lmdb", "sqlite+png", "webdataset:shard=7", "npy", "hdf5", "disk"]):
        prints.add(converted(text, spec, tmp_path / f"{number}").fingerprint)
        text = f'store:"{tmp_path / str(number)}"'
    assert len(prints) == 1
    assert held(tmp_path / "5") == source("synthetic,size=16,count=60,varying=yes")


@pytest.mark.sample_first(3)
@pytest.mark.parametrize("spec", [*GOING_ON, "hdf5:chunks=4", "hdf5:access=library", "hdf5+png", "safetensors+png"])
def test_what_was_broken_off_is_gone_on_with(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    job = planned(DATA, spec, tmp_path / "out")
    dies_at(job.dataset, monkeypatch, 25)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    assert not (tmp_path / "out").exists()
    assert 6 <= job.durable_images <= 24
    done = converted(DATA, spec, tmp_path / "out")
    # What is safe with every call may be more than what was known to be: RocksDB keeps the session that was broken off.
    assert job.durable_images <= done.resumed <= 24
    assert held(tmp_path / "out") == source(DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", ["sqlite", "hdf5", "hdf5+png", "safetensors", *({"arrow"} & set(HERE))])
def test_a_kill_is_survived(spec: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "imgstore_tui", "convert", "synthetic,size=8,count=30000", spec, "out"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    work, closed = tmp_path / "out.converting", ("store.sqlite", "store.h5")
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not any((work / "store" / name).exists() for name in closed):
            if (work / "conversion.json").exists() and '"safe": ' in (work / "conversion.json").read_text():
                break
            time.sleep(0.005)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    assert not (tmp_path / "out").exists()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "of them written before" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    clean = converted("synthetic,size=8,count=30000", "npy", tmp_path / "other")
    assert clean.fingerprint in done.stdout


def test_a_kill_in_the_middle_of_a_transaction_is_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    job = planned(DATA, "sqlite", tmp_path / "out")
    dies_at(job.dataset, monkeypatch, 25)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    script = (  # as a process leaves it that was killed after its changes had reached the file
        "import os, sys, sqlite3; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('PRAGMA cache_size=1'); c.execute('BEGIN IMMEDIATE'); "
        "c.execute('UPDATE images SET data = zeroblob(192)'); "
        "[c.execute('INSERT INTO images VALUES (?, 1, zeroblob(9000))', (n,)) for n in range(900, 990)]; os._exit(0)"
    )
    store = tmp_path / "out.converting" / "store" / "store.sqlite"
    subprocess.run([sys.executable, "-c", script, str(store)], check=True)
    assert store.with_name("store.sqlite-journal").stat().st_size
    assert converted(DATA, "sqlite", tmp_path / "out").resumed >= 6
    assert held(tmp_path / "out") == source(DATA)


@pytest.mark.parametrize("way", [Continuation.APPEND, Continuation.RESTART])
def test_what_cannot_be_gone_on_with_begins_anew_and_says_so(
    way: Continuation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    """Whether the backend knows that beforehand, or finds out when it is asked to add to what it has closed."""
    monkeypatch.setattr(Hdf5Backend, "continuation", lambda self, kind: way)
    messages: list[str] = []
    job = planned(DATA, "hdf5", tmp_path / "out")
    job.notify = messages.append
    dies_at(job.dataset, monkeypatch, 25)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    assert len(messages) == 1
    assert is_sentence(messages[0])
    assert not job.durable_images
    job = planned(DATA, "hdf5", tmp_path / "out")
    job.notify = messages.append
    assert job.run(lambda doing, done, total: None).resumed == 0
    assert any("starts over" in line for line in messages[1:])
    assert held(tmp_path / "out") == source(DATA)


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", ["hdf5", "safetensors", "lmdb"])
def test_a_kill_while_all_is_read_back_costs_no_writing(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def progress(doing: str, done: int, total: int) -> None:
        if doing == "verifying":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        planned(DATA, spec, tmp_path / "out").run(progress)
    assert converted(DATA, spec, tmp_path / "out").resumed == 40
    assert held(tmp_path / "out") == source(DATA)


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", ["hdf5", "safetensors", "npy"])
def test_what_a_dead_process_has_spoilt_is_written_once_more(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    broken_off(DATA, tmp_path / "out", monkeypatch, spec)
    file = max((tmp_path / "out.converting" / "store").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(file.read_bytes())
    data[-200 if spec == "npy" else 3000] ^= 1
    file.write_bytes(data)
    messages: list[str] = []
    job = planned(DATA, spec, tmp_path / "out")
    job.notify = messages.append
    assert job.run(lambda doing, done, total: None).resumed == 0
    assert any("starts over" in line and "does not come back" in line for line in messages)
    assert held(tmp_path / "out") == source(DATA)


@pytest.mark.parametrize("spec", ["hdf5", "safetensors"])
def test_less_than_was_safe_is_written_once_more(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    broken_off(DATA, tmp_path / "out", monkeypatch, spec)
    file = max((tmp_path / "out.converting" / "store").iterdir(), key=lambda path: path.stat().st_size)
    os.truncate(file, 1500)
    messages: list[str] = []
    job = planned(DATA, spec, tmp_path / "out")
    job.notify = messages.append
    assert job.run(lambda doing, done, total: None).resumed == 0
    assert any("starts over" in line for line in messages)
    assert held(tmp_path / "out") == source(DATA)


def folder_with_faults(root: Path, count: int = 30, cut: tuple[int, ...] = (3, 17, 29)) -> str:
    """Pictures, some of them cut short, which shows when they are read, and one that the scan leaves out."""
    for number in range(count):
        file = save(root / f"{number:02}.png", seed=number)
        if number in cut:
            file.write_bytes(file.read_bytes()[:-200])
    (root / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    (root / "none.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    return f"folder:{root}"


@pytest.mark.parametrize("spec", ["lmdb", "hdf5"])
def test_pictures_that_are_broken_are_left_out(spec: str, tmp_path: Path, short_sessions: None) -> None:
    done = converted(folder_with_faults(tmp_path / "photos"), spec, tmp_path / "out")
    names = {entry.name for entry in done.excluded}
    assert (done.images, done.requested, len(done.excluded)) == (27, 27 + len(names), len(names))
    assert names >= {"03.png", "17.png", "29.png", "none.png"}
    assert len(held(tmp_path / "out")) == 27


def test_what_was_left_out_before_a_kill_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    text = folder_with_faults(tmp_path / "photos", cut=tuple(range(0, 30, 3)))
    job = planned(text, "lmdb", tmp_path / "out")
    dies_at(job.dataset, monkeypatch, 25)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    assert job.durable_images
    done = converted(text, "lmdb", tmp_path / "out")
    assert done.resumed
    assert sum(entry.name[:2].isdigit() for entry in done.excluded) == 10
    assert done.images == 20


def test_the_command_says_what_was_left_out_and_of_how_many(tmp_path: Path) -> None:
    folder_with_faults(Path("photos"), 6, (2,))
    done = program("convert", "folder:photos", "lmdb", "out")
    assert done.returncode == 0
    assert "5 of 8 images" in done.stdout
    assert "left out: none.png: " in done.stderr
    assert "left out: phone.jpg: " in done.stderr
    assert "left out: 02.png: " in done.stderr


def test_the_command_says_what_the_labels_are_called() -> None:
    for number, name in enumerate(("cats", "dogs", "a\x1b[31mb")):
        save(Path("photos") / name / f"{number}.png", seed=number)
    done = program("convert", "folder:photos", "lmdb", "out")
    assert "labels: 0 a<U+001B>[31mb, 1 cats, 2 dogs\n" in done.stderr
    assert {label for _, label in held(Path("out"))} == {0, 1, 2}


def test_original_files_stay_as_they_are(tmp_path: Path) -> None:
    files = [save(tmp_path / "photos" / f"{number:02}.png", seed=number).read_bytes() for number in range(9)]
    converted(f"folder:{tmp_path / 'photos'}", "lmdb+original", tmp_path / "out")
    dataset = registry.make_dataset(f"store:{tmp_path / 'out'}")
    dataset.scan()
    assert sorted(dataset.original(index) for index in range(9)) == sorted(files)


def test_a_lossy_store_is_verified_too(tmp_path: Path) -> None:
    assert not converted("synthetic,count=9", "disk+jpeg", tmp_path / "out").lossless


@pytest.mark.parametrize("there", ["file", "folder", "store", "dangling"])
def test_nothing_is_written_over(there: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if there == "file":
        out.write_text("mine")
    elif there == "folder":
        out.mkdir()
    elif there == "store":
        StoreSetup.of("lmdb").make(out, StoreSetup.of("lmdb").material([(3, 3, 3)]))
    else:
        out.symlink_to(tmp_path / "nowhere")
    before = snapshot(tmp_path)
    with pytest.raises(UsageError, match="exists already") as caught:
        converted(DATA, "lmdb", out)
    assert is_sentence(caught.value, out)
    if there != "store":
        with pytest.raises(StoreError):
            converted(DATA, "lmdb", out, replace=True)
    assert snapshot(tmp_path) == before


def test_a_store_is_replaced_where_asked(tmp_path: Path) -> None:
    converted("synthetic,count=3", "hdf5", tmp_path / "out")
    converted(DATA, "npy", tmp_path / "out", replace=True)
    assert held(tmp_path / "out") == source(DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_nothing_that_is_not_the_store_is_removed_with_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    converted("synthetic,count=3", "lmdb", out)
    for other in (out / "my_notes.txt", out / "mine" / "data.mdb"):
        other.parent.mkdir(exist_ok=True)
        other.write_text("mine")
        before = snapshot(tmp_path)
        with pytest.raises(StoreError, match="is no part of the store") as caught:
            converted(DATA, "lmdb", out, replace=True)
        assert is_sentence(caught.value, other)
        assert snapshot(tmp_path) == before
        other.unlink()


def test_a_file_in_a_store_is_no_destination(tmp_path: Path) -> None:
    converted("synthetic,count=3", "npy", tmp_path / "w1")
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match="is not the folder of a store"):
        converted(DATA, "npy", tmp_path / "w1" / "labels.npy", replace=True)
    assert snapshot(tmp_path) == before


def test_a_link_to_a_store_is_not_replaced(tmp_path: Path) -> None:
    converted("synthetic,count=3", "npy", tmp_path / "real")
    (tmp_path / "out").symlink_to(tmp_path / "real")
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match="is a link"):
        converted(DATA, "npy", tmp_path / "out", replace=True)
    assert snapshot(tmp_path) == before


def test_what_came_to_the_destination_meanwhile_stays(tmp_path: Path) -> None:
    converted("synthetic,count=3", "npy", tmp_path / "out")

    def progress(doing: str, done: int, total: int) -> None:
        if doing == "verifying":
            (tmp_path / "out" / "my_notes.txt").write_text("mine")

    with pytest.raises(StoreError, match="is no part of the store"):
        planned(DATA, "npy", tmp_path / "out", replace=True).run(progress)
    assert (tmp_path / "out" / "my_notes.txt").read_text() == "mine"
    assert len(held(tmp_path / "out")) == 3


def test_a_store_that_cannot_be_delivered_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted("synthetic,count=3", "npy", tmp_path / "out")
    given = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name == "store":
            raise OSError(5, "Input/output error")
        return given(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(StoreError, match="Input/output error; the store is whole in"):
        converted(DATA, "npy", tmp_path / "out", replace=True)
    assert len(held(tmp_path / "out")) == 3
    assert not (tmp_path / "out.old").exists()


def test_a_store_that_is_delivered_is_not_overwritten_by_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converted("synthetic,count=3", "npy", tmp_path / "out")

    def force(path: Path) -> None:
        if path == tmp_path:
            raise KeyboardInterrupt

    monkeypatch.setattr("imgstore_tui.jobs.convert.workspace.force", force)
    with pytest.raises(KeyboardInterrupt):
        converted(DATA, "npy", tmp_path / "out", replace=True)
    monkeypatch.undo()
    assert held(tmp_path / "out") == source(DATA)
    assert len(held(tmp_path / "out.old")) == 3
    with pytest.raises(StoreError, match="a --replace that was broken off") as caught:
        converted(DATA, "npy", tmp_path / "out", replace=True)
    assert is_sentence(caught.value, tmp_path / "out.old")


def test_a_kill_between_the_two_names_is_told_and_gone_on_with(tmp_path: Path) -> None:
    converted("synthetic,count=3", "npy", tmp_path / "out")
    script = (
        "import os, sys; from pathlib import Path; from imgstore_tui.jobs.convert import workspace, plan_conversion\n"
        "workspace.Workspace.deliver = lambda self, destination: os.kill(os.getpid(), 9)\n"
        "job = plan_conversion(sys.argv[1], 'npy', Path('out'), count=None, replace=True, restart=False)\n"
        "job.run(lambda doing, done, total: None)"
    )
    died = subprocess.run([sys.executable, "-c", script, DATA], cwd=tmp_path, check=False)
    assert died.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    messages: list[str] = []
    job = planned(DATA, "npy", tmp_path / "out", replace=True)
    job.notify = messages.append
    job.run(lambda doing, done, total: None)
    assert is_sentence(messages[0], tmp_path / "out.old")
    assert "rename it to out" in messages[0]
    assert held(tmp_path / "out") == source(DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_kill_right_after_the_store_has_its_name_leaves_nothing(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from imgstore_tui.jobs.convert import workspace, plan_conversion\n"
        "workspace.force = lambda path: os.kill(os.getpid(), 9) if path == Path.cwd() else None\n"
        "job = plan_conversion(sys.argv[1], 'npy', Path('out'), count=None, replace=False, restart=False)\n"
        "job.run(lambda doing, done, total: None)"
    )
    died = subprocess.run([sys.executable, "-c", script, DATA], cwd=tmp_path, check=False)
    assert died.returncode == -signal.SIGKILL
    assert {path.name for path in tmp_path.iterdir()} == {"out", "out.converting"}
    with pytest.raises(UsageError, match="exists already"):
        converted(DATA, "npy", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert held(tmp_path / "out") == source(DATA)


def test_an_old_one_of_somebody_else_is_named_and_stays(tmp_path: Path) -> None:
    converted("synthetic,count=3", "npy", tmp_path / "out.old")
    messages: list[str] = []
    job = planned(DATA, "npy", tmp_path / "out", replace=True)
    job.notify = messages.append
    job.run(lambda doing, done, total: None)
    assert "it stays as it is" in messages[0]
    assert len(held(tmp_path / "out.old")) == 3


@pytest.mark.parametrize("inside", ["", "below", ".."])
def test_the_data_is_only_read(inside: str, tmp_path: Path) -> None:
    photos = tmp_path / "a" / "photos"
    save(photos / "sub" / "a.png")
    destination = {"": photos, "below": photos / "sub" / "out", "..": tmp_path / "a"}[inside]
    before = snapshot(tmp_path)
    with pytest.raises(UsageError):
        converted(f"folder:{photos}", "lmdb", destination)
    assert snapshot(tmp_path) == before


def test_another_conversion_there_is_not_mixed_with_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    job = planned(DATA, "lmdb", tmp_path / "out")
    dies_at(job.dataset, monkeypatch, 25)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    with pytest.raises(UsageError, match="other storage"):
        converted(DATA, "npy", tmp_path / "out")
    with pytest.raises(UsageError, match="other dataset"):
        converted("synthetic,size=9,count=40", "lmdb", tmp_path / "out")
    assert converted(DATA, "npy", tmp_path / "out", restart=True).resumed == 0
    assert held(tmp_path / "out") == source(DATA)


def test_data_that_has_changed_meanwhile_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    for number in range(20):
        save(tmp_path / "photos" / f"{number:02}.png", seed=number)
    text = f"folder:{tmp_path / 'photos'}"
    job = planned(text, "lmdb", tmp_path / "out")
    dies_at(job.dataset, monkeypatch, 15)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    for number in range(20):
        save(tmp_path / "photos" / f"{number:02}.png", seed=number + 100)
    with pytest.raises(DataError, match="has changed since"):
        converted(text, "lmdb", tmp_path / "out")


def broken_off(text: str, destination: Path, monkeypatch: pytest.MonkeyPatch, spec: str = "lmdb") -> None:
    job = planned(text, spec, destination)
    with monkeypatch.context() as patch:
        dies_at(job.dataset, patch, 15)
        with pytest.raises(KeyboardInterrupt):
            job.run(lambda doing, done, total: None)


def test_one_picture_in_the_middle_that_has_changed_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    files = [save(tmp_path / "photos" / f"{number:02}.png", seed=number) for number in range(20)]
    text = f"folder:{tmp_path / 'photos'}"
    broken_off(text, tmp_path / "out", monkeypatch)
    dataset = registry.make_dataset(text)
    dataset.scan()
    third = dataset.file(2)
    given = third.read_bytes()
    save(third, seed=100)
    with pytest.raises(DataError, match="Image 2 has changed since"):
        converted(text, "lmdb", tmp_path / "out")
    third.write_bytes(given)
    files[0].touch()  # another time, and the same picture
    assert converted(text, "lmdb", tmp_path / "out").resumed


def test_a_store_that_has_changed_meanwhile_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    setup = StoreSetup.of("disk+png")
    setup.make(tmp_path / "from", setup.material([(7, 5, 3)] * 20))
    text = f"store:{tmp_path / 'from'}"
    broken_off(text, tmp_path / "out", monkeypatch)
    folder = tmp_path / "from" / "00000000"
    (folder / "00000003.png").write_bytes((folder / "00000004.png").read_bytes())
    with pytest.raises(DataError, match="Image 3 has changed since"):
        converted(text, "lmdb", tmp_path / "out")


def test_a_relative_path_is_that_of_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    for name in "ab":
        for number in range(20):
            save(tmp_path / name / "photos" / f"{number:02}.png", seed=number)
    monkeypatch.chdir(tmp_path / "a")
    broken_off("folder:photos", tmp_path / "out", monkeypatch)
    monkeypatch.chdir(tmp_path / "b")
    with pytest.raises(UsageError, match="other dataset"):
        converted("folder:photos", "lmdb", tmp_path / "out")
    assert converted(f"folder:{tmp_path / 'a' / 'photos'}", "lmdb", tmp_path / "out").resumed


def test_another_number_of_pictures_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    for number in range(20):
        save(tmp_path / "photos" / f"{number:02}.png", seed=number)
    broken_off(f"folder:{tmp_path / 'photos'}", tmp_path / "out", monkeypatch)
    save(tmp_path / "photos" / "20.png", seed=20)
    with pytest.raises(UsageError, match="with 20 images; now there are 21") as caught:
        converted(f"folder:{tmp_path / 'photos'}", "lmdb", tmp_path / "out")
    assert is_sentence(caught.value, tmp_path / "out.converting")


@pytest.mark.parametrize("names", [["lock"], ["lock", "sums.bin"], ["lock", "conversion.json.partial", "sums.bin"]])
def test_a_kill_before_the_first_word_is_no_obstacle(names: list[str], tmp_path: Path) -> None:
    (tmp_path / "out.converting").mkdir()
    for name in names:
        (tmp_path / "out.converting" / name).write_text("")
    assert converted(DATA, "lmdb", tmp_path / "out").images == 40


@pytest.mark.parametrize("name", ["store/mine.txt", "conversion.json"])
def test_a_folder_that_is_no_conversion_is_left_alone(name: str, tmp_path: Path) -> None:
    path = tmp_path / "out.converting" / name
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    (tmp_path / "out.converting" / "lock").write_text("")
    before = snapshot(tmp_path)
    with pytest.raises(UsageError, match="does not belong to a conversion"):
        converted(DATA, "lmdb", tmp_path / "out")
    assert snapshot(tmp_path) == before


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("name", ["lock", "sums.bin", "conversion.json", "conversion.json.partial", "store.h5.partial"])
@pytest.mark.parametrize("instead", ["link", "pipe"])
@pytest.mark.timeout(60)
def test_a_link_or_a_pipe_among_what_was_broken_off_leads_nowhere(
    name: str, instead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    broken_off(DATA, tmp_path / "out", monkeypatch, "hdf5")
    work, mine = tmp_path / "out.converting", tmp_path / "mine"
    path = work / "store" / name if name == "store.h5.partial" else work / name
    mine.write_bytes(path.read_bytes() if path.exists() else b"mine")
    path.unlink(missing_ok=True)
    if instead == "link":
        path.symlink_to(mine)
    else:
        os.mkfifo(path)
    before = mine.read_bytes()
    with contextlib.suppress(ImgstoreError, OSError):
        converted(DATA, "hdf5", tmp_path / "out")
        assert held(tmp_path / "out") == source(DATA)
    assert mine.read_bytes() == before


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    job = planned(DATA, "lmdb", tmp_path / "out")
    seen: list[BaseException] = []

    def progress(doing: str, done: int, total: int) -> None:
        if not seen:
            with pytest.raises(UnavailableError, match="running already") as caught:
                converted(DATA, "lmdb", tmp_path / "out")
            seen.append(caught.value)

    job.run(progress)
    assert seen


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("spec", "name"), [("npy", "images.npy"), ("npy", "labels.npy"), ("disk+raw", "00000000/*20.raw")]
)
def test_a_byte_that_comes_back_wrong_is_noticed(
    spec: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imgstore_tui.jobs.convert import conversion
    from imgstore_tui.jobs.convert import verify as verification

    verify: Callable[..., None] = verification.verify_store

    def spoilt(backend: object, workspace: object, progress: object) -> None:
        _flip(next((tmp_path / "out.converting" / "store").glob(name)))
        verify(backend, workspace, progress)

    monkeypatch.setattr(conversion, "verify_store", spoilt)
    with pytest.raises(StoreError, match="does not come back as it was put"):
        converted(DATA, spec, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_image_that_a_codec_does_not_keep_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = registry.codecs.get("png")
    given = kind.decode
    monkeypatch.setattr(kind, "decode", lambda self, payload: np.array(given(self, payload) ^ 1))
    with pytest.raises(StoreError, match="does not give image 0 back"):
        converted(DATA, "disk+png", tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["synthetic", "lmdb", "out"], 2, "never ends"),
        (["synthetic", "lmbd", "out"], 2, "Did you mean 'lmdb'?"),
        (["synthetic", "lmdb", "missing/out"], 2, "is no folder"),
        (["store:missing", "lmdb", "out"], 3, "does not exist"),
        (["folder:missing", "lmdb", "out"], 3, "missing"),
        (["synthetic", "disk+original", "out", "-n", "3"], 3, "has no picture files"),
        (["synthetic", "lmdb", "out", "-n", "0"], 2, "0"),
        (["synthetic", "lmdb"], 2, "DESTINATION"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments: list[str], code: int, message: str, tmp_path: Path) -> None:
    done = program("convert", *arguments)
    assert done.returncode == code
    assert message in sentence(done)


def test_the_command_tells_what_came_of_it(tmp_path: Path) -> None:
    done = program("convert", "synthetic,size=8", "lmdb", "out", "-n", "25", "--quiet")
    assert done.returncode == 0
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert "25 of 25 images as lmdb" in first
    assert "every one was read back, equal to what was put" in first
    assert second.startswith("fingerprint ")
    assert len(held(Path("out"))) == 25
