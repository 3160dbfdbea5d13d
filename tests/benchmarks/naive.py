"""Each format as a first program uses it: from the library's front page, an image a call where that is how it goes.

Run as ``python naive.py CASE``, a JSON object: ``method``, ``operation``, ``count``, ``seed``, ``store`` (the folder
to make or read) and ``source`` (a folder of pixels.npy and labels.npy). Printed are the seconds it took; a read is
compared with the pixels afterwards, off the clock. Nothing is forced to the device.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def write_npy(folder: Path, images: Any, labels: Any) -> None:
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)


def read_npy(folder: Path, ids: Sequence[int], shape: Any) -> Any:
    images, labels = np.load(folder / "images.npy"), np.load(folder / "labels.npy")
    return [images[number] for number in ids], [labels[number] for number in ids]


def write_sqlite(folder: Path, images: Any, labels: Any) -> None:
    connection = sqlite3.connect(folder / "images.db")
    connection.execute("CREATE TABLE images(id INTEGER PRIMARY KEY, image BLOB, label INTEGER)")
    for number, image in enumerate(images):
        connection.execute("INSERT INTO images VALUES (?, ?, ?)", (number, image.tobytes(), int(labels[number])))
    connection.commit()
    connection.close()


def read_sqlite(folder: Path, ids: Sequence[int], shape: Any) -> Any:
    connection = sqlite3.connect(folder / "images.db")
    images, labels = [], []
    for number in ids:
        found = connection.execute("SELECT image, label FROM images WHERE id = ?", (number,)).fetchone()
        images.append(np.frombuffer(found[0], np.uint8).reshape(shape))
        labels.append(found[1])
    connection.close()
    return images, labels


def write_webdataset(folder: Path, images: Any, labels: Any) -> None:
    with tarfile.open(folder / "images.tar", "w") as tar:
        for number, image in enumerate(images):
            buffer = io.BytesIO()
            np.save(buffer, image)
            for name, data in ((f"{number:08}.npy", buffer.getvalue()), (f"{number:08}.cls", b"%d" % labels[number])):
                facts = tarfile.TarInfo(name)
                facts.size = len(data)
                tar.addfile(facts, io.BytesIO(data))


def read_webdataset(folder: Path, ids: Sequence[int], shape: Any) -> Any:
    images, labels = [], []
    with tarfile.open(folder / "images.tar") as tar:
        for number in ids:
            image, label = tar.extractfile(f"{number:08}.npy"), tar.extractfile(f"{number:08}.cls")
            assert image is not None
            assert label is not None
            images.append(np.load(io.BytesIO(image.read())))
            labels.append(int(label.read()))
    return images, labels


def write_safetensors(folder: Path, images: Any, labels: Any) -> None:
    from safetensors.numpy import save_file

    save_file({"images": images, "labels": labels}, folder / "images.safetensors")


def read_safetensors(folder: Path, ids: Sequence[int], shape: Any) -> Any:
    from safetensors.numpy import load_file

    found = load_file(folder / "images.safetensors")
    return [found["images"][number] for number in ids], [found["labels"][number] for number in ids]


def table_of(images: Any, labels: Any) -> Any:
    import pyarrow as pa

    return pa.table({"image": [image.tobytes() for image in images], "label": labels.tolist()})


def rows_in(table: Any, ids: Sequence[int], shape: Any) -> Any:
    rows = table.to_pylist()
    images = [np.frombuffer(rows[number]["image"], np.uint8).reshape(shape) for number in ids]
    return images, [rows[number]["label"] for number in ids]


def write_arrow(folder: Path, images: Any, labels: Any) -> None:
    from pyarrow import feather

    feather.write_feather(table_of(images, labels), folder / "images.feather")


def read_arrow(folder: Path, ids: Sequence[int], shape: Any) -> Any:
    from pyarrow import feather

    return rows_in(feather.read_table(folder / "images.feather"), ids, shape)


def write_parquet(folder: Path, images: Any, labels: Any) -> None:
    from pyarrow import parquet

    parquet.write_table(table_of(images, labels), folder / "images.parquet")


def read_parquet(folder: Path, ids: Sequence[int], shape: Any) -> Any:
    from pyarrow import parquet

    return rows_in(parquet.read_table(folder / "images.parquet"), ids, shape)


def write_zarr(folder: Path, images: Any, labels: Any) -> None:
    import zarr

    group = zarr.create_group(str(folder / "images.zarr"))
    for name, values in (("images", images), ("labels", labels)):
        group.create_array(name, shape=values.shape, dtype=values.dtype)[:] = values


def read_zarr(folder: Path, ids: Sequence[int], shape: Any) -> Any:
    import zarr

    group = zarr.open_group(str(folder / "images.zarr"), mode="r")
    if isinstance(ids, range):
        return list(group["images"][:]), group["labels"][:].tolist()
    return [group["images"][number] for number in ids], [int(group["labels"][number]) for number in ids]


def write_arrayrecord(folder: Path, images: Any, labels: Any) -> None:
    from array_record.python import array_record_module

    writer = array_record_module.ArrayRecordWriter(str(folder / "images.array_record"), "group_size:1")
    for image in images:
        writer.write(image.tobytes())
    writer.close()
    np.save(folder / "labels.npy", labels)


def read_arrayrecord(folder: Path, ids: Sequence[int], shape: Any) -> Any:
    from array_record.python import array_record_module

    reader = array_record_module.ArrayRecordReader(str(folder / "images.array_record"))
    found = reader.read_all() if isinstance(ids, range) else [reader.read([number])[0] for number in ids]
    reader.close()
    labels = np.load(folder / "labels.npy")
    return [np.frombuffer(record, np.uint8).reshape(shape) for record in found], [labels[number] for number in ids]


def write_rocksdb(folder: Path, images: Any, labels: Any) -> None:
    from rocksdict import Rdict

    database = Rdict(str(folder / "images.rocks"))
    for number, image in enumerate(images):
        database[number] = (image.tobytes(), int(labels[number]))
    database.close()


def read_rocksdb(folder: Path, ids: Sequence[int], shape: Any) -> Any:
    from rocksdict import Rdict

    database = Rdict(str(folder / "images.rocks"))
    images, labels = [], []
    for number in ids:
        data, label = database[number]
        images.append(np.frombuffer(data, np.uint8).reshape(shape))
        labels.append(label)
    database.close()
    return images, labels


def write_duckdb(folder: Path, images: Any, labels: Any) -> None:
    import duckdb

    connection = duckdb.connect(str(folder / "images.duckdb"))
    connection.execute("CREATE TABLE images(id INTEGER, image BLOB, label INTEGER)")
    connection.begin()
    rows = [(number, image.tobytes(), int(labels[number])) for number, image in enumerate(images)]
    connection.executemany("INSERT INTO images VALUES (?, ?, ?)", rows)
    connection.commit()
    connection.close()


def read_duckdb(folder: Path, ids: Sequence[int], shape: Any) -> Any:
    import duckdb

    connection = duckdb.connect(str(folder / "images.duckdb"))
    if isinstance(ids, range):
        rows = connection.execute("SELECT image, label FROM images ORDER BY id").fetchall()
    else:
        rows = [
            connection.execute("SELECT image, label FROM images WHERE id = ?", [number]).fetchone() for number in ids
        ]
    connection.close()
    return [np.frombuffer(data, np.uint8).reshape(shape) for data, _ in rows], [label for _, label in rows]


def write_lance(folder: Path, images: Any, labels: Any) -> None:
    import lance

    lance.write_dataset(table_of(images, labels), str(folder / "images.lance"))


def read_lance(folder: Path, ids: Sequence[int], shape: Any) -> Any:
    import lance

    dataset = lance.dataset(str(folder / "images.lance"))
    if isinstance(ids, range):
        return rows_in(dataset.to_table(), ids, shape)
    rows = [dataset.take([number]).to_pylist()[0] for number in ids]
    return [np.frombuffer(row["image"], np.uint8).reshape(shape) for row in rows], [row["label"] for row in rows]


NAMES = (
    "npy", "sqlite", "webdataset", "safetensors", "arrow", "parquet", "zarr", "arrayrecord", "rocksdb", "duckdb",
    "lance",
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
    READ[method](dummy, range(1), shape)
    shutil.rmtree(dummy)
    if case["operation"] == "write-many":
        store.mkdir()
        private = np.array(images)
        began = time.perf_counter()
        WRITE[method](store, private, labels)
        print(time.perf_counter() - began)
        return
    ids: Sequence[int] = range(count)
    if case["operation"] == "read-random":
        ids = random.Random(case["seed"]).sample(range(count), count)
    began = time.perf_counter()
    found = READ[method](store, ids, shape)
    taken = time.perf_counter() - began
    assert all((image == images[number]).all() for image, number in zip(found[0], ids, strict=True))
    assert list(found[1]) == [labels[number] for number in ids]
    print(taken)


if __name__ == "__main__":
    main()
