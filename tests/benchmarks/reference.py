"""The article's way to the letter, as bare functions that store and read images, and nothing of ours.

One PNG an image by Pillow's own settings and one CSV of labels; pickled objects under eight-digit keys in one LMDB
transaction, map_size ten times the pixels; two contiguous HDF5 datasets of STD_U8BE, written in one go and read by
``np.array(file[...]).astype``. What it unpickles it has pickled itself a moment ago. Its readers return all images and
labels that they were asked for. Loops over a store that stays open, which the article does not have, are in
``first_loop.py``.

Run as ``python -m tests.benchmarks.reference CASE``, a JSON object: ``method`` (disk, lmdb, hdf5), ``operation``
(write-one, write-many, read-one, read-many), ``count``, ``seed``, ``store`` (the folder to make or read), ``source`` (a
folder of pixels.npy and labels.npy), ``level``: ``buffered``, or ``end``, where every file and folder is forced to the
device on the clock, and ``passes``, how often read-many reads in this process.
Printed are the seconds of every sample, as a JSON list; what the first and the last read of all images returned is
compared with the pixels off the clock.
"""

from __future__ import annotations

import csv
import gc
import json
import os
import pickle
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import lmdb
import numpy as np
from PIL import Image

from tests.benchmarks.passes import look, timed_passes

Stored = tuple[Any, Any]
SAMPLES = 20
"""Of what takes a millisecond."""


class CifarImage:
    """What the article pickles."""

    def __init__(self, image: Any, label: int) -> None:
        self.channels = image.shape[2]
        self.size = image.shape[:2]
        self.image = image.tobytes()
        self.label = label

    def get_image(self) -> Any:
        return np.frombuffer(self.image, dtype=np.uint8).reshape(*self.size, self.channels)


def write_disk(folder: Path, images: Any, labels: Any, forced: bool) -> None:
    folder.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}.png")
    with (folder / "labels.csv").open("w") as file:
        writer = csv.writer(file, delimiter=" ", quotechar="|", quoting=csv.QUOTE_MINIMAL)
        for label in labels:
            writer.writerow([label])


def read_disk(folder: Path, ids: Sequence[int]) -> Stored:
    images = [np.array(Image.open(folder / f"{number}.png")) for number in ids]
    labels = []
    with (folder / "labels.csv").open() as file:
        for row in csv.reader(file, delimiter=" ", quotechar="|", quoting=csv.QUOTE_MINIMAL):
            labels.append(int(row[0]))  # noqa: PERF401 - as the article has it
    return images, [labels[number] for number in ids]


def write_lmdb(folder: Path, images: Any, labels: Any, forced: bool) -> None:
    env = lmdb.open(str(folder), map_size=len(images) * images[0].nbytes * 10 + 2**20, sync=forced)
    with env.begin(write=True) as transaction:
        for number in range(len(images)):
            value = CifarImage(images[number], labels[number])
            transaction.put(f"{number:08}".encode("ascii"), pickle.dumps(value))
    env.close()


def read_lmdb(folder: Path, ids: Sequence[int]) -> Stored:
    images, labels = [], []
    env = lmdb.open(str(folder), readonly=True)
    with env.begin() as transaction:
        for number in ids:
            value = pickle.loads(transaction.get(f"{number:08}".encode("ascii")) or b"")
            images.append(value.get_image())
            labels.append(value.label)
    env.close()
    return images, labels


def write_hdf5(folder: Path, images: Any, labels: Any, forced: bool) -> None:
    folder.mkdir()
    file = h5py.File(folder / "many.h5", "w")
    file.create_dataset("images", np.shape(images), h5py.h5t.STD_U8BE, data=images)
    file.create_dataset("meta", np.shape(labels), h5py.h5t.STD_U8BE, data=labels)
    file.close()


def read_hdf5(folder: Path, ids: Sequence[int]) -> Stored:
    file = h5py.File(folder / "many.h5", "r+")
    if isinstance(ids, range):
        images = np.array(file["/images"]).astype("uint8")
        labels = np.array(file["/meta"]).astype("uint8")
    else:
        images = [np.array(file["/images"][number]).astype("uint8") for number in ids]  # type: ignore[assignment]
        labels = [int(np.array(file["/meta"][number]).astype("uint8")) for number in ids]  # type: ignore[assignment]
    file.close()
    return images, labels


WRITE = {"disk": write_disk, "lmdb": write_lmdb, "hdf5": write_hdf5}
READ = {"disk": read_disk, "lmdb": read_lmdb, "hdf5": read_hdf5}


def force(store: Path) -> None:
    """Force every file, then every folder: the level ``end`` for what the article leaves to the system."""
    for path in [*(path for path in store.rglob("*") if path.is_file()), *store.rglob("*/"), store, store.parent]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def write(case: dict[str, Any], store: Path, images: Any, labels: Any) -> float:
    forced = case["level"] == "end"
    began = time.perf_counter()
    WRITE[case["method"]](store, images, labels, forced)
    if forced:
        force(store)
    return time.perf_counter() - began


def write_samples(case: dict[str, Any], store: Path, images: Any, labels: Any) -> list[float]:
    if case["operation"] == "write-one":
        store.mkdir()
        images, seconds = np.array(images[:1]), []
        for number in range(SAMPLES):
            look()
            seconds.append(write(case, store / f"{number}", images, labels[:1]))
        return seconds
    images = np.array(images)
    # As the instrument does, so that neither side is handed memory that nobody has used before.
    with tempfile.TemporaryFile(dir=store.parent, buffering=0) as file:
        for _ in range(2):
            file.write(images.data)
    return [write(case, store, images, labels)]


def check(result: Stored, ids: Sequence[int], images: Any, labels: Any) -> None:
    assert all((image == images[number]).all() for image, number in zip(result[0], ids, strict=True))
    assert [int(label) for label in result[1]] == [int(labels[number]) % 256 for number in ids]


def read_samples(case: dict[str, Any], store: Path, images: Any, labels: Any) -> list[float]:
    read, count = READ[case["method"]], len(images)
    if case["operation"] == "read-many":
        return timed_passes(
            lambda: read(store, range(count)),
            lambda result: check(result, range(count), images, labels),
            case.get("passes", 1),
        )
    ids = [random.Random(case["seed"]).randrange(count)]
    check(read(store, ids), ids, images, labels)
    seconds, results = [], []
    for _ in range(SAMPLES):
        look()
        began = time.perf_counter()
        result = read(store, ids)
        seconds.append(time.perf_counter() - began)
        results.append(result)  # letting go of it is not reading
    return seconds


def main() -> None:
    case = json.loads(sys.argv[1])
    store, source, count = Path(case["store"]), Path(case["source"]), case["count"]
    images, labels = np.load(source / "pixels.npy", mmap_mode="r")[:count], np.load(source / "labels.npy")[:count]
    dummy = store.with_name("dummy-of-reference")
    write({**case, "level": "buffered"}, dummy, np.array(images[:1]), labels[:1])  # first use is off the clock
    READ[case["method"]](dummy, range(1))
    shutil.rmtree(dummy)
    gc.collect()
    gc.disable()
    take = write_samples if case["operation"].startswith("write") else read_samples
    print(json.dumps(take(case, store, images, labels)))


if __name__ == "__main__":
    main()
