"""The backend webdataset: the conformance suite, and its tars as tar, Python and the webdataset package see them."""

from __future__ import annotations

import importlib.util
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.access import Access
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup, pixels, snapshot


class TestWebdataset(BackendConformance):
    backend = "webdataset"
    more = ("webdataset:shard=7", "webdataset+raw:shard=1", "webdataset:access=direct,shard=3")


LABELS = [-3, 0, 300, 2**40]
SHAPES = [(6, 4, 3), (1, 1), (90, 70, 4), (40, 41, 3)]


def test_tar_lists_it_and_takes_it_apart(tmp_path: Path) -> None:
    setup = StoreSetup.of("webdataset+png")
    material = setup.material(SHAPES, LABELS)
    tar = setup.make(tmp_path / "store", material) / "images-000000.tar"
    command = ["tar", "--list", "--verbose", "--file", str(tar)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == 8
    out = tmp_path / "out"
    out.mkdir()
    done = subprocess.run(["tar", "-xf", str(tar), "-C", str(out)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for number, (payload, label) in enumerate(zip(material.payloads, LABELS, strict=True)):
        assert (out / f"{number:08}.png").read_bytes() == payload
        assert (out / f"{number:08}.cls").read_text() == str(label)


def test_python_reads_arrays_in_it(tmp_path: Path) -> None:
    setup = StoreSetup.of("webdataset+raw")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4, LABELS))
    with tarfile.open(tmp_path / "store" / "images-000000.tar") as tar:
        for number in range(4):
            file = tar.extractfile(f"{number:08}.npy")
            assert file is not None
            array = np.load(io.BytesIO(file.read()), allow_pickle=False)
            np.testing.assert_array_equal(array, pixels((6, 4, 3), number))


def test_files_keep_the_extension_of_their_kind(tmp_path: Path) -> None:
    setup = StoreSetup.of("webdataset+original")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 3))
    with tarfile.open(tmp_path / "store" / "images-000000.tar") as tar:
        names = [name for name in tar.getnames() if not name.endswith("cls")]
    assert names == ["00000000.png", "00000001.bmp", "00000002.webp"]


@pytest.mark.skipif(
    importlib.util.find_spec("webdataset") is None, reason="webdataset is not installed (extra webdataset)"
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", ["webdataset", "webdataset+raw", "webdataset:shard=3"])
def test_the_package_reads_it_equal(text: str, tmp_path: Path) -> None:
    import webdataset

    setup = StoreSetup.of(text)
    images = [pixels((40, 41, 3), number) for number in range(8)]
    setup.make(tmp_path / "store", setup.pack(images, [number * 7 for number in range(8)]))
    tars = [str(path) for path in sorted((tmp_path / "store").glob("*.tar"))]
    samples: list[Any] = list(webdataset.WebDataset(tars, shardshuffle=False).decode("rgb8"))
    assert len(samples) == 8
    for number, (sample, image) in enumerate(zip(samples, images, strict=True)):
        assert sample["__key__"] == f"{number:08}"
        assert sample["cls"] == number * 7
        np.testing.assert_array_equal(sample["npy" if "npy" in sample else "png"], image)


def test_shards_hold_as_many_as_asked_for(tmp_path: Path) -> None:
    setup = StoreSetup.of("webdataset:shard=5")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 12))
    images_by_tar = {}
    for path in sorted((tmp_path / "store").glob("*.tar")):
        with tarfile.open(path) as tar:
            images_by_tar[path.name] = len(tar.getnames()) // 2
    assert images_by_tar == {"images-000000.tar": 5, "images-000001.tar": 5, "images-000002.tar": 2}


def test_it_goes_on_where_the_last_tar_ended(tmp_path: Path) -> None:
    setup = StoreSetup.of("webdataset:shard=5")
    material = setup.material([(6, 4, 3)] * 12)
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    with setup.backend.edit(tmp_path / "store", SyncLevel.BUFFERED) as editor:
        material.put(editor, 4, 12)
    setup.make(tmp_path / "whole", material)
    material.check_store(setup.backend, tmp_path / "store")
    for path in (tmp_path / "whole").glob("*.tar"):
        assert path.read_bytes() == (tmp_path / "store" / path.name).read_bytes()


