"""The backend lmdb: the conformance suite, and the store as a bare loop sees it."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pytest

from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup, pixels


class TestLmdb(BackendConformance):
    backend = "lmdb"


LABELS = [-3, 0, 300, 2**40]


def everything(location: Path) -> dict[bytes, bytes]:
    with lmdb.open(str(location), readonly=True, lock=False) as env, env.begin() as transaction:
        return {bytes(key): bytes(value) for key, value in transaction.cursor()}


def put(location: Path, key: bytes, value: bytes | None) -> None:
    with lmdb.open(str(location)) as env, env.begin(write=True) as transaction:
        if value is None:
            transaction.delete(key)
        else:
            transaction.put(key, value)


def test_a_bare_loop_reads_it(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4, LABELS))
    items = everything(tmp_path / "store")
    images = [np.frombuffer(value, np.uint8).reshape(6, 4, 3) for key, value in items.items() if len(key) == 4]
    for number, image in enumerate(images):
        np.testing.assert_array_equal(image, pixels((6, 4, 3), number))
    assert list(items)[:4] == [struct.pack(">I", number) for number in range(4)]
    assert np.frombuffer(items[b"labels\0\0\0\0"], "<i8").tolist() == LABELS
    assert json.loads(items[b"manifest"])["shape"] == [6, 4, 3]


def test_a_bare_loop_reads_the_articles_layout(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb:preset=article")
    setup.make(tmp_path / "store", setup.material([(6, 4, 3)] * 4, LABELS))
    items = everything(tmp_path / "store")
    assert list(items) == [b"00000000", b"00000001", b"00000002", b"00000003", b"manifest"]
    for number in range(4):
        value = items[f"{number:08}".encode()]
        height, width, channels, size, label = struct.unpack_from("<4Iq", value)
        assert (height, width, channels, size, label) == (6, 4, 3, 1, LABELS[number])
        image = np.frombuffer(value, np.uint8, offset=24).reshape(height, width, channels)
        np.testing.assert_array_equal(image, pixels((6, 4, 3), number))


@pytest.mark.parametrize("text", ["lmdb", "lmdb:transaction=0", "lmdb:preset=article", "lmdb:transaction=37"])
@pytest.mark.parametrize("kind", PayloadKind)
def test_the_map_grows(text: str, kind: PayloadKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody said how large the images are, so the map is full again and again."""
    grown: list[int] = []
    opened = lmdb.open

    class Watched:
        def __init__(self, *arguments: Any, **named: Any) -> None:
            self._env = opened(*arguments, **named)

        def set_mapsize(self, size: int) -> None:
            grown.append(size)
            self._env.set_mapsize(size)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._env, name)

    monkeypatch.setattr(lmdb, "open", Watched)
    setup = StoreSetup.of(text.replace("lmdb", "lmdb+raw" if kind is PayloadKind.ARRAY else "lmdb+original", 1))
    material = setup.material([(150, 200, 3)] * 100)
    blind = Content(100, material.content.kind, material.content.codec, (150, 200, 3), "uint8", 0)
    with setup.backend.create(tmp_path / "store", blind, SyncLevel.BUFFERED) as writer:
        material.put(writer, batch=9)
    assert grown
    assert grown == sorted(grown)
    monkeypatch.undo()
    material.check_store(setup.backend, tmp_path / "store")


