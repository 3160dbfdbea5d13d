"""Each format as a first program uses it: from the library's front page, an image a call where that is how it goes.

A read hands over every image with its label, one after the other, and none is kept; what a library loads whole is
loaded whole. LMDB and HDF5 are stored as the article stores them, and read by the loop of ``first_loop.py``.

Run as ``python -m tests.benchmarks.naive CASE``, a JSON object: ``method``, ``operation``, ``count``, ``seed``,
``store`` (the folder to make or read), ``source`` (a folder of pixels.npy and labels.npy) and ``check``, whether what
is read is compared with the pixels, in a second pass off the clock. Printed is a JSON list of the seconds it took.
Nothing is forced to the device.
"""

from __future__ import annotations

import io
import json
import random
import shutil
import sqlite3
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import first_loop, reference

CifarImage = reference.CifarImage  # what is pickled in a script is looked up in the script that runs
Images = Iterator[tuple[Any, Any]]
BATCH = {True: 256, False: 64}
"""Images of a call of the loop, in order or shuffled."""


def write_npy(folder: Path, images: Any, labels: Any) -> None:
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)


def read_npy(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    images, labels = np.load(folder / "images.npy"), np.load(folder / "labels.npy")
    for number in ids:
        yield images[number], labels[number]


def write_sqlite(folder: Path, images: Any, labels: Any) -> None:
    connection = sqlite3.connect(folder / "images.db")
    connection.execute("CREATE TABLE images(id INTEGER PRIMARY KEY, image BLOB, label INTEGER)")
    for number, image in enumerate(images):
        connection.execute("INSERT INTO images VALUES (?, ?, ?)", (number, image.tobytes(), int(labels[number])))
    connection.commit()
    connection.close()


def read_sqlite(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    connection = sqlite3.connect(folder / "images.db")
    for number in ids:
        data, label = connection.execute("SELECT image, label FROM images WHERE id = ?", (number,)).fetchone()
        yield np.frombuffer(data, np.uint8).reshape(shape), label
    connection.close()


def write_webdataset(folder: Path, images: Any, labels: Any) -> None:
    with tarfile.open(folder / "images.tar", "w") as tar:
        for number, image in enumerate(images):
            buffer = io.BytesIO()
            np.save(buffer, image)
            for name, data in ((f"{number:08}.npy", buffer.getvalue()), (f"{number:08}.cls", b"%d" % labels[number])):
                facts = tarfile.TarInfo(name)
                facts.size = len(data)
                tar.addfile(facts, io.BytesIO(data))


def read_webdataset(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    with tarfile.open(folder / "images.tar") as tar:
        for number in ids:
            image, label = tar.extractfile(f"{number:08}.npy"), tar.extractfile(f"{number:08}.cls")
            assert image is not None
            assert label is not None
            yield np.load(io.BytesIO(image.read())), int(label.read())


def write_safetensors(folder: Path, images: Any, labels: Any) -> None:
    from safetensors.numpy import save_file

    save_file({"images": images, "labels": labels}, folder / "images.safetensors")


def read_safetensors(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    from safetensors.numpy import load_file

    tensors = load_file(folder / "images.safetensors")
    for number in ids:
        yield tensors["images"][number], tensors["labels"][number]


def table_of(images: Any, labels: Any) -> Any:
    import pyarrow as pa

    return pa.table({"image": [image.tobytes() for image in images], "label": labels.tolist()})


def rows_in(table: Any, ids: Sequence[int], shape: Any) -> Images:
    rows = table.to_pylist()
    for number in ids:
        yield np.frombuffer(rows[number]["image"], np.uint8).reshape(shape), rows[number]["label"]


def write_arrow(folder: Path, images: Any, labels: Any) -> None:
    from pyarrow import feather

    feather.write_feather(table_of(images, labels), folder / "images.feather")


def read_arrow(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    from pyarrow import feather

    return rows_in(feather.read_table(folder / "images.feather"), ids, shape)


def write_parquet(folder: Path, images: Any, labels: Any) -> None:
    from pyarrow import parquet

    parquet.write_table(table_of(images, labels), folder / "images.parquet")


def read_parquet(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    from pyarrow import parquet

    return rows_in(parquet.read_table(folder / "images.parquet"), ids, shape)


def write_zarr(folder: Path, images: Any, labels: Any) -> None:
    import zarr

    group = zarr.create_group(str(folder / "images.zarr"))
    for name, values in (("images", images), ("labels", labels)):
        group.create_array(name, shape=values.shape, dtype=values.dtype)[:] = values


def read_zarr(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    import zarr

    group = zarr.open_group(str(folder / "images.zarr"), mode="r")
    images, labels = group["images"], group["labels"]
    if isinstance(ids, range):
        yield from zip(images[:], labels[:].tolist(), strict=True)
        return
    for number in ids:
        yield images[number], int(labels[number])


def write_arrayrecord(folder: Path, images: Any, labels: Any) -> None:
    from array_record.python import array_record_module

    writer = array_record_module.ArrayRecordWriter(str(folder / "images.array_record"), "group_size:1")
    for image in images:
        writer.write(image.tobytes())
    writer.close()
    np.save(folder / "labels.npy", labels)


def read_arrayrecord(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    from array_record.python import array_record_module

    reader = array_record_module.ArrayRecordReader(str(folder / "images.array_record"))
    labels = np.load(folder / "labels.npy")
    tensors = reader.read_all() if isinstance(ids, range) else (reader.read([number])[0] for number in ids)
    for number, record in zip(ids, tensors, strict=True):
        yield np.frombuffer(record, np.uint8).reshape(shape), labels[number]
    reader.close()


def write_rocksdb(folder: Path, images: Any, labels: Any) -> None:
    from rocksdict import Rdict

    database = Rdict(str(folder / "images.rocks"))
    for number, image in enumerate(images):
        database[number] = (image.tobytes(), int(labels[number]))
    database.close()


def read_rocksdb(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    from rocksdict import Rdict

    database = Rdict(str(folder / "images.rocks"))
    for number in ids:
        data, label = database[number]
        yield np.frombuffer(data, np.uint8).reshape(shape), label
    database.close()


def write_duckdb(folder: Path, images: Any, labels: Any) -> None:
    import duckdb

    connection = duckdb.connect(str(folder / "images.duckdb"))
    connection.execute("CREATE TABLE images(id INTEGER, image BLOB, label INTEGER)")
    connection.begin()
    rows = [(number, image.tobytes(), int(labels[number])) for number, image in enumerate(images)]
    connection.executemany("INSERT INTO images VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()


def read_duckdb(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    import duckdb

    connection = duckdb.connect(str(folder / "images.duckdb"))
    if isinstance(ids, range):
        rows: Any = connection.execute("SELECT image, label FROM images ORDER BY id").fetchall()
    else:
        one = "SELECT image, label FROM images WHERE id = ?"
        rows = (connection.execute(one, [number]).fetchone() for number in ids)
    for data, label in rows:
        yield np.frombuffer(data, np.uint8).reshape(shape), label
    connection.close()


def write_lance(folder: Path, images: Any, labels: Any) -> None:
    import lance

    lance.write_dataset(table_of(images, labels), str(folder / "images.lance"))


def read_lance(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    import lance

    dataset = lance.dataset(str(folder / "images.lance"))
    if isinstance(ids, range):
        yield from rows_in(dataset.to_table(), ids, shape)
        return
    for number in ids:
        row = dataset.take([number]).to_pylist()[0]
        yield np.frombuffer(row["image"], np.uint8).reshape(shape), row["label"]


def write_lmdb(folder: Path, images: Any, labels: Any) -> None:
    reference.write_lmdb(folder / "store", images, labels, False)


def write_hdf5(folder: Path, images: Any, labels: Any) -> None:
    reference.write_hdf5(folder / "store", images, labels, False)


def _in_loop(method: str, folder: Path, ids: Sequence[int]) -> Images:
    batch = BATCH[isinstance(ids, range)]
    with first_loop.OPEN[method](folder / "store") as get:
        for start in range(0, len(ids), batch):
            yield from zip(*get(ids[start : start + batch]), strict=True)


def read_lmdb(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    return _in_loop("lmdb", folder, ids)


def read_hdf5(folder: Path, ids: Sequence[int], shape: Any) -> Images:
    return _in_loop("hdf5", folder, ids)


NAMES = (
    "npy", "sqlite", "webdataset", "safetensors", "arrow", "parquet", "zarr", "arrayrecord", "rocksdb", "duckdb",
    "lance", "lmdb", "hdf5",
)  # fmt: skip
WRITE = {name: globals()[f"write_{name}"] for name in NAMES}
READ = {name: globals()[f"read_{name}"] for name in NAMES}


def main() -> None:
    case = json.loads(sys.argv[1])
    store, source, count = Path(case["store"]), Path(case["source"]), case["count"]
    images = np.load(source / "pixels.npy", mmap_mode="r")[:count]
    labels, shape, method = np.load(source / "labels.npy")[:count], images.shape[1:], case["method"]
    dummy = store.with_name("dummy-of-naive")  # first use is off the clock
    dummy.mkdir()
    WRITE[method](dummy, np.array(images[:1]), labels[:1])
    for _ in READ[method](dummy, range(1), shape):
        pass
    shutil.rmtree(dummy)
    if case["operation"] == "write-many":
        store.mkdir()
        private = np.array(images)
        began = time.perf_counter()
        WRITE[method](store, private, labels)
        print(json.dumps([time.perf_counter() - began]))
        return
    ids: Sequence[int] = range(count)
    if case["operation"] == "read-random":
        ids = random.Random(case["seed"]).sample(range(count), count)
    began = time.perf_counter()
    for _ in READ[method](store, ids, shape):
        pass
    seconds = time.perf_counter() - began
    if case["check"]:
        for number, (image, label) in zip(ids, READ[method](store, ids, shape), strict=True):
            assert (image == images[number]).all()
            assert int(label) % 256 == labels[number] % 256
    print(json.dumps([seconds]))


if __name__ == "__main__":
    main()
