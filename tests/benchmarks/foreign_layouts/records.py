"""Layouts of records: TFRecord of tf.train.Example, LMDB of picture files and of Datum messages of Caffe."""

from __future__ import annotations

import gzip
import importlib.util
import struct
from pathlib import Path
from typing import Any

import lmdb

from imgstore_tui.testing.store_material import pixels
from tests.benchmarks.foreign_layouts.layout import (
    WORDS,
    Contents,
    Layout,
    Settings,
    labels_for,
    numbered,
    picture_files,
)


def varint(value: int) -> bytes:
    """Return a number of protocol buffers."""
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number: int, data: bytes | int) -> bytes:
    """Return a field of a message: bytes with their length, or a whole number."""
    if isinstance(data, int):
        return varint(number << 3) + varint(data & (2**64 - 1))
    return varint(number << 3 | 2) + varint(len(data)) + data


def _feature(value: Any, *, packed: bool) -> bytes:
    """Return a tf.train.Feature of bytes, floats or whole numbers."""
    values = value if isinstance(value, list) else [value]
    if isinstance(values[0], bytes):
        return field(1, b"".join(field(1, item) for item in values))
    if isinstance(values[0], float):
        if packed:
            return field(2, field(1, b"".join(struct.pack("<f", item) for item in values)))
        return field(2, b"".join(varint(1 << 3 | 5) + struct.pack("<f", item) for item in values))
    if packed:
        return field(3, field(1, b"".join(varint(item & (2**64 - 1)) for item in values)))
    return field(3, b"".join(field(1, item) for item in values))


def _label(number: int, form: str) -> Any:
    return {
        "int64": number, "negative": number - 2, "float": float(number), "digits": b"%d" % number,
        "words": WORDS[number].encode(), "one-hot": [int(number == place) for place in range(5)],
        "one-hot float": [float(number == place) for place in range(5)], "none": None,
    }[form]  # fmt: skip


