"""The article's way to the letter, as a bare script: ``python tests/benchmarks/article_reference.py CASE``.

CASE is a JSON object: ``method`` (disk, lmdb, hdf5), ``operation`` (write-one, write-many, read-one, read-many,
read-random), ``count``, ``images`` and ``labels`` (``.npy`` files), ``place`` (a folder that exists), ``level``
(buffered or end) and ``seed``. Printed are the seconds of every sample, as a JSON list.

Nothing of the package is imported: this is what the package's presets are measured against. What it unpickles it has
pickled itself a moment ago.
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
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import lmdb
import numpy as np
from PIL import Image

SAMPLES = 20
"""Of what takes a millisecond."""

Images = Any


class CifarImage:
    """The article's value: size, channels, pixel bytes, label."""

    def __init__(self, image: Images, label: int) -> None:
        self.channels = image.shape[2]
        self.size = image.shape[:2]
        self.image = image.tobytes()
        self.label = label

    def get_image(self) -> Images:
        return np.frombuffer(self.image, dtype=np.uint8).reshape(*self.size, self.channels)


def store_disk(place: Path, images: Images, labels: Images, synced: bool) -> None:
    for number, image in enumerate(images):
        Image.fromarray(image).save(place / f"{number}.png")
    with (place / "labels.csv").open("w") as file:
        writer = csv.writer(file, delimiter=" ", quotechar="|", quoting=csv.QUOTE_MINIMAL)
        for label in labels:
            writer.writerow([label])


def read_disk(place: Path, ids: list[int]) -> tuple[list[Images], list[int]]:
    images = [np.array(Image.open(place / f"{number}.png")) for number in ids]
    with (place / "labels.csv").open() as file:
        labels = [int(row[0]) for row in csv.reader(file, delimiter=" ", quotechar="|", quoting=csv.QUOTE_MINIMAL)]
    return images, [labels[number] for number in ids]


def store_lmdb(place: Path, images: Images, labels: Images, synced: bool) -> None:
    env = lmdb.open(str(place / "store_lmdb"), map_size=max(2**20, 10 * images.nbytes), sync=synced)
    with env.begin(write=True) as transaction:
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            transaction.put(f"{number:08}".encode("ascii"), pickle.dumps(CifarImage(image, label)))
    env.close()


def read_lmdb(place: Path, ids: list[int]) -> tuple[list[Images], list[int]]:
    images, labels = [], []
    env = lmdb.open(str(place / "store_lmdb"), readonly=True)
    with env.begin() as transaction:
        for number in ids:
            value = pickle.loads(transaction.get(f"{number:08}".encode("ascii")) or b"")
            images.append(value.get_image())
            labels.append(value.label)
    env.close()
    return images, labels


def store_hdf5(place: Path, images: Images, labels: Images, synced: bool) -> None:
    file = h5py.File(place / "store.h5", "w")
    file.create_dataset("images", np.shape(images), h5py.h5t.STD_U8BE, data=images)
    file.create_dataset("meta", np.shape(labels), h5py.h5t.STD_U8BE, data=labels)
    file.close()


def read_hdf5(place: Path, ids: list[int]) -> tuple[Images, Images]:
    # The article leaves the file open and opens it "r+"; a script that reads many times may not.
    with h5py.File(place / "store.h5", "r") as file:
        if ids == list(range(len(file["/images"]))):
            return np.array(file["/images"]).astype("uint8"), np.array(file["/meta"]).astype("uint8")
        images = np.array([np.array(file["/images"][number]).astype("uint8") for number in ids])
        return images, np.array(file["/meta"]).astype("uint8")[ids]


STORE: dict[str, Callable[[Path, Images, Images, bool], None]] = {
    "disk": store_disk, "lmdb": store_lmdb, "hdf5": store_hdf5,
}  # fmt: skip
READ: dict[str, Callable[[Path, list[int]], Any]] = {"disk": read_disk, "lmdb": read_lmdb, "hdf5": read_hdf5}


def force(place: Path) -> None:
    """Force every file, then every folder: the level ``end`` for what the article leaves to the system."""
    for path in [*(path for path in place.rglob("*") if path.is_file()), *place.rglob("*/"), place, place.parent]:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def write(case: dict[str, Any], place: Path, images: Images, labels: Images) -> float:
    synced = case["level"] == "end"
    place.mkdir()
    began = time.perf_counter()
    STORE[case["method"]](place, images, labels, synced)
    if synced:
        force(place)
    return time.perf_counter() - began


def read(case: dict[str, Any], place: Path, ids: list[int]) -> float:
    began = time.perf_counter()
    READ[case["method"]](place, ids)
    return time.perf_counter() - began


def measure(case: dict[str, Any]) -> list[float]:
    images, labels = np.load(case["images"])[: case["count"]], np.load(case["labels"])[: case["count"]]
    place, count = Path(case["place"]), case["count"]
    write(case, place / "dummy", images[:1], labels[:1])
    read(case, place / "dummy", [0])
    shutil.rmtree(place / "dummy")
    store = place / "store"
    if case["operation"].startswith("read"):
        if not store.exists():
            write({**case, "level": "buffered"}, store, images, labels)
        order = list(range(count))
        if case["operation"] == "read-random":
            random.Random(case["seed"]).shuffle(order)
        many = case["operation"] != "read-one"
        read(case, store, order)
        gc.collect()
        gc.disable()
        if many:
            return [read(case, store, order)]
        return [read(case, store, [random.randrange(count)]) for _ in range(SAMPLES)]
    gc.collect()
    gc.disable()
    if case["operation"] == "write-one":
        return [write(case, place / f"one-{number}", images[:1], labels[:1]) for number in range(SAMPLES)]
    return [write(case, place / "many", images, labels)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(json.loads(sys.argv[1]))))
