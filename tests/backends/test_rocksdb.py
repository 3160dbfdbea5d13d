"""The backend rocksdb: the conformance suite, and the database as plain rocksdict has it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup, walk
from tests.support.dying_editors import check_put_of_a_process_that_dies

rocksdict = pytest.importorskip("rocksdict", reason="rocksdict is not installed (extra rocksdb)")

LABELS = [-3, 0, 300, 2**40]
FOLDER = "images.rocksdb"


class TestRocksdb(BackendConformance):
    backend = "rocksdb"
    more = ("rocksdb:bulk=no,compression=lz4", "rocksdb+raw:compression=zstd,block=64")


def temporary() -> list[Path]:
    return sorted(Path(tempfile.gettempdir()).iterdir())


def key(number: int) -> bytes:
    return number.to_bytes(8, "big")


@pytest.mark.parametrize("options", ["", ":preset=plain", ":compression=zstd"])
def test_plain_rocksdict_reads_it(options: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(f"rocksdb+png{options}")
    material = setup.material([(6, 4, 3), (1, 1), (90, 70, 4), (40, 41, 3)], LABELS)
    setup.make(tmp_path / "store", material)
    database = rocksdict.Rdict(str(tmp_path / "store" / FOLDER))
    assert [database[key(number)] for number in range(4)] == material.payloads
    assert np.frombuffer(database[b"labels" + key(0)], "<i8").tolist() == LABELS
    assert [stored_key for stored_key, _ in database.items()][:4] == [key(number) for number in range(4)]
    database.close()


def test_what_plain_rocksdict_changes_is_read(tmp_path: Path) -> None:
    setup = StoreSetup.of("rocksdb+png")
    material = setup.material([(6, 4, 3)] * 4)
    setup.make(tmp_path / "store", material)
    database = rocksdict.Rdict(str(tmp_path / "store" / FOLDER))
    database[key(0)] = material.payloads[2]
    database[b"labels" + key(0)] = np.array([77, 1, 2, 3], "<i8").tobytes()
    database.close()
    with setup.backend.open(tmp_path / "store") as reader:
        assert material.get(reader, [0, 1])[0] == [material.payloads[2], material.payloads[1]]
        assert reader.read_labels().tolist() == [77, 1, 2, 3]


def test_pixels_are_bare(tmp_path: Path) -> None:
    setup = StoreSetup.of("rocksdb")
    material = setup.material([(6, 4)] * 5, dtype="uint16")
    setup.make(tmp_path / "store", material)
    database = rocksdict.Rdict(str(tmp_path / "store" / FOLDER))
    assert np.frombuffer(database[key(3)], "<u2").tolist() == material.array[3].ravel().tolist()
    database.close()


def test_labels_beyond_a_block(tmp_path: Path) -> None:
    setup = StoreSetup.of("rocksdb")
    labels = [number * 7 - 3 for number in range(2500)]
    material = setup.material([(1, 1)] * 2500, labels)
    location = setup.make(tmp_path / "store", material)
    with setup.backend.open(location) as reader:
        material.check(reader, [2499, 0, 1023, 1024, 2048, 5])
        assert reader.read_labels().tolist() == labels
    with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
        editor.delete([1023, 1024, 2499])
        editor.put_array([2500], material.array[:1].copy(), np.array([9], np.int64))
    left = [label for number, label in enumerate(labels) if number not in (1023, 1024, 2499)]
    with setup.backend.open(location) as reader:
        assert reader.read_labels().tolist() == [*left, 9]


def test_tables_are_written_once_and_without_a_log(tmp_path: Path) -> None:
    setup = StoreSetup.of("rocksdb")
    location = setup.make(tmp_path / "store", setup.material([(512, 512, 3)] * 100))
    tables = [path.stat().st_size for path in walk(location) if path.suffix == ".sst"]
    assert len(tables) == 3, "two of 64 MiB at most, and one of labels"
    assert sum(path.stat().st_size for path in walk(location) if path.suffix == ".log") == 0


def test_what_a_process_that_dies_has_put_is_there(tmp_path: Path) -> None:
    check_put_of_a_process_that_dies("rocksdb", tmp_path / "store", {SyncLevel.BUFFERED: True})


def test_one_writes_at_a_time(tmp_path: Path) -> None:
    setup = StoreSetup.of("rocksdb")
    location = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    with (
        setup.backend.edit(location, SyncLevel.BUFFERED),
        pytest.raises(StoreError, match=r"(?i)lock"),
    ):
        setup.backend.edit(location, SyncLevel.BUFFERED)


def test_settings_in_a_store_are_not_followed(tmp_path: Path) -> None:
    setup = StoreSetup.of("rocksdb")
    material = setup.material([(6, 4, 3)] * 4)
    location = setup.make(tmp_path / "store", material)
    (tmp_path / "elsewhere").mkdir()
    for path in (location / FOLDER).glob("OPTIONS-*"):
        settings = path.read_text()
        assert "[DBOptions]\n" in settings
        path.write_text(settings.replace("[DBOptions]\n", f"[DBOptions]\n  db_log_dir={tmp_path}/elsewhere\n"))
    material.check_store(setup.backend, location)
    with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
        editor.delete([0])
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_link_in_a_store_is_not_followed(tmp_path: Path) -> None:
    setup = StoreSetup.of("rocksdb")
    location = setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4))
    table = next(path for path in walk(location) if path.suffix == ".sst")
    table.rename(tmp_path / "moved.sst")
    table.symlink_to(tmp_path / "moved.sst")
    with pytest.raises(StoreError, match="not followed"):
        setup.backend.open(location)


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path) -> None:
    setup = StoreSetup.of("rocksdb")
    material = setup.material([(6, 4, 3)] * 4)
    location = setup.make(tmp_path / "store", material)
    before = temporary()
    with setup.backend.open(location) as reader:
        assert temporary() == before
        material.check(reader)
    (location / FOLDER / "CURRENT").write_bytes(b"MANIFEST-999999\n")
    with pytest.raises(StoreError) as caught:
        setup.backend.open(location)
    assert str(location) in str(caught.value)
    assert temporary() == before


def test_a_flipped_byte_of_an_image_is_noticed(tmp_path: Path) -> None:
    setup = StoreSetup.of("rocksdb")
    material = setup.material([(60, 40, 3)] * 20)
    location = setup.make(tmp_path / "store", material)
    for path in walk(location):
        whole = path.read_bytes()
        start = whole.find(material.array[7].tobytes())
        if start >= 0:
            path.write_bytes(whole[: start + 99] + bytes([whole[start + 99] ^ 1]) + whole[start + 100 :])
            break
    else:
        pytest.fail("no file holds the pixels")
    with setup.backend.open(location) as reader:
        material.check(reader, [0, 19])
        for ids in ([7], range(5, 9), [8, 7, 0]):
            with pytest.raises(StoreError, match="checksum") as caught:
                material.get(reader, ids)
            assert str(location) in str(caught.value)
