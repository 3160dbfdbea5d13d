"""The article's way to the letter, as bare functions that store and read images, and nothing of ours.

One PNG an image by Pillow's own settings and one CSV of labels; pickled objects under eight-digit keys in one LMDB
transaction, map_size ten times the pixels; two contiguous HDF5 datasets of STD_U8BE, written in one go and read by
``np.array(file[...]).astype``. Random order is what the article has for one image, an image a call, on an open store.
What it unpickles it has pickled itself a moment ago.

Run as ``python reference.py CASE``, a JSON object: ``method`` (disk, lmdb, hdf5), ``operation``, ``count``, ``seed``,
``store`` (the folder to make or read), ``source`` (a folder of pixels.npy and labels.npy) and ``level``: ``buffered``,
or ``end``, where every file and folder is forced to the device on the clock. Printed are the seconds of every sample,
as a JSON list; reads are run once before that, off the clock, and compared with the pixels.
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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import lmdb
import numpy as np
from PIL import Image

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


def get_disk(folder: Path) -> Callable[[int], Any]:
    labels = [int(line) for line in (folder / "labels.csv").read_text().split()]
    return lambda number: (np.array(Image.open(folder / f"{number}.png")), labels[number])


def get_lmdb(folder: Path) -> Callable[[int], Any]:
    transaction = lmdb.open(str(folder), readonly=True).begin()

    def get(number: int) -> Any:
        value = pickle.loads(transaction.get(f"{number:08}".encode("ascii")) or b"")
        return value.get_image(), value.label

    return get


def get_hdf5(folder: Path) -> Callable[[int], Any]:
    file = h5py.File(folder / "many.h5", "r+")
    return lambda number: (
        np.array(file["/images"][number]).astype("uint8"), int(np.array(file["/meta"][number]).astype("uint8")),
    )  # fmt: skip


WRITE = {"disk": write_disk, "lmdb": write_lmdb, "hdf5": write_hdf5}
READ = {"disk": read_disk, "lmdb": read_lmdb, "hdf5": read_hdf5}
GET = {"disk": get_disk, "lmdb": get_lmdb, "hdf5": get_hdf5}


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


def look() -> None:
    """Do as the instrument does before every sample: what this evicts from the processor is the same for both."""
    Path("/proc/self/io").read_bytes()


def write_samples(case: dict[str, Any], store: Path, images: Any, labels: Any) -> list[float]:
    if case["operation"] == "write-one":
        store.mkdir()
        images, taken = np.array(images[:1]), []
        for number in range(SAMPLES):
            look()
            taken.append(write(case, store / f"{number}", images, labels[:1]))
        return taken
    images = np.array(images)
    # As the instrument does, so that neither side is handed memory that nobody has used before.
    with tempfile.TemporaryFile(dir=store.parent, buffering=0) as file:
        for _ in range(2):
            file.write(images.data)
    return [write(case, store, images, labels)]


def get_samples(case: dict[str, Any], store: Path, images: Any, labels: Any) -> list[float]:
    order = random.Random(case["seed"])
    numbers = [order.randrange(len(images)) for _ in range(50)]
    get, taken = GET[case["method"]](store), []
    for number in [*numbers, *numbers]:  # the first fifty are not counted
        look()
        began = time.perf_counter()
        found = get(number)
        taken.append(time.perf_counter() - began)
        assert (found[0] == images[number]).all()
        assert found[1] == labels[number] % 256
    return taken[50:]


def read_samples(case: dict[str, Any], store: Path, images: Any, labels: Any) -> list[float]:
    order, count, one = random.Random(case["seed"]), len(images), case["operation"] == "read-one"
    ids: Sequence[int] = range(count)
    if case["operation"] == "read-random":
        ids = order.sample(range(count), count)
    elif one:
        ids = [order.randrange(count)]
    found = READ[case["method"]](store, ids)
    assert all((image == images[number]).all() for image, number in zip(found[0], ids, strict=True))
    assert [int(label) for label in found[1]] == [int(labels[number]) % 256 for number in ids]
    del found
    taken, kept = [], []
    for _ in range(SAMPLES if one else 1):
        look()
        began = time.perf_counter()
        found = READ[case["method"]](store, ids)
        taken.append(time.perf_counter() - began)
        kept.append(found)  # letting go of it is not reading
    return taken


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
    writes, gets = case["operation"].startswith("write"), case["operation"] == "get-one"
    take = write_samples if writes else get_samples if gets else read_samples
    print(json.dumps(take(case, store, images, labels)))


if __name__ == "__main__":
    main()
