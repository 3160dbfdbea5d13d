"""Layouts of other programs by the hundred: ``python -m tests.benchmarks.fuzz_foreign [--count 300] [--seed 0]``.

One property at a time is drawn anew: type, axes, names, nesting, chunks, filter, count and labels of an HDF5 file, keys
and form of values of an LMDB. What is read must be what h5py and lmdb give, image by image and label by label; all else
must be refused in a sentence. The last line counts both.
"""

from __future__ import annotations

import argparse
import collections
import io
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import lmdb
import numpy as np
from PIL import Image

from imgstore_tui.core.content import PayloadKind
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.plugins.foreign import open_foreign
from imgstore_tui.testing.store_material import is_sentence, pixels

Expected = tuple[list[Any] | None, list[int] | None]
"""Images (None where more than one reading is right) and labels (None where there are none)."""


def hdf5(path: Path, order: random.Random) -> Expected:
    """Write an HDF5 file in a layout that is drawn; return what h5py gives of it, in the order N, H, W, C."""
    count, height, width = order.choice((1, 2, 3, 6)), order.choice((3, 4, 8, 9)), order.choice((3, 4, 8, 28))
    channels = order.choice((1, 3, 4, 0))
    axes = "NHW" if not channels else order.choice(("NHWC", "NCHW", "HWCN"))
    if axes == "HWCN":
        width = height  # of others with 1, 3 or 4 pictures nothing tells that they are not N, H, W, C
    images = pixels((count, height, width, channels) if channels else (count, height, width), order.randrange(99))
    if order.random() < 0.2:
        images = images.astype(np.uint16) * 257
    numbers = [order.randrange(5) for _ in range(count)]
    stored: Any = images.transpose(["NHWC".index(axis) for axis in axes])
    kind = order.choice(("same", "same", "same", "float", "int64"))
    stored = {"same": stored, "float": stored / 255, "int64": stored.astype("i8")}[kind]
    group = order.choice(("", "", "train/", "a/b/"))
    name, beside = order.choice((("images", "labels"), ("x", "y"), ("data", "label"), ("anything", "target")))
    chunks = order.random() < 0.5
    with h5py.File(path, "w") as file:
        settings = {"chunks": stored.shape, "compression": order.choice(("gzip", "lzf", None))} if chunks else {}
        file.create_dataset(f"{group}{name}", data=stored, **settings)
        form = order.choice(("int", "float", "column", "text", "none"))
        if form != "none":
            values: Any = np.array(numbers, "f4" if form == "float" else "i4")
            values = values.reshape(-1, 1) if form == "column" else values
            file[f"{group}{beside}"] = [b"%d" % number for number in numbers] if form == "text" else values
        if order.random() < 0.3:
            file["note"] = np.zeros((2, 5), "f4")
    return list(images), None if form == "none" else numbers


def lmdb_files(path: Path, order: random.Random) -> Expected:
    """Write an LMDB of picture files under keys that are drawn."""
    files = []
    for number in range(order.choice((1, 3, 12))):
        buffer = io.BytesIO()
        Image.fromarray(pixels((5, 6 + number, 3), number)).save(buffer, order.choice(("PNG", "JPEG", "WEBP")))
        files.append(buffer.getvalue())
    form = order.choice((b"%08d", b"%d", b"image-%09d", b"n%d.png"))
    crnn = form == b"image-%09d" and order.random() < 0.8
    with lmdb.open(str(path), map_size=1 << 24, subdir=order.random() < 0.5) as env:
        with env.begin(write=True) as transaction:
            for number, data in enumerate(files):
                transaction.put(form % number, data)
                if crnn:
                    transaction.put(b"label-%09d" % number, b"%d" % (number % 3))
            if crnn:
                transaction.put(b"num-samples", b"%d" % len(files))
        with env.begin() as transaction:
            values = [bytes(value) for key, value in transaction.cursor() if not key.startswith((b"label-", b"num-"))]
    return values, [number % 3 for number in range(len(files))] if crnn else None


WRITERS: tuple[tuple[str, Callable[[Path, random.Random], Expected]], ...] = (
    ("a.h5", hdf5), ("b.h5", hdf5), ("a.lmdb", lmdb_files),
)  # fmt: skip


def outcome(path: Path, expected: Expected) -> str:
    """Read a file; return ``equal`` or ``refused``, or what is wrong."""
    try:
        opened = open_foreign(path)
        assert opened is not None
        with opened.reader as reader:
            content, labels = reader.content, np.zeros(reader.content.count, np.int64)
            if content.kind is PayloadKind.ARRAY:
                assert content.shape is not None
                out = np.zeros((content.count, *content.shape), content.dtype)
                reader.read_array(range(content.count), out, labels)
                got: list[Any] = list(out)
            else:
                got = list(reader.read_bytes(range(content.count), labels))
            numbers = reader.read_labels().tolist() if content.has_labels else None
    except ImgstoreError as error:
        return "refused" if is_sentence(str(error)) else f"no sentence: {error}"
    images, wanted = expected
    if images is not None and (len(got) != len(images) or not all(map(np.array_equal, got, images))):
        return "other images"
    return "equal" if numbers == wanted else f"labels {numbers} instead of {wanted}"


def main() -> int:
    """Draw layouts, and count what becomes of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tally: collections.Counter[str] = collections.Counter()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.count):
            order = random.Random(f"{arguments.seed} {number}")
            name, write = WRITERS[number % len(WRITERS)]
            path = Path(folder) / f"{number}-{name}"
            result = outcome(path, write(path, order))
            tally[result if result in {"equal", "refused"} else "wrong"] += 1
            if result not in {"equal", "refused"}:
                wrong += 1
                print(f"{number} {name}: {result}")
    print(f"{arguments.count} layouts: {tally['equal']} equal, {tally['refused']} refused, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