def test_what_is_announced_goes_into_one_transaction(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb:preset=article")
    for count in (3, 300):
        setup.make(tmp_path / f"{count}", setup.material([(5, 5, 3)] * count))
        with lmdb.open(str(tmp_path / f"{count}"), readonly=True, lock=False) as env:
            assert env.info()["last_txnid"] == 1


def test_each_batch_brings_its_labels_where_it_must_be_safe(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb")
    material = setup.material([(6, 4, 3)] * 12)
    setup.make(tmp_path / "store", material, SyncLevel.BATCH)
    keys = [key for key in everything(tmp_path / "store") if key.startswith(b"labels")]
    assert keys == [b"labels" + struct.pack(">I", first) for first in (0, 5, 10)]
    material.check_store(setup.backend, tmp_path / "store")


def test_values_below_a_page_are_packed(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb")
    setup.make(tmp_path / "store", setup.material([(10, 10, 3)] * 1000))
    assert (tmp_path / "store" / "data.mdb").stat().st_size < 1.4 * 1000 * 300  # half-empty pages would double it


def test_readers_share_an_environment_and_the_last_one_closes_it(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb")
    material = setup.material([(6, 4, 3)] * 4)
    location = setup.make(tmp_path / "store", material)
    readers = [setup.backend.open(location) for _ in range(3)]
    for reader in readers:
        with pytest.raises(lmdb.Error, match="already open"):
            lmdb.open(str(location), readonly=True, lock=False)
        reader.close()
    everything(location)
    # A store that was deleted and made again is another one, though a reader has the old one open.
    with setup.backend.open(location) as old:
        setup.backend.destroy(location)
        setup.make(location, setup.material([(6, 4, 3)] * 2))
        with setup.backend.open(location) as new:
            assert (old.content.count, new.content.count) == (4, 2)
            material.check(old)


def test_reading_needs_no_lock_file_and_makes_none(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb")
    material = setup.material([(6, 4, 3)] * 4)
    location = setup.make(tmp_path / "store", material)
    (location / "lock.mdb").unlink()
    material.check_store(setup.backend, location)
    assert [path.name for path in location.iterdir()] == ["data.mdb"]


def test_another_process_reads_at_the_same_time(tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb")
    material = setup.material([(6, 4, 3)] * 4)
    location = setup.make(tmp_path / "store", material)
    script = "import lmdb, sys; print(lmdb.open(sys.argv[1], readonly=True).stat()['entries'])"
    with setup.backend.open(location) as reader:
        command = [sys.executable, "-c", script, str(location)]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "6"
        material.check(reader)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (b"manifest", None, "not a store"),
        (b"manifest", b"{", "cannot be read"),
        (b"manifest", b'{"format": "imgstore-tui lmdb", "version": 2}', "newer imgstore-tui"),
        (b"\0\0\0\2", None, "is damaged"),
        (b"\0\0\0\3", None, "is damaged"),
        (b"\0\0\0\2", b"too short", "not of 72 bytes"),
        (b"\0\0\0\2", bytes(73), "not of 72 bytes"),
        (b"labels\0\0\0\0", None, "0 labels for 4 images"),
        (b"labels\0\0\0\0", bytes(24), "3 labels for 4 images"),
        (b"labels\0\0\0\0", bytes(31), "is damaged"),
    ],
)
def test_what_is_wrong_inside_is_noticed(key: bytes, value: bytes | None, message: str, tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb")
    material = setup.material([(6, 4, 3)] * 4)
    location = setup.make(tmp_path / "store", material)
    put(location, key, value)
    for ids in (range(4), [3, 2, 2]):
        with pytest.raises(StoreError, match=message), setup.backend.open(location) as reader:
            material.get(reader, ids)


@pytest.mark.parametrize("value", [b"", bytes(23), bytes(24 + 72), struct.pack("<4Iq", 6, 4, 3, 1, 7) + bytes(5)])
def test_a_wrong_value_in_the_articles_layout_is_noticed(value: bytes, tmp_path: Path) -> None:
    setup = StoreSetup.of("lmdb:preset=article")
    material = setup.material([(6, 4, 3)] * 4)
    location = setup.make(tmp_path / "store", material)
    put(location, b"00000002", value)
    with setup.backend.open(location) as reader, pytest.raises(StoreError, match="is damaged"):
        material.get(reader, range(4))


def test_more_images_than_keys_are_refused(tmp_path: Path) -> None:
    content = Content(10**8 + 1, PayloadKind.BYTES, "png")
    with pytest.raises(UnsupportedError, match="100,000,000"):
        StoreSetup.of("lmdb").backend.create(tmp_path / "store", content, SyncLevel.BUFFERED)
