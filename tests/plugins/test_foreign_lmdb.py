"""LMDBs of other programs: Caffe, CRNN, BasicSR, single files; what holds no pictures is refused with its keys."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image

from imgstore_tui.backends.lmdb.datum import parse_datum
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.images import raw
from imgstore_tui.plugins.foreign import open_foreign
from imgstore_tui.testing.store_material import is_sentence, pixels

PLANES = [pixels((3, 5, 7), number) for number in range(3)]


def jpeg(level: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (level, level, level)).save(buffer, "JPEG")
    return buffer.getvalue()


FILES = [jpeg(level) for level in (10, 20, 30)]


def write(path: Path, values: dict[bytes, bytes], *, subdir: bool = True) -> Path:
    with lmdb.open(str(path), map_size=1 << 24, subdir=subdir) as env, env.begin(write=True) as transaction:
        for key, value in values.items():
            transaction.put(key, value)
    return path


def opened(path: Path, **layout: str | float) -> Reader:
    result = open_foreign(path, ForeignLayout.of(layout))
    assert result is not None
    return result.reader


def payloads(reader: Reader) -> list[bytes]:
    with reader:
        return reader.read_bytes(range(reader.content.count), np.zeros(reader.content.count, np.int64))


def refusal(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        opened(path).close()
    assert is_sentence(str(caught.value), path)
    return str(caught.value)


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def datum(planes: np.ndarray, label: int, data: bytes | None = None) -> bytes:
    """Return a Datum; with ``data`` one that holds a picture file."""
    channels, height, width = planes.shape
    sides = (
        b"" if data else b"".join(b"%c%b" % (tag, varint(n)) for tag, n in ((8, channels), (16, height), (24, width)))
    )
    body = data or planes.tobytes()
    encoded = b"\x38\x01" if data else b""
    return sides + b"\x22" + varint(len(body)) + body + b"\x28" + varint(label & (1 << 64) - 1) + encoded


@pytest.mark.parametrize("subdir", [True, False])
def test_values_that_are_picture_files_are_read_in_the_order_of_keys(subdir: bool, tmp_path: Path) -> None:
    path = write(tmp_path / "a.lmdb", {b"%04d" % n: FILES[n] for n in (2, 0, 1)}, subdir=subdir)
    reader = opened(path)
    assert not reader.content.has_labels
    assert payloads(reader) == FILES


def test_the_labels_of_crnn_are_read_and_samples_without_a_picture_are_named(tmp_path: Path) -> None:
    values = {b"num-samples": b"4", b"image-000000004": b"no picture", b"label-000000004": b"x"}
    for number, text in enumerate((b"dog", b"cat", b"dog"), 1):
        values |= {b"image-%09d" % number: FILES[number - 1], b"label-%09d" % number: text}
    reader = opened(write(tmp_path / "a", values))
    assert reader.content.label_names == ("cat", "dog")
    assert reader.read_labels().tolist() == [1, 0, 1]
    assert [(entry.name, entry.reason) for entry in reader.excluded] == [("image-000000004", "Its value is 10 bytes.")]
    assert payloads(reader) == FILES


def test_pixels_of_caffe_are_read_with_their_labels(tmp_path: Path) -> None:
    reader = opened(write(tmp_path / "a", {b"%08d" % n: datum(PLANES[n], n - 1) for n in range(3)}))
    assert reader.read_labels().tolist() == [-1, 0, 1]
    assert (reader.content.shape, reader.content.dtype) == ((5, 7, 3), "uint8")
    assert any("in the order that they are stored in" in warning for warning in reader.warnings)
    for data, planes in zip(payloads(reader), PLANES, strict=True):
        np.testing.assert_array_equal(raw.unpack(data), planes.transpose(1, 2, 0))


def test_picture_files_in_messages_of_caffe_are_read(tmp_path: Path) -> None:
    reader = opened(write(tmp_path / "a", {b"%d" % n: datum(PLANES[n], n, FILES[n]) for n in range(3)}))
    assert reader.read_labels().tolist() == [0, 1, 2]
    assert payloads(reader) == FILES


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Boom:
        def __reduce__(self) -> tuple[object, tuple[str, str]]:
            return Path.write_text, (tmp_path / "boom", "x")  # type: ignore[return-value]

    text = refusal(write(tmp_path / "a", {b"%d" % n: pickle.dumps((Boom(), FILES[n])) for n in range(3)}))
    assert "its keys are 0 (is a pickle of" in text
    assert not (tmp_path / "boom").exists()


def test_what_is_beside_pictures_is_said(tmp_path: Path) -> None:
    reader = opened(write(tmp_path / "a", {b"0": FILES[0], b"about": b"three pictures", b"1": FILES[1]}))
    assert reader.content.count == 2
    assert "1 value not read: about (is 14 bytes)" in " ".join(reader.warnings)


def test_an_environment_cut_short_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.lmdb", {b"%04d" % n: FILES[n] * 9 for n in range(3)}, subdir=False)
    path.write_bytes(path.read_bytes()[:8192])
    assert "shorter than it says" in refusal(path)


@pytest.mark.parametrize(
    "value",
    [
        b"", b"\x08", b"\x08\x03\x10\x08\x18\x08\x22\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x22" + b"\xff" * 12,
        datum(PLANES[0], 1)[:-20], datum(PLANES[0], 1) + b"\x00", b"\x08\x03\x10\x00\x18\x00\x22\x00", b"\x0b" * 40,
    ],
)  # fmt: skip
def test_what_is_no_message_of_caffe_is_none(value: bytes) -> None:
    assert parse_datum(value) is None


def float_datum(planes: np.ndarray, label: int, *, packed: bool) -> bytes:
    """Return a Datum of float32, as ``array_to_datum`` of Caffe writes them, or packed as later compilers do."""
    sides = b"".join(b"%c%b" % (tag, varint(n)) for tag, n in zip((8, 16, 24), planes.shape, strict=True))
    numbers = [number.tobytes() for number in planes.astype("<f4").reshape(-1)]
    body = b"".join(numbers)
    floats = b"\x32" + varint(len(body)) + body if packed else b"".join(b"\x35" + number for number in numbers)
    return sides + b"\x28" + varint(label) + floats


@pytest.mark.parametrize("packed", [True, False])
def test_floats_of_caffe_are_pixels_by_a_scale(packed: bool, tmp_path: Path) -> None:
    values = {b"%08d" % n: float_datum(PLANES[n] / 255, n, packed=packed) for n in range(3)}
    path = write(tmp_path / "a", values)
    assert "hold floats; add scale=255 if they are 0..1" in refusal(path)
    reader = opened(path, scale=255.0)
    assert reader.read_labels().tolist() == [0, 1, 2]
    for data, planes in zip(payloads(reader), PLANES, strict=True):
        np.testing.assert_array_equal(raw.unpack(data), planes.transpose(1, 2, 0))
    with pytest.raises(StoreError, match=r"values times 999 are not all in 0\.\.255; name another scale="):
        payloads(opened(path, scale=999.0))


def test_a_scale_where_there_are_no_floats_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {b"0": datum(PLANES[0], 1)})
    with pytest.raises(StoreError, match="holds no floats that scale= could make pixels") as caught:
        opened(path, scale=255.0)
    assert is_sentence(caught.value, path)


def test_floats_beside_pixels_are_named(tmp_path: Path) -> None:
    values = {b"0": datum(PLANES[0], 1), b"1": float_datum(PLANES[1], 1, packed=True), b"2": datum(PLANES[2], 2)}
    reader = opened(write(tmp_path / "a", values))
    assert reader.content.count == 2
    assert [(entry.name, entry.reason) for entry in reader.excluded] == [
        ("1", "It holds floats; scale= makes pixels of them.")
    ]


@pytest.mark.parametrize(
    ("picture", "label", "layout"),
    [
        ("img-%03d", "tag-%03d", {"image": "img-", "label": "tag-"}),
        ("img-%03d", "tag-%03d", {"label": "tag-"}),
        ("%03d", "%03d.txt", {"label": ".txt"}),
        ("img_%03d", "cls%03d", {"image": "img_", "label": "cls"}),
    ],
)
def test_keys_of_labels_may_be_named(picture: str, label: str, layout: dict[str, str], tmp_path: Path) -> None:
    values = {(picture % n).encode(): FILES[n] for n in range(3)}
    values |= {(label % n).encode(): text for n, text in enumerate((b"dog", b"cat", b"dog"))}
    path = write(tmp_path / "a", values)
    unnamed = opened(path)
    assert not unnamed.content.has_labels
    assert "label= names what such keys begin with" in unnamed.label_note
    reader = opened(path, **layout)
    assert reader.content.label_names == ("cat", "dog")
    assert reader.read_labels().tolist() == [1, 0, 1]
    assert payloads(reader) == FILES
    missing = opened(path, image=layout.get("image", ""), label="other")
    assert "no key is other before or behind the key" in missing.label_note


def test_a_beginning_that_no_key_has_is_refused_with_the_keys(tmp_path: Path) -> None:
    path = write(tmp_path / "a", {b"0": FILES[0]})
    with pytest.raises(StoreError, match="no key in it begins with img") as caught:
        opened(path, image="img")
    assert is_sentence(caught.value, path)
    assert "its keys are 0." in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        float_datum(PLANES[0], 1, packed=True)[:-1],
        float_datum(PLANES[0], 1, packed=False)[:-2],
        b"\x08\x01\x10\x01\x18\x01\x35\0",
        b"\x35" * 50,
    ],
)
def test_floats_that_do_not_fit_are_no_message_of_caffe(value: bytes) -> None:
    assert parse_datum(value) is None
