"""The backend zarr: the conformance suite, and the arrays as the package of that name sees them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup, open_files

zarr: Any = pytest.importorskip("zarr", reason="zarr is not installed (extra zarr)")

LABELS = [-3, 0, 300, 2**40]


class TestZarr(BackendConformance):
    backend = "zarr"
    codecs = ("raw", "png")
    more = ("zarr:chunk=2,shard=4,filter=zstd", "zarr:access=direct")


@pytest.mark.parametrize("options", ["chunk=3", "chunk=1,shard=2", "filter=blosc", "filter=gzip,checksum=no"])
def test_the_package_reads_it_equal(options: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"zarr:{options}")
    material = setup.material([(6, 4, 3)] * 4, LABELS)
    group = zarr.open_group(str(setup.make(tmp_path / "store", material) / "images.zarr"), mode="r")
    np.testing.assert_array_equal(group["images"][:], material.array)
    assert group["labels"][:].tolist() == LABELS


def test_chunks_and_shards_are_as_asked_for(tmp_path: Path) -> None:
    setup = StoreSetup.of("zarr:chunk=2,shard=6")
    path = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 13)) / "images.zarr"
    array = zarr.open_array(str(path / "images"), mode="r")
    assert (array.chunks, array.shards) == ((2, 6, 4, 3), (6, 6, 4, 3))
    assert len([file for file in (path / "images" / "c").rglob("*") if file.is_file()]) == 3


def test_a_shard_that_cuts_a_chunk_is_refused(tmp_path: Path) -> None:
    setup = StoreSetup.of("zarr:chunk=4,shard=6")
    with pytest.raises(UnsupportedError, match="multiple of 4"):
        setup.backend.create(tmp_path / "store", setup.material([(6, 4, 3)] * 9).content, SyncLevel.BUFFERED)


def test_a_chunk_that_is_lost_or_spoilt_is_noticed(tmp_path: Path) -> None:
    setup = StoreSetup.of("zarr:chunk=2")
    material = setup.material([(6, 4, 3)] * 8)
    path = setup.make(tmp_path / "store", material) / "images.zarr" / "images" / "c" / "1" / "0" / "0" / "0"
    data = path.read_bytes()
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    with setup.backend.open(tmp_path / "store") as reader:
        material.check(reader, [0, 1, 7])
        with pytest.raises(StoreError, match="damaged"):
            material.get(reader, [2])
    path.unlink()
    with setup.backend.open(tmp_path / "store") as reader:
        for ids in (range(8), [3, 0]):
            with pytest.raises(StoreError, match="missing"):
                material.get(reader, ids)


@pytest.mark.parametrize("options", ["chunk=2,shard=8", "chunk=2,shard=8,filter=zstd", "chunk=2,filter=blosc"])
def test_a_flipped_byte_is_noticed_however_it_is_read(options: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"zarr:{options}")
    material = setup.material([(6, 4, 3)] * 16)
    path = setup.make(tmp_path / "store", material) / "images.zarr" / "images" / "c" / "0" / "0" / "0" / "0"
    data = path.read_bytes()
    for position in (5, len(data) - 2):  # in the first chunk, and in the index of a shard
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
        for ids in (range(2), [1, 0], [0], range(1, 9)):
            with setup.backend.open(tmp_path / "store") as reader, pytest.raises(StoreError, match="damaged"):
                material.get(reader, ids)


def test_more_chunks_than_are_kept_open(tmp_path: Path) -> None:
    setup = StoreSetup.of("zarr:chunk=2")
    material = setup.material([(2, 2)] * 600)
    setup.make(tmp_path / "store", material)
    with setup.backend.open(tmp_path / "store") as reader:
        for ids in (range(599, -1, -3), range(600), range(1, 600)):
            material.check(reader, list(ids))
            material.check(reader, [ids[-1], ids[0], ids[-1]])
        assert len(open_files()) < 300


@pytest.mark.parametrize(
    "harm",
    [
        {"codecs": [{"name": "numcodecs.pickle", "configuration": {}}]},
        {"data_type": "string"},
        {"shape": [9, 6, 4, 3]},
        {"codecs": None},
        {"storage_transformers": [{"name": "x"}]},
        {"codecs": [{"name": "bytes", "configuration": {"endian": "big"}}]},
        {"codecs": [{"name": "bytes"}, {"name": "crc32c"}, {"name": "zstd"}]},
        {"chunk_key_encoding": {"name": "v2"}},
        {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 3, 4, 3]}}},
    ],
)
def test_metadata_that_asks_for_more_is_refused(harm: dict[str, object], tmp_path: Path) -> None:
    setup = StoreSetup.of("zarr")
    path = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4)) / "images.zarr" / "images" / "zarr.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **harm}))
    with pytest.raises(StoreError, match="not the array it should be"):
        setup.backend.open(tmp_path / "store")


def test_a_shard_in_a_shard_is_refused(tmp_path: Path) -> None:
    setup = StoreSetup.of("zarr:chunk=1,shard=4")
    path = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4)) / "images.zarr" / "images" / "zarr.json"
    facts = json.loads(path.read_text())
    (outer,) = facts["codecs"]
    inner = {"codecs": [{"name": "numcodecs.pickle", "configuration": {}}], "index_codecs": [], "chunk_shape": [1]}
    outer["configuration"]["codecs"] = [{"name": "sharding_indexed", "configuration": inner}]
    path.write_text(json.dumps(facts))
    with pytest.raises(StoreError, match="not the array it should be"):
        setup.backend.open(tmp_path / "store")


@pytest.mark.parametrize("text", ["zarr:chunk=2", "zarr:chunk=1,shard=4", "zarr+raw", "zarr+png:filter=zstd"])
@pytest.mark.parametrize("blank", [False, True])
def test_it_goes_on_behind_the_last_whole_chunk(
    text: str, blank: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgstore_tui.backends.zarr.writer._AT_ONCE", 2**20)
    setup = StoreSetup.of(text)
    shapes = [(210, 200, 3)] * 24 if "+" not in text else [(210 + number % 2, 200, 3) for number in range(24)]
    material = setup.material(shapes)
    if blank and material.array is not None:  # a chunk without anything in it is written all the same
        material.array[:] = 0
    writer = setup.backend.create(tmp_path / "store", material.content, SyncLevel.BUFFERED)
    material.put(writer, 0, 19)
    complete = writer.checkpoint()
    assert 8 <= complete < 19
    shutil.copytree(tmp_path / "store", tmp_path / "left")  # what a kill leaves
    writer.abort()
    sizes = np.array([len(payload) for payload in material.payloads] or [126_000] * 24)
    with setup.backend.resume(
        tmp_path / "left", material.content, material.labels[:complete], sizes[:complete]
    ) as writer:
        material.put(writer, complete, 21)
        assert writer.checkpoint() >= complete
        material.put(writer, 21)
    material.check_store(setup.backend, tmp_path / "left")
