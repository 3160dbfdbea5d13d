"""The backend arrayrecord: the conformance suite, and the file as Google's own reader and writer have it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup

library = pytest.importorskip(
    "array_record.python.array_record_module", reason="array_record is not installed (extra arrayrecord)"
)
FILE = "images.array_record"


class TestArrayRecord(BackendConformance):
    backend = "arrayrecord"
    more = ("arrayrecord+raw:group=4,compression=zstd", "arrayrecord+png:group=3,compression=snappy")


@pytest.mark.parametrize("options", ["", ":group=4", ":compression=zstd"])
def test_the_library_reads_it(options: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"arrayrecord{options}")
    material = setup.material([(6, 4, 3), (1, 1), (90, 70, 4), (40, 41, 3), (5, 5)])
    setup.make(tmp_path / "store", material)
    reader = library.ArrayRecordReader(str(tmp_path / "store" / FILE))
    assert reader.num_records() == 5
    assert reader.read_all() == material.payloads
    assert reader.read([4, 0]) == [material.payloads[4], material.payloads[0]]
    reader.close()


def test_records_of_pixels_are_bare(tmp_path: Path) -> None:
    setup = StoreSetup.of("arrayrecord+raw")
    material = setup.material([(6, 4)] * 5, dtype="uint16")
    setup.make(tmp_path / "store", material)
    reader = library.ArrayRecordReader(str(tmp_path / "store" / FILE))
    assert [np.frombuffer(record, "<u2").tolist() for record in reader.read_all()] == [
        image.ravel().tolist() for image in material.array
    ]
    reader.close()


@pytest.mark.parametrize("settings", ["group_size:1", "group_size:3,zstd", "group_size:2,brotli:1"])
def test_it_reads_what_the_library_writes(settings: str, tmp_path: Path) -> None:
    setup = StoreSetup.of("arrayrecord")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 5))
    other = setup.material([(9, 9)] * 5)
    writer = library.ArrayRecordWriter(str(tmp_path / "store" / FILE), settings)
    for payload in other.payloads:
        writer.write(payload)
    writer.close()
    with setup.backend.open(tmp_path / "store") as reader:
        other.check(reader)
        other.check(reader, [3, 3, 0])


def test_a_flipped_byte_of_an_image_is_noticed(tmp_path: Path) -> None:
    setup = StoreSetup.of("arrayrecord+raw")
    material = setup.material([(60, 40, 3)] * 20)
    path = setup.make(tmp_path / "store", material) / FILE
    whole = path.read_bytes()
    start = whole.index(material.array[7].tobytes())
    path.write_bytes(whole[: start + 99] + bytes([whole[start + 99] ^ 1]) + whole[start + 100 :])
    with setup.backend.open(tmp_path / "store") as reader:
        material.check(reader, [0, 19])
        with pytest.raises(StoreError, match="hash mismatch") as caught:
            material.get(reader, [7])
        assert str(path) in str(caught.value)


def test_another_number_or_size_of_records_is_refused(tmp_path: Path) -> None:
    setup = StoreSetup.of("arrayrecord+raw")
    material = setup.material([(6, 4, 3)] * 5)
    path = setup.make(tmp_path / "store", material) / FILE
    for records, message in (([b"x"] * 4, "4 records, not 5"), ([b"x"] * 5, "has 1 bytes, not 72")):
        writer = library.ArrayRecordWriter(str(path), "group_size:1")
        for record in records:
            writer.write(record)
        writer.close()
        with pytest.raises(StoreError, match=message), setup.backend.open(tmp_path / "store") as reader:
            material.get(reader, [2])