def test_a_process_that_dies_while_it_adds_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    setup = StoreSetup.of("webdataset:shard=5")
    material, first = setup.material([(6, 4, 3)] * 12), setup.material([(6, 4, 3)] * 4)
    setup.make(tmp_path / "store", first)
    editor = setup.backend.edit(tmp_path / "store", SyncLevel.BUFFERED)
    material.put(editor, 4, 12)
    editor._release()  # type: ignore[attr-defined] # as the kernel does, without a word
    first.check_store(setup.backend, tmp_path / "store")
    with setup.backend.edit(tmp_path / "store", SyncLevel.BUFFERED) as editor:
        material.put(editor, 4, 12)
    material.check_store(setup.backend, tmp_path / "store")


def test_what_was_taken_back_is_gone_from_the_tars(tmp_path: Path) -> None:
    setup = StoreSetup.of("webdataset:shard=5")
    material = setup.material([(6, 4, 3)] * 12)
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    before = {name: facts[2] for name, facts in snapshot(tmp_path / "store").items()}
    editor = setup.backend.edit(tmp_path / "store", SyncLevel.BUFFERED)
    material.put(editor, 4, 12)
    editor.abort()
    assert {name: facts[2] for name, facts in snapshot(tmp_path / "store").items()} == before


@pytest.mark.parametrize("text", ["webdataset+png", "webdataset+raw", "webdataset+raw:access=direct"])
@pytest.mark.parametrize("at", [0, 7, 9, 100, 125, 150, 257])
def test_a_flipped_byte_in_a_header_is_noticed(text: str, at: int, tmp_path: Path) -> None:
    setup = StoreSetup.of(text)
    material = setup.material([(6, 4, 3)] * 4)
    tar = setup.make(tmp_path / "store", material) / "images-000000.tar"
    index = np.load(tmp_path / "store" / "index.npy")
    position = int(index[2, 1]) + at
    data = bytearray(tar.read_bytes())
    data[position] ^= 1
    tar.write_bytes(data)
    for ids in (range(4), [3, 2]):
        with pytest.raises(StoreError, match="image 2") as caught, setup.backend.open(tmp_path / "store") as reader:
            material.get(reader, ids)
        assert str(tar) in str(caught.value)


def test_a_flipped_label_is_noticed(tmp_path: Path) -> None:
    setup = StoreSetup.of("webdataset")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    path = tmp_path / "store" / "labels.npy"
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    with setup.backend.open(tmp_path / "store") as reader, pytest.raises(StoreError, match="checksum"):
        reader.read_labels()


@pytest.mark.parametrize("rows", [[[0, 0, 10**12]], [[7, 0, 5]], [[0, 10**15, 5]], [[-1, 0, 5]], [[0, 512, 5]]])
@pytest.mark.parametrize("text", ["webdataset+png:access=direct", "webdataset+raw:access=direct"])
def test_the_index_is_not_believed(rows: list[list[int]], text: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(text)
    material = setup.material([(6, 4, 3)] * 3)
    setup.make(tmp_path / "store", material)
    index = np.load(tmp_path / "store" / "index.npy")
    index[1] = rows[0]
    np.save(tmp_path / "store" / "index.npy", index)
    with setup.backend.open(tmp_path / "store") as reader:
        for ids in (range(3), [2, 1, 0]):
            with pytest.raises(StoreError):
                material.get(reader, ids)


@pytest.mark.parametrize("access", ["library", "direct"])
@pytest.mark.parametrize("codec", ["png", "raw"])
def test_ranges_from_anywhere_come_in_order(codec: str, access: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"webdataset+{codec}:shard=5,access={access}")
    material = setup.material([(6, 4, 3)] * 12, [number**3 for number in range(12)])
    setup.make(tmp_path / "store", material)
    with setup.backend.open(tmp_path / "store") as reader:
        for ids in (range(3), range(3, 7), range(9, 12), range(4, 12), [8, 2], range(2, 3), range(3, 4)):
            material.check(reader, ids)


def test_without_the_package_the_row_says_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "webdataset" else True)
    setup = StoreSetup.of("webdataset")
    assert registry.missing_imports(type(setup.backend)) == ()
    for operation in Operation:
        assert setup.backend.access(operation, PayloadKind.BYTES) is Access.OWN
    material = setup.material([(6, 4, 3)] * 4)
    setup.make(tmp_path / "store", material)
    material.check_store(setup.backend, tmp_path / "store")