def _examples(settings: Settings) -> list[dict[str, Any]]:
    """Return the features of each record."""
    count = settings["count"]
    records = []
    files = picture_files(count, settings["kind"] if settings["kind"] != "pixels" else "PNG")
    for number, label in enumerate(labels_for(count)):
        features: dict[str, Any] = {}
        if settings["kind"] == "pixels":
            array = pixels((6, 7, 3), number)
            features |= {settings["image key"]: array.tobytes(), "height": 6, "width": 7, "depth": 3}
        elif not (settings["without"] == "one picture" and number == count // 2):
            features[settings["image key"]] = files[number]
        if (value := _label(label, settings["label"])) is not None:
            features[settings["label key"]] = value
        if settings["beside"] == "facts":
            features |= {
                "image/height": 5,
                "image/width": 6,
                "image/format": b"png",
                "image/filename": b"%d.png" % number,
            }
        elif settings["beside"] == "boxes":
            features |= {"image/object/bbox/xmin": [0.25, 0.5], "image/object/class/label": [1, 2]}
        if settings["order"] == "backwards":
            features = dict(reversed(features.items()))
        records.append(features)
    return records


def _crc32c(data: bytes) -> bytes:
    import google_crc32c

    value = int(google_crc32c.value(data))
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _write_tfrecord(path: Path, settings: Settings) -> None:
    data = b""
    for features in _examples(settings):
        entries = b"".join(
            field(1, field(1, key.encode()) + field(2, _feature(value, packed=settings["packed"])))
            for key, value in features.items()
        )
        example = field(1, entries)
        length = struct.pack("<Q", len(example))
        data += length + _crc32c(length) + example + _crc32c(example)
    path.write_bytes(gzip.compress(data) if settings["compression"] == "GZIP" else data)


def _read_tfrecord(path: Path, settings: Settings) -> Contents:
    """Return what TensorFlow reads, or what was written where it is not installed."""
    records = _examples(settings)
    if importlib.util.find_spec("tensorflow") is not None:
        records = [_with_tensorflow(record) for record in _tensorflow_records(path, settings["compression"])]
    images, labels = [], []
    for record in records:
        if (data := record.get(settings["image key"])) is not None:
            pixel = settings["kind"] == "pixels"
            images.append(pixels_of(data) if pixel else data)
            labels.append(record.get(settings["label key"]))
    return Contents(images, None if settings["label"] == "none" else numbered(labels))


def pixels_of(data: bytes) -> Any:
    """Return pixels of 6 x 7."""
    import numpy as np

    return np.frombuffer(data, np.uint8).reshape(6, 7, 3)


def _tensorflow_records(path: Path, compression: str) -> list[bytes]:
    import tensorflow as tf

    kind = "" if compression == "none" else compression
    return [record.numpy() for record in tf.data.TFRecordDataset(str(path), kind)]


def _with_tensorflow(record: bytes) -> dict[str, Any]:
    import tensorflow as tf

    features = tf.train.Example.FromString(record).features.feature
    layouts: dict[str, Any] = {}
    for key, feature in features.items():
        values = list(getattr(feature, feature.WhichOneof("kind")).value)
        layouts[key] = values[0] if len(values) == 1 else values
    return layouts


def _key(settings: Settings, number: int) -> bytes:
    key: bytes = settings["keys"](number)
    return key


def datum(image: Any, label: int, *, encoded: bytes = b"", as_float: bool = False) -> bytes:
    """Return a Datum of Caffe: pixels (H, W, C) in the order C, H, W, or a picture file."""
    if encoded:
        return field(4, encoded) + field(5, label) + field(7, 1)
    height, width, channels = image.shape
    planes = image.transpose(2, 0, 1)
    sides = field(1, channels) + field(2, height) + field(3, width)
    if as_float:
        data = b"".join(varint(6 << 3 | 5) + struct.pack("<f", value) for value in planes.reshape(-1).tolist())
        return sides + field(5, label) + data
    return sides + field(4, planes.tobytes()) + field(5, label)


def _write_lmdb(path: Path, settings: Settings) -> None:
    count, value_kind = settings["count"], settings["values"]
    files = picture_files(count, settings["kind"])
    with (
        lmdb.open(str(path), map_size=1 << 24, subdir=settings["folder"]) as env,
        env.begin(write=True) as transaction,
    ):
        for number, (data, label) in enumerate(zip(files, labels_for(count), strict=True)):
            image = pixels((6, 7, 3), number)
            value = {
                "files": data, "datum": datum(image, label), "encoded datum": datum(None, label, encoded=data),
                "crnn": data,
            }[value_kind]  # fmt: skip
            key = b"image-%09d" % (number + 1) if value_kind == "crnn" else _key(settings, number)
            transaction.put(key, value)
            if value_kind == "crnn":
                transaction.put(b"label-%09d" % (number + 1), WORDS[label].encode())
        if value_kind == "crnn":
            transaction.put(b"num-samples", b"%d" % count)
        if settings["beside"] == "__len__":
            transaction.put(b"__len__", b"%d" % count)


def _read_lmdb(path: Path, settings: Settings) -> Contents:
    with (
        lmdb.open(str(path), readonly=True, lock=False, subdir=settings["folder"]) as env,
        env.begin() as transaction,
    ):
        items = [(bytes(key), bytes(value)) for key, value in transaction.cursor()]
    own = {_key(settings, number): number for number in range(settings["count"])}
    files, labels = picture_files(settings["count"], settings["kind"]), labels_for(settings["count"])
    if settings["values"] == "crnn":
        words = [value for key, value in items if key.startswith(b"label-")]
        return Contents([value for key, value in items if key.startswith(b"image-")], numbered(words))
    order = [own[key] for key, _ in items if key in own]
    if settings["values"] == "files":
        return Contents([value for key, value in items if key in own], None)
    images = files if settings["values"] == "encoded datum" else [pixels((6, 7, 3), n) for n in range(len(files))]
    return Contents([images[number] for number in order], [labels[number] for number in order])


LAYOUTS = (
    Layout(
        "a.tfrecord",
        {
            "count": (6, 1, 3, 12),
            "kind": ("PNG", "JPEG", "pixels"),
            "image key": ("image/encoded", "image", "image_raw", "jpeg", "img_raw", "image/bytes"),
            "label key": ("image/class/label", "label", "class", "target", "y"),
            "label": ("int64", "negative", "float", "digits", "words", "one-hot", "one-hot float", "none"),
            "packed": (True, False),
            "compression": ("none", "GZIP"),
            "order": ("as written", "backwards"),
            "without": ("none", "one picture"),
            "beside": ("none", "facts", "boxes"),
        },
        _write_tfrecord,
        _read_tfrecord,
        requires="google_crc32c",
    ),
    Layout(
        "a.lmdb",
        {
            "count": (6, 1, 3, 12),
            "kind": ("PNG", "JPEG", "WEBP"),
            "values": ("files", "datum", "encoded datum", "crnn"),
            "keys": (
                lambda number: b"%08d" % number,
                lambda number: b"%d" % number,
                lambda number: b"n%d.png" % number,
                lambda number: number.to_bytes(4, "big"),
                lambda number: b"a/b/%d" % number,
            ),
            "folder": (True, False),
            "beside": ("none", "__len__"),
        },
        _write_lmdb,
        _read_lmdb,
    ),
)
"""All layouts of records."""
