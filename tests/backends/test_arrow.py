"""The backends arrow and parquet: the conformance suite, and their files as pyarrow and datasets see them."""

from __future__ import annotations

import importlib.util
import io
import re
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup, pixels

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra arrow)")

LABELS = [-3, 0, 300, 2**40]
SHAPES = [(6, 4, 3), (1, 1), (90, 70, 4), (40, 41, 3)]


class TestArrow(BackendConformance):
    backend = "arrow"
    more = ("arrow:rows=5,compression=zstd", "arrow+png:rows=1", "arrow:rows=3,access=direct")


class TestParquet(BackendConformance):
    backend = "parquet"
    more = ("parquet:rows=5,compression=zstd", "parquet+raw:rows=1", "parquet:rows=3,access=direct")


def test_pyarrow_reads_arrays(tmp_path: Path) -> None:
    for name, rows in (("arrow", 3), ("parquet", 3)):
        setup = StoreSetup.of(f"{name}+raw:rows={rows}")
        path = setup.make(tmp_path / name, setup.material([(6, 4, 3)] * 4, LABELS))
        table = pq.read_table(path) if name == "parquet" else pa.ipc.open_file(path).read_all()
        assert table["label"].to_pylist() == LABELS
        for number, value in enumerate(table["image"].to_pylist()):
            np.testing.assert_array_equal(np.frombuffer(value, "u1").reshape(6, 4, 3), pixels((6, 4, 3), number))


def test_parquet_has_the_layout_of_hugging_face(tmp_path: Path) -> None:
    setup = StoreSetup.of("parquet:rows=3")
    material = setup.material(SHAPES, LABELS)
    path = setup.make(tmp_path / "store", material)
    table = pq.read_table(path)
    assert table["image"].to_pylist() == [
        {"bytes": payload, "path": f"{number:08}.png"} for number, payload in enumerate(material.payloads)
    ]
    assert b"Image" in table.schema.metadata[b"huggingface"]
    facts = pq.ParquetFile(path).metadata
    assert [facts.row_group(number).num_rows for number in range(facts.num_row_groups)] == [3, 1]


@pytest.mark.skipif(importlib.util.find_spec("datasets") is None, reason="datasets is not installed (extra interop)")
@pytest.mark.filterwarnings("ignore")
def test_datasets_reads_it_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    setup = StoreSetup.of("parquet:rows=3")
    images = [pixels((40, 41, 3), number) for number in range(8)]
    path = setup.make(tmp_path / "store", setup.pack(images, range(8)))
    dataset = datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert dataset["label"][:] == list(range(8))
    for number, image in enumerate(images):
        assert isinstance(dataset[number]["image"], Image.Image)
        np.testing.assert_array_equal(np.asarray(dataset[number]["image"]), image)


def test_a_flipped_byte_in_a_page_is_noticed(tmp_path: Path) -> None:
    setup = StoreSetup.of("parquet+raw")
    material = setup.material([(40, 41, 3)] * 4)
    path = setup.make(tmp_path / "store", material)
    data = bytearray(path.read_bytes())
    data[2000] ^= 1
    path.write_bytes(data)
    with setup.backend.open(tmp_path / "store") as reader, pytest.raises(StoreError) as caught:
        material.get(reader, [0])
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["arrow", "parquet"])
def test_another_table_in_its_place_is_refused(name: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"{name}+png")
    material = setup.material([(6, 4, 3)] * 3)
    path = setup.make(tmp_path / "store", material)
    schema = pq.read_schema(path) if name == "parquet" else pa.ipc.open_file(path).schema
    for table in (
        pa.table({"image": ["a", "b", "c"], "label": [1, 2, 3]}),
        pa.table({"image": [None, b"b", b"c"], "label": [1, 2, 3]}),
        pa.table({"image": [b"a", b"b", b"c"], "label": [1, None, 3]}),
        pa.table({"image": [b"a", b"b", b"c"], "label": ["1", "2", "3"]}),
        pa.table({"image": [b"a", b"b"], "label": [1, 2]}),
        pa.table({"other": [b"a", b"b", b"c"]}),
    ):
        own = table.replace_schema_metadata(schema.metadata)
        if name == "parquet":
            pq.write_table(own, path)
        else:
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, own.schema) as file:
                file.write_table(own)
        for ids in (range(3), [2, 0]):
            with pytest.raises(StoreError) as caught, setup.backend.open(tmp_path / "store") as reader:
                material.get(reader, ids)
            assert str(path) in str(caught.value)


