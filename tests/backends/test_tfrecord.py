"""The backend tfrecord: the conformance suite, and the file as TensorFlow and a bare loop see it."""

from __future__ import annotations

import gzip
import importlib.util
import json
import struct
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.conformance_backend import BackendConformance
from imgstore_tui.testing.store_material import StoreSetup, pixels
from tests.support.dying_editors import check_editor_that_is_not_closed

pytest.importorskip("google_crc32c", reason="google_crc32c is not installed (extra tfrecord)")


class TestTfrecord(BackendConformance):
    backend = "tfrecord"
    more = ("tfrecord:compression=gzip", "tfrecord+raw:compression=gzip")


FILE = "images.tfrecord"


def test_checksums_are_those_of_the_standard() -> None:
    import google_crc32c

    from imgstore_tui.backends.tfrecord.records import masked

    assert google_crc32c.value(b"123456789") == 0xE3069283  # the check value of CRC-32C (RFC 3720)
    assert google_crc32c.value(bytes(32)) == 0x8A9136AA  # RFC 3720, appendix B.4
    assert masked(0x8A9136AA) == (((0x8A9136AA >> 15) | (0x8A9136AA << 17 & 0xFFFFFFFF)) + 0xA282EAD8) % 2**32


def test_a_bare_loop_reads_it(tmp_path: Path) -> None:
    setup = StoreSetup.of("tfrecord+png")
    material = setup.material([(6, 4, 3), (1, 1), (90, 70, 4)], [-3, 300, 2**40])
    data = (setup.make(tmp_path / "store", material) / FILE).read_bytes()
    at = 0
    for payload in material.payloads:
        (length,) = struct.unpack_from("<Q", data, at)
        assert payload in data[at + 12 : at + 12 + length]
        assert b"image/encoded" in data[at + 12 : at + 12 + length]
        at += 12 + length + 4
    assert at == len(data)


@pytest.mark.parametrize("compression", [None, "zip", [], {}, 3])
def test_a_compression_that_is_none_is_damage(compression: object, tmp_path: Path) -> None:
    setup = StoreSetup.of("tfrecord+png")
    location = setup.make(tmp_path / "store", setup.material([(6, 4, 3)]))
    manifest = location / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "compression": compression}))
    with pytest.raises(StoreError, match="its layout makes no sense"):
        setup.backend.open(location)


def test_gzip_is_gzip(tmp_path: Path) -> None:
    plain, packed = StoreSetup.of("tfrecord"), StoreSetup.of("tfrecord:compression=gzip")
    material = plain.material([(6, 4, 3)] * 12)
    plain.make(tmp_path / "plain", material)
    packed.make(tmp_path / "packed", material)
    data = (tmp_path / "plain" / FILE).read_bytes()
    assert gzip.decompress((tmp_path / "packed" / f"{FILE}.gz").read_bytes()) == data


@pytest.mark.parametrize("text", ["tfrecord+png", "tfrecord+raw"])
def test_every_flipped_byte_of_a_record_is_noticed(text: str, tmp_path: Path) -> None:
    setup = StoreSetup.of(text)
    material = setup.material([(3, 2, 3)] * 3)
    path = setup.make(tmp_path / "store", material) / FILE
    data = path.read_bytes()
    for position in range(len(data)):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x10]) + data[position + 1 :])
        with setup.backend.open(tmp_path / "store") as reader:
            for ids in (range(3), [2, 1, 0]):
                with pytest.raises(StoreError, match="checksum") as caught:
                    material.get(reader, ids)
                assert str(path) in str(caught.value)


def test_a_process_that_dies_while_it_adds_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    setup = StoreSetup.of("tfrecord")
    check_editor_that_is_not_closed(setup, tmp_path / "store", setup.material([(6, 4, 3)] * 5))


@pytest.mark.parametrize("record", [b"", b"\x0a\xff", b"\x0a\x02\x0a\x00", bytes(20), b"\xff" * 30, b"\x0a\x80\x80"])
def test_a_record_that_is_no_example_is_refused(record: bytes, tmp_path: Path) -> None:
    import google_crc32c

    from imgstore_tui.backends.tfrecord.records import masked

    setup = StoreSetup.of("tfrecord")
    material = setup.material([(6, 4, 3)])
    path = setup.make(tmp_path / "store", material) / FILE
    length = struct.pack("<Q", len(record))
    sums = [struct.pack("<I", masked(google_crc32c.value(part))) for part in (length, record)]
    path.write_bytes(length + sums[0] + record + sums[1])
    np.save(tmp_path / "store" / "index.npy", np.array([[0, 16 + len(record), 0]]))
    with setup.backend.open(tmp_path / "store") as reader, pytest.raises(StoreError, match="record 0 holds no image"):
        material.get(reader, [0])


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="tensorflow is not installed (extra interop)"
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("text", ["tfrecord", "tfrecord+raw", "tfrecord:compression=gzip", "tfrecord+jpeg"])
def test_tensorflow_reads_it_equal(text: str, tmp_path: Path) -> None:
    import tensorflow as tf

    setup = StoreSetup.of(text)
    images = [pixels((40, 41, 3), number) for number in range(600)]
    material = setup.pack(images, [number * 7 - 5 for number in range(600)])
    setup.make(tmp_path / "store", material)
    (path,) = (tmp_path / "store").glob("images.tfrecord*")
    count = 0
    for number, record in enumerate(tf.data.TFRecordDataset(str(path), "GZIP" if path.suffix == ".gz" else "")):
        features = tf.train.Example.FromString(record.numpy()).features.feature
        assert features["image/class/label"].int64_list.value[0] == number * 7 - 5
        assert list(features["image/shape"].int64_list.value) == [40, 41, 3]
        if "image/raw" in features:
            decoded = np.frombuffer(features["image/raw"].bytes_list.value[0], np.uint8).reshape(40, 41, 3)
            np.testing.assert_array_equal(decoded, images[number])
        else:
            payload = features["image/encoded"].bytes_list.value[0]
            assert payload == material.payloads[number]
            if text != "tfrecord+jpeg":
                np.testing.assert_array_equal(tf.io.decode_png(payload).numpy(), images[number])
        count += 1
    assert count == 600


def test_a_block_that_unpacks_to_more_than_any_of_ours_is_refused(tmp_path: Path) -> None:
    setup = StoreSetup.of("tfrecord+raw:compression=gzip")
    material = setup.material([(6, 4, 3)] * 4)
    location = setup.make(tmp_path / "store", material)
    block = gzip.compress(bytes(2**25), 1)
    (location / f"{FILE}.gz").write_bytes(block)
    index = np.load(location / "index.npy")
    index[:, :2] = 0, len(block)
    content = (location / "index.npy").read_bytes()
    (location / "index.npy").write_bytes(content[: -index.nbytes] + index.tobytes())
    with (
        setup.backend.open(location) as reader,
        pytest.raises(StoreError, match="larger than any of ours"),
    ):
        material.get(reader, [0])


def test_an_image_too_large_for_a_block_is_refused_when_it_is_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgstore_tui.backends.tfrecord.records._MOST_VALUE", 1000)
    monkeypatch.setattr("imgstore_tui.backends.tfrecord.records._MOST_AROUND", 200)
    setup = StoreSetup.of("tfrecord+png:compression=gzip")
    material = setup.material([(6, 4, 3), (90, 70, 3)])
    writer = setup.backend.create(tmp_path / "store", material.content, SyncLevel.BUFFERED)
    with pytest.raises(UnsupportedError, match="use compression=none"):
        material.put(writer)
    writer.abort()
