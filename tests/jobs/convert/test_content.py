"""A converted store equals its dataset, and the command says what was left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError
from imgstore_tui.plugins import registry
from tests.support.conversions import (
    AVAILABLE,
    DATA,
    convert,
    folder_with_faults,
    source_images,
    stored_images,
)
from tests.support.datasets import save
from tests.support.program import program, sentence


@pytest.mark.sample_diagonal
@pytest.mark.parametrize("backend", AVAILABLE)
@pytest.mark.parametrize("codec", ["raw", "png"])
@pytest.mark.timeout(600)
def test_it_holds_what_the_data_set_holds(backend: str, codec: str, tmp_path: Path, short_sessions: None) -> None:
    done = convert(DATA, f"{backend}+{codec}", tmp_path / "out")
    assert stored_images(tmp_path / "out") == source_images(DATA)
    assert (done.images, done.resumed) == (40, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.full
def test_round_and_round_nothing_is_lost(tmp_path: Path) -> None:
    prints = set()
    text = "synthetic,size=16,count=60,varying=yes"
    for number, spec in enumerate(["lmdb", "sqlite+png", "webdataset:shard=7", "npy", "hdf5", "disk"]):
        prints.add(convert(text, spec, tmp_path / f"{number}").fingerprint)
        text = f'store:"{tmp_path / str(number)}"'
    assert len(prints) == 1
    assert stored_images(tmp_path / "5") == source_images("synthetic,size=16,count=60,varying=yes")


@pytest.mark.parametrize("spec", ["lmdb", "hdf5"])
def test_pictures_that_are_broken_are_left_out(spec: str, tmp_path: Path, short_sessions: None) -> None:
    done = convert(folder_with_faults(tmp_path / "photos"), spec, tmp_path / "out")
    names = {entry.name for entry in done.excluded}
    assert (done.images, done.requested, len(done.excluded)) == (27, 27 + len(names), len(names))
    assert names >= {"03.png", "17.png", "29.png", "none.png"}
    assert len(stored_images(tmp_path / "out")) == 27


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
    assert {label for _, label in stored_images(Path("out"))} == {0, 1, 2}


def test_original_files_stay_as_they_are(tmp_path: Path) -> None:
    files = [save(tmp_path / "photos" / f"{number:02}.png", seed=number).read_bytes() for number in range(9)]
    convert(f"folder:{tmp_path / 'photos'}", "lmdb+original", tmp_path / "out")
    dataset = registry.make_dataset(f"store:{tmp_path / 'out'}")
    dataset.scan()
    assert sorted(dataset.original(index) for index in range(9)) == sorted(files)


def test_a_lossy_store_is_verified_too(tmp_path: Path) -> None:
    assert not convert("synthetic,count=9", "disk+jpeg", tmp_path / "out").lossless


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

    def spoilt(backend: object, workspace: object, *others: object) -> None:
        _flip(next((tmp_path / "out.converting" / "store").glob(name)))
        verify(backend, workspace, *others)

    monkeypatch.setattr(conversion, "verify_store", spoilt)
    with pytest.raises(StoreError, match="does not come back as it was put"):
        convert(DATA, spec, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_image_that_a_codec_does_not_keep_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = registry.codecs.get("png")
    decode = kind.decode
    monkeypatch.setattr(kind, "decode", lambda self, payload: np.array(decode(self, payload) ^ 1))
    with pytest.raises(StoreError, match="does not give image 0 back"):
        convert(DATA, "disk+png", tmp_path / "out")


@pytest.mark.sample_first(3)
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
    assert len(stored_images(Path("out"))) == 25
