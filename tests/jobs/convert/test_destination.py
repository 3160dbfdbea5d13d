"""A destination is complete or absent, and nothing else at its path is overwritten."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.errors import ImgstoreError, StoreError, UnavailableError, UsageError
from imgstore_tui.testing.store_material import StoreSetup, is_sentence, snapshot
from tests.support.conversions import (
    DATA,
    convert,
    plan,
    source_images,
    stored_images,
)
from tests.support.datasets import save


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
        convert(DATA, "lmdb", out)
    assert is_sentence(caught.value, out)
    if there != "store":
        with pytest.raises(StoreError):
            convert(DATA, "lmdb", out, replace=True)
    assert snapshot(tmp_path) == before


def test_a_store_is_replaced_where_asked(tmp_path: Path) -> None:
    convert("synthetic,count=3", "hdf5", tmp_path / "out")
    convert(DATA, "npy", tmp_path / "out", replace=True)
    assert stored_images(tmp_path / "out") == source_images(DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_nothing_that_is_not_the_store_is_removed_with_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert("synthetic,count=3", "lmdb", out)
    for other in (out / "my_notes.txt", out / "mine" / "data.mdb"):
        other.parent.mkdir(exist_ok=True)
        other.write_text("mine")
        before = snapshot(tmp_path)
        with pytest.raises(StoreError, match="is no part of the store") as caught:
            convert(DATA, "lmdb", out, replace=True)
        assert is_sentence(caught.value, other)
        assert snapshot(tmp_path) == before
        other.unlink()


def test_a_file_in_a_store_is_no_destination(tmp_path: Path) -> None:
    convert("synthetic,count=3", "npy", tmp_path / "w1")
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match="is not a store"):
        convert(DATA, "npy", tmp_path / "w1" / "labels.npy", replace=True)
    assert snapshot(tmp_path) == before


def test_a_link_to_a_store_is_not_replaced(tmp_path: Path) -> None:
    convert("synthetic,count=3", "npy", tmp_path / "real")
    (tmp_path / "out").symlink_to(tmp_path / "real")
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match="is a link"):
        convert(DATA, "npy", tmp_path / "out", replace=True)
    assert snapshot(tmp_path) == before


def test_what_came_to_the_destination_meanwhile_stays(tmp_path: Path) -> None:
    convert("synthetic,count=3", "npy", tmp_path / "out")

    def progress(doing: str, done: int, total: int) -> None:
        if doing == "verifying":
            (tmp_path / "out" / "my_notes.txt").write_text("mine")

    with pytest.raises(StoreError, match="is no part of the store"):
        plan(DATA, "npy", tmp_path / "out", replace=True).run(progress)
    assert (tmp_path / "out" / "my_notes.txt").read_text() == "mine"
    assert len(stored_images(tmp_path / "out")) == 3


def test_a_store_that_cannot_be_delivered_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert("synthetic,count=3", "npy", tmp_path / "out")

    def rename(source: Path, target: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("imgstore_tui.jobs.convert.workspace.rename_new", rename)
    with pytest.raises(StoreError, match="Input/output error; the store is whole in"):
        convert(DATA, "npy", tmp_path / "out", replace=True)
    assert len(stored_images(tmp_path / "out")) == 3
    assert not (tmp_path / "out.old").exists()


@pytest.mark.full
def test_a_store_that_is_delivered_is_not_overwritten_by_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert("synthetic,count=3", "npy", tmp_path / "out")

    def force(path: Path) -> None:
        if path == tmp_path:
            raise KeyboardInterrupt

    monkeypatch.setattr("imgstore_tui.jobs.convert.workspace.force", force)
    with pytest.raises(KeyboardInterrupt):
        convert(DATA, "npy", tmp_path / "out", replace=True)
    monkeypatch.undo()
    assert stored_images(tmp_path / "out") == source_images(DATA)
    assert len(stored_images(tmp_path / "out.old")) == 3
    with pytest.raises(UsageError, match="exists already"):
        convert(DATA, "npy", tmp_path / "out")
    assert len(stored_images(tmp_path / "out.old")) == 3
    convert(DATA, "npy", tmp_path / "out", replace=True)
    assert stored_images(tmp_path / "out") == source_images(DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("spec", ["npy", "sqlite", "disk"])
@pytest.mark.sample_first
def test_an_old_store_beside_a_new_one_that_is_not_known_to_have_replaced_it_stays(spec: str, tmp_path: Path) -> None:
    convert("synthetic,count=3", spec, tmp_path / "out")
    convert("synthetic,count=4", spec, tmp_path / "out.old")
    with pytest.raises(StoreError, match="a --replace that was broken off") as caught:
        convert(DATA, spec, tmp_path / "out", replace=True)
    assert is_sentence(caught.value, tmp_path / "out.old")
    assert [len(stored_images(tmp_path / name)) for name in ("out", "out.old")] == [3, 4]
    assert {path.name for path in tmp_path.iterdir()} == {"out", "out.old"}


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", ["npy", "sqlite", "disk", "arrow", "parquet"])
def test_a_kill_between_the_two_names_is_told_and_gone_on_with(spec: str, tmp_path: Path) -> None:
    if spec in ("arrow", "parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    convert("synthetic,count=3", spec, tmp_path / "out")
    script = (
        "import os, sys; from pathlib import Path; from imgstore_tui.jobs.convert import workspace, plan_conversion\n"
        "workspace.Workspace.deliver = lambda self, destination: os.kill(os.getpid(), 9)\n"
        "job = plan_conversion(sys.argv[1], sys.argv[2], Path('out'), count=None, replace=True, restart=False)\n"
        "job.run(lambda doing, done, total: None)"
    )
    died = subprocess.run([sys.executable, "-c", script, DATA, spec], cwd=tmp_path, check=False)
    assert died.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    messages: list[str] = []
    job = plan(DATA, spec, tmp_path / "out", replace=True)
    job.notify = messages.append
    job.run(lambda doing, done, total: None)
    assert is_sentence(messages[0], tmp_path / "out.old")
    assert "rename it to out" in messages[0]
    assert stored_images(tmp_path / "out") == source_images(DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("spec", ["npy", "sqlite", "disk"])
@pytest.mark.sample_first
def test_a_kill_before_the_old_store_is_removed_is_gone_on_with(spec: str, tmp_path: Path) -> None:
    convert("synthetic,count=3", spec, tmp_path / "out")
    script = (
        "import os, sys; from pathlib import Path; from imgstore_tui.jobs.convert import conversion, plan_conversion\n"
        "conversion.discard_replaced = lambda destination: os.kill(os.getpid(), 9)\n"
        "job = plan_conversion(sys.argv[1], sys.argv[2], Path('out'), count=None, replace=True, restart=False)\n"
        "job.run(lambda doing, done, total: None)"
    )
    died = subprocess.run([sys.executable, "-c", script, DATA, spec], cwd=tmp_path, check=False)
    assert died.returncode == -signal.SIGKILL
    assert {path.name for path in tmp_path.iterdir()} == {"out", "out.old", "out.converting"}
    assert stored_images(tmp_path / "out") == source_images(DATA)
    convert(DATA, spec, tmp_path / "out", replace=True)
    assert stored_images(tmp_path / "out") == source_images(DATA)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("spec", ["disk+webp", "disk+jpeg"])
@pytest.mark.sample_first
def test_a_refused_conversion_leaves_nothing(spec: str, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(2):
        picture = Image.fromarray((np.arange(64).reshape(8, 8) * 900 + number).astype(np.uint16))
        picture.save(pictures / f"{number}.png")
    if spec == "disk+jpeg":  # which takes 16 bits; here not one picture is whole
        for path in pictures.iterdir():
            path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ImgstoreError):
        convert(f"folder:{pictures}", spec, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


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
        convert(DATA, "npy", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert stored_images(tmp_path / "out") == source_images(DATA)


def test_an_old_one_of_somebody_else_is_named_and_stays(tmp_path: Path) -> None:
    convert("synthetic,count=3", "npy", tmp_path / "out.old")
    messages: list[str] = []
    job = plan(DATA, "npy", tmp_path / "out", replace=True)
    job.notify = messages.append
    job.run(lambda doing, done, total: None)
    assert "it stays as it is" in messages[0]
    assert len(stored_images(tmp_path / "out.old")) == 3


@pytest.mark.parametrize("inside", ["", "below", ".."])
@pytest.mark.sample_first
def test_the_data_is_only_read(inside: str, tmp_path: Path) -> None:
    photos = tmp_path / "a" / "photos"
    save(photos / "sub" / "a.png")
    destination = {"": photos, "below": photos / "sub" / "out", "..": tmp_path / "a"}[inside]
    before = snapshot(tmp_path)
    with pytest.raises(UsageError):
        convert(f"folder:{photos}", "lmdb", destination)
    assert snapshot(tmp_path) == before


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    job = plan(DATA, "lmdb", tmp_path / "out")
    seen: list[BaseException] = []

    def progress(doing: str, done: int, total: int) -> None:
        if not seen:
            with pytest.raises(UnavailableError, match="running already") as caught:
                convert(DATA, "lmdb", tmp_path / "out")
            seen.append(caught.value)

    job.run(progress)
    assert seen
