"""An interrupted or killed conversion is continued, unless data or store have changed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imgstore_tui.backends.hdf5 import Hdf5Backend
from imgstore_tui.cli.convert import make_parser
from imgstore_tui.core.backend import Continuation
from imgstore_tui.core.errors import DataError, ImgstoreError, UsageError
from imgstore_tui.plugins import registry
from imgstore_tui.present.help import load_topic
from imgstore_tui.testing.store_material import StoreSetup, is_sentence, snapshot, walk
from tests.support.conversions import (
    AVAILABLE,
    DATA,
    RESUMABLE,
    begin_and_interrupt,
    convert,
    folder_with_faults,
    interrupt_at,
    plan,
    source_images,
    stored_images,
)
from tests.support.datasets import save


def test_the_help_names_all_formats_that_start_over() -> None:
    restart = {
        backend.name
        for kind in registry.sorted_backends()
        for backend in [registry.with_defaults(kind)]
        if {backend.continuation(payload) for payload in kind.payloads} == {Continuation.RESTART}
    }
    in_help = re.search(r"together at the end \((.*?)\)", " ".join(make_parser().format_help().split()))
    assert in_help is not None
    assert set(in_help[1].split(", ")) == restart
    (paragraph,) = [part for part in load_topic("convert").markdown.split("\n\n") if "together at the end" in part]
    assert restart <= set(re.findall(r"\w+", paragraph.lower()))


@pytest.mark.sample_first(3)
@pytest.mark.parametrize(
    "spec", [*RESUMABLE, "hdf5:chunks=4", "hdf5:access=library", "hdf5+png", "safetensors+png:access=direct"]
)
def test_what_was_broken_off_is_gone_on_with(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    job = plan(DATA, spec, tmp_path / "out")
    interrupt_at(job.dataset, monkeypatch, 25)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    assert not (tmp_path / "out").exists()
    assert 6 <= job.durable_images <= 24
    done = convert(DATA, spec, tmp_path / "out")
    # What is safe with every call may be more than what was known to be: RocksDB keeps the session that was broken off.
    assert job.durable_images <= done.resumed <= 24
    assert stored_images(tmp_path / "out") == source_images(DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.sample_first
@pytest.mark.parametrize(
    "spec", ["sqlite", "hdf5", "hdf5+png", "safetensors:access=direct", *({"arrow"} & set(AVAILABLE))]
)
def test_a_kill_is_survived(spec: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "imgstore_tui", "convert", "synthetic,size=8,count=30000", spec, "out"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    work = tmp_path / "out.converting"
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (work / "store").exists():
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
    clean = convert("synthetic,size=8,count=30000", "npy", tmp_path / "other")
    assert clean.fingerprint in done.stdout


def test_a_kill_in_the_middle_of_a_transaction_is_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    job = plan(DATA, "sqlite", tmp_path / "out")
    interrupt_at(job.dataset, monkeypatch, 25)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    script = (  # as a process leaves it that was killed after its changes had reached the file
        "import os, sys, sqlite3; c = sqlite3.connect(sys.argv[1], isolation_level=None); "
        "c.execute('PRAGMA cache_size=1'); c.execute('BEGIN IMMEDIATE'); "
        "c.execute('UPDATE images SET data = zeroblob(192)'); "
        "[c.execute('INSERT INTO images VALUES (?, 1, zeroblob(9000))', (n,)) for n in range(900, 990)]; os._exit(0)"
    )
    store = tmp_path / "out.converting" / "store"
    subprocess.run([sys.executable, "-c", script, str(store)], check=True)
    assert store.with_name("store-journal").stat().st_size
    assert convert(DATA, "sqlite", tmp_path / "out").resumed >= 6
    assert stored_images(tmp_path / "out") == source_images(DATA)


@pytest.mark.parametrize("way", [Continuation.APPEND, Continuation.RESTART])
def test_what_cannot_be_gone_on_with_begins_anew_and_says_so(
    way: Continuation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    """Whether the backend knows that beforehand, or finds out when it is asked to add to what it has closed."""
    monkeypatch.setattr(Hdf5Backend, "continuation", lambda self, kind: way)
    messages: list[str] = []
    job = plan(DATA, "hdf5", tmp_path / "out")
    job.notify = messages.append
    interrupt_at(job.dataset, monkeypatch, 25)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    assert len(messages) == 1
    assert is_sentence(messages[0])
    assert not job.durable_images
    job = plan(DATA, "hdf5", tmp_path / "out")
    job.notify = messages.append
    assert job.run(lambda doing, done, total: None).resumed == 0
    assert any("starts over" in line for line in messages[1:])
    assert stored_images(tmp_path / "out") == source_images(DATA)


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", ["hdf5", "safetensors:access=direct", "lmdb"])
def test_a_kill_while_all_is_read_back_costs_no_writing(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def progress(doing: str, done: int, total: int) -> None:
        if doing == "verifying":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan(DATA, spec, tmp_path / "out").run(progress)
    assert convert(DATA, spec, tmp_path / "out").resumed == 40
    assert stored_images(tmp_path / "out") == source_images(DATA)


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", ["hdf5", "safetensors:access=direct", "npy"])
def test_what_a_dead_process_has_spoilt_is_written_once_more(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    begin_and_interrupt(DATA, tmp_path / "out", monkeypatch, spec)
    file = max(walk(tmp_path / "out.converting" / "store"), key=lambda path: path.stat().st_size)
    data = bytearray(file.read_bytes())
    data[-200 if spec == "npy" else 3000] ^= 1
    file.write_bytes(data)
    messages: list[str] = []
    job = plan(DATA, spec, tmp_path / "out")
    job.notify = messages.append
    assert job.run(lambda doing, done, total: None).resumed == 0
    assert any("starts over" in line and "does not come back" in line for line in messages)
    assert stored_images(tmp_path / "out") == source_images(DATA)


@pytest.mark.parametrize("spec", ["hdf5", "safetensors:access=direct"])
def test_less_than_was_safe_is_written_once_more(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    begin_and_interrupt(DATA, tmp_path / "out", monkeypatch, spec)
    file = max(walk(tmp_path / "out.converting" / "store"), key=lambda path: path.stat().st_size)
    os.truncate(file, 1500)
    messages: list[str] = []
    job = plan(DATA, spec, tmp_path / "out")
    job.notify = messages.append
    assert job.run(lambda doing, done, total: None).resumed == 0
    assert any("starts over" in line for line in messages)
    assert stored_images(tmp_path / "out") == source_images(DATA)


def test_what_was_left_out_before_a_kill_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    text = folder_with_faults(tmp_path / "photos", cut=tuple(range(0, 30, 3)))
    job = plan(text, "lmdb", tmp_path / "out")
    interrupt_at(job.dataset, monkeypatch, 25)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    assert job.durable_images
    done = convert(text, "lmdb", tmp_path / "out")
    assert done.resumed
    assert sum(entry.name[:2].isdigit() for entry in done.excluded) == 10
    assert done.images == 20


def test_another_conversion_there_is_not_mixed_with_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    job = plan(DATA, "lmdb", tmp_path / "out")
    interrupt_at(job.dataset, monkeypatch, 25)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    with pytest.raises(UsageError, match="other storage"):
        convert(DATA, "npy", tmp_path / "out")
    with pytest.raises(UsageError, match="other dataset"):
        convert("synthetic,size=9,count=40", "lmdb", tmp_path / "out")
    assert convert(DATA, "npy", tmp_path / "out", restart=True).resumed == 0
    assert stored_images(tmp_path / "out") == source_images(DATA)


def test_data_that_has_changed_meanwhile_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    for number in range(20):
        save(tmp_path / "photos" / f"{number:02}.png", seed=number)
    text = f"folder:{tmp_path / 'photos'}"
    job = plan(text, "lmdb", tmp_path / "out")
    interrupt_at(job.dataset, monkeypatch, 15)
    with pytest.raises(KeyboardInterrupt):
        job.run(lambda doing, done, total: None)
    for number in range(20):
        save(tmp_path / "photos" / f"{number:02}.png", seed=number + 100)
    with pytest.raises(DataError, match="has changed since"):
        convert(text, "lmdb", tmp_path / "out")


def test_one_picture_in_the_middle_that_has_changed_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    files = [save(tmp_path / "photos" / f"{number:02}.png", seed=number) for number in range(20)]
    text = f"folder:{tmp_path / 'photos'}"
    begin_and_interrupt(text, tmp_path / "out", monkeypatch)
    dataset = registry.make_dataset(text)
    dataset.scan()
    third = dataset.file(2)
    data = third.read_bytes()
    save(third, seed=100)
    with pytest.raises(DataError, match="Image 2 has changed since"):
        convert(text, "lmdb", tmp_path / "out")
    third.write_bytes(data)
    files[0].touch()  # another time, and the same picture
    assert convert(text, "lmdb", tmp_path / "out").resumed


def test_a_store_that_has_changed_meanwhile_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    setup = StoreSetup.of("disk+png")
    setup.make(tmp_path / "from", setup.material([(7, 5, 3)] * 20))
    text = f"store:{tmp_path / 'from'}"
    begin_and_interrupt(text, tmp_path / "out", monkeypatch)
    folder = tmp_path / "from" / "00000000"
    (folder / "00000003.png").write_bytes((folder / "00000004.png").read_bytes())
    with pytest.raises(DataError, match="Image 3 has changed since"):
        convert(text, "lmdb", tmp_path / "out")


def test_a_relative_path_is_that_of_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    for name in "ab":
        for number in range(20):
            save(tmp_path / name / "photos" / f"{number:02}.png", seed=number)
    monkeypatch.chdir(tmp_path / "a")
    begin_and_interrupt("folder:photos", tmp_path / "out", monkeypatch)
    monkeypatch.chdir(tmp_path / "b")
    with pytest.raises(UsageError, match="other dataset"):
        convert("folder:photos", "lmdb", tmp_path / "out")
    assert convert(f"folder:{tmp_path / 'a' / 'photos'}", "lmdb", tmp_path / "out").resumed


def test_another_number_of_pictures_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    for number in range(20):
        save(tmp_path / "photos" / f"{number:02}.png", seed=number)
    begin_and_interrupt(f"folder:{tmp_path / 'photos'}", tmp_path / "out", monkeypatch)
    save(tmp_path / "photos" / "20.png", seed=20)
    with pytest.raises(UsageError, match="with 20 images; now there are 21") as caught:
        convert(f"folder:{tmp_path / 'photos'}", "lmdb", tmp_path / "out")
    assert is_sentence(caught.value, tmp_path / "out.converting")


@pytest.mark.parametrize("names", [["lock"], ["lock", "sums.bin"], ["lock", "conversion.json.partial", "sums.bin"]])
def test_a_kill_before_the_first_word_is_no_obstacle(names: list[str], tmp_path: Path) -> None:
    (tmp_path / "out.converting").mkdir()
    for name in names:
        (tmp_path / "out.converting" / name).write_text("")
    assert convert(DATA, "lmdb", tmp_path / "out").images == 40


@pytest.mark.parametrize("name", ["store/mine.txt", "conversion.json"])
def test_a_folder_that_is_no_conversion_is_left_alone(name: str, tmp_path: Path) -> None:
    path = tmp_path / "out.converting" / name
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    (tmp_path / "out.converting" / "lock").write_text("")
    before = snapshot(tmp_path)
    with pytest.raises(UsageError, match="does not belong to a conversion"):
        convert(DATA, "lmdb", tmp_path / "out")
    assert snapshot(tmp_path) == before


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("name", ["lock", "sums.bin", "conversion.json", "conversion.json.partial", "store.partial"])
@pytest.mark.parametrize("instead", ["link", "pipe"])
@pytest.mark.timeout(60)
def test_a_link_or_a_pipe_among_what_was_broken_off_leads_nowhere(
    name: str, instead: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_sessions: None
) -> None:
    begin_and_interrupt(DATA, tmp_path / "out", monkeypatch, "hdf5")
    work, mine = tmp_path / "out.converting", tmp_path / "mine"
    path = work / name
    mine.write_bytes(path.read_bytes() if path.exists() else b"mine")
    path.unlink(missing_ok=True)
    if instead == "link":
        path.symlink_to(mine)
    else:
        os.mkfifo(path)
    before = mine.read_bytes()
    with contextlib.suppress(ImgstoreError, OSError):
        convert(DATA, "hdf5", tmp_path / "out")
        assert stored_images(tmp_path / "out") == source_images(DATA)
    assert mine.read_bytes() == before