def test_pictures_from_a_row_are_pictures(tmp_path: Path) -> None:
    setup = StoreSetup.of("parquet+png")
    path = setup.make(tmp_path / "store", setup.material([(6, 4, 3)]))
    (row,) = pq.read_table(path)["image"].to_pylist()
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(row["bytes"]))), pixels((6, 4, 3), 0))


def test_labels_without_a_buffer_are_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from imgstore_tui.backends.arrow.files import ArrowReader

    setup = StoreSetup.of("arrow")
    material = setup.material([(6, 4, 3)] * 4)
    setup.make(tmp_path / "store", material)
    original = ArrowReader._load

    def load(self: ArrowReader, number: int) -> Any:
        images, _ = original(self, number)
        return images, pa.Array.from_buffers(pa.int64(), 4, [None, None])

    monkeypatch.setattr(ArrowReader, "_load", load)
    with setup.backend.open(tmp_path / "store") as reader, pytest.raises(StoreError, match="is damaged"):
        material.get(reader, [0])


def test_one_payload_of_a_large_batch_costs_nothing_for_the_others(tmp_path: Path) -> None:
    setup = StoreSetup.of("arrow+raw:rows=200000")
    count = 200_000
    content = Content(count, PayloadKind.BYTES, "raw", None, None, count)
    with setup.backend.create(tmp_path / "store", content, SyncLevel.BUFFERED) as writer:
        writer.put_bytes(range(count), [b"%d" % (number % 10) for number in range(count)], np.zeros(count, np.int64))
    with setup.backend.open(tmp_path / "store") as reader:
        labels = np.zeros(1, np.int64)
        reader.read_bytes([0], labels)
        tracemalloc.start()
        try:
            assert reader.read_bytes([123_456], labels) == [b"6"]
            assert reader.read_bytes(range(7, 8), labels) == [b"7"]
            assert tracemalloc.get_traced_memory()[1] < 100_000
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    "options", ["", ":rows=5", ":access=direct", ":rows=5,access=direct", ":rows=5,compression=zstd", ":preset=plain"]
)
@pytest.mark.parametrize("name", ["arrow", "parquet+raw"])
def test_random_order_gives_what_a_run_gives(name: str, options: str, tmp_path: Path) -> None:
    if name == "arrow" and "preset" in options:
        options = ":rows=1"
    setup = StoreSetup.of(f"{name}{options}")
    material = setup.material([(6, 4, 3)] * 23, [300 - number**5 for number in range(23)])
    location = setup.make(tmp_path / "store", material)
    for ids in ([22, 0, 22, 21, 7], [3], list(range(22, -1, -1))):
        with setup.backend.open(location) as reader:
            material.check(reader, ids)
            material.check(reader)
            material.check(reader, ids)


@pytest.mark.parametrize("access", ["library", "direct"])
@pytest.mark.parametrize("column", ["image", "label"])
def test_a_flipped_byte_of_a_page_is_noticed_in_random_order(column: str, access: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"parquet+raw:rows=4,access={access}")
    material = setup.material([(6, 4, 3)] * 12)
    path = setup.make(tmp_path / "store", material)
    data = path.read_bytes()
    facts = pq.ParquetFile(path).metadata.row_group(1).column(column == "label")
    position = facts.data_page_offset + facts.total_compressed_size - 3
    path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
    with setup.backend.open(tmp_path / "store") as reader:
        material.check(reader, [11, 0, 3])
        for ids in ([5, 0], range(4, 6)):
            with pytest.raises(StoreError, match=re.escape(str(path))):
                material.get(reader, ids)
