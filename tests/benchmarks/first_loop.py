"""A first program's loop over what ``reference.py`` has stored: the store stays open, and all handles are kept.

The article has no such loop. This is what a reader of it would write for training: the article's own call for one
image, in a loop, with whatever can be opened once opened once. HDF5 is opened for reading (``r``), which lets h5py read
an image almost three times as fast as ``r+``, as which the article opens it; ``hdf5-r+`` keeps that. Every batch is
handed over as a list of images and a list of labels, and let go before the next.

Run as ``python -m tests.benchmarks.first_loop CASE``, a JSON object: ``method`` (disk, lmdb, hdf5, hdf5-r+),
``operation`` (read-many: in order by batches; read-random: shuffled batches; get-one: one image from the open store),
``batch``, ``passes``, ``count``, ``seed``, ``store`` and ``source`` as for ``reference.py``.
Printed are the seconds of every pass or call.
"""

from __future__ import annotations

import gc
import json
import pickle
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import h5py
import lmdb
import numpy as np
from PIL import Image

from tests.benchmarks import reference
from tests.benchmarks.passes import timed_calls, timed_passes

CifarImage = reference.CifarImage  # what is pickled in a script is looked up in the script that runs
Batch = tuple[Any, Any]
GetBatch = Callable[[Sequence[int]], Batch]
CALLS = 50


@contextmanager
def open_disk(folder: Path) -> Iterator[GetBatch]:
    labels = [int(line) for line in (folder / "labels.csv").read_text().split()]

    def get(ids: Sequence[int]) -> Batch:
        return [np.array(Image.open(folder / f"{number}.png")) for number in ids], [labels[number] for number in ids]

    yield get


@contextmanager
def open_lmdb(folder: Path) -> Iterator[GetBatch]:
    env = lmdb.open(str(folder), readonly=True)
    with env.begin() as transaction:

        def get(ids: Sequence[int]) -> Batch:
            images, labels = [], []
            for number in ids:
                value = pickle.loads(transaction.get(f"{number:08}".encode("ascii")) or b"")
                images.append(value.get_image())
                labels.append(value.label)
            return images, labels

        yield get
    env.close()


@contextmanager
def open_hdf5(folder: Path, mode: str = "r") -> Iterator[GetBatch]:
    file = h5py.File(folder / "many.h5", mode)
    images, labels = file["/images"], file["/meta"]

    def get(ids: Sequence[int]) -> Batch:
        if isinstance(ids, range):
            part = slice(ids.start, ids.stop)
            return np.array(images[part]).astype("uint8"), np.array(labels[part]).astype("uint8")
        return (
            [np.array(images[number]).astype("uint8") for number in ids],
            [int(np.array(labels[number]).astype("uint8")) for number in ids],
        )

    yield get
    file.close()


def open_hdf5_as_the_article(folder: Path) -> AbstractContextManager[GetBatch]:
    return open_hdf5(folder, "r+")


OPEN = {"disk": open_disk, "lmdb": open_lmdb, "hdf5": open_hdf5, "hdf5-r+": open_hdf5_as_the_article}


def batches_of(operation: str, count: int, batch: int, seed: str) -> list[Sequence[int]]:
    """Return the ids of each call: in order, or each once in a shuffled order."""
    if operation == "read-many":
        return [range(start, min(start + batch, count)) for start in range(0, count, batch)]
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return [order[start : start + batch] for start in range(0, count, batch)]


def measure(
    case: dict[str, Any], opened: Callable[[], AbstractContextManager[GetBatch]], images: Any, labels: Any
) -> list[float]:
    """Return the seconds of each pass, from opening the store to closing it, or of each image from the open store."""

    def check_batch(get: GetBatch, ids: Sequence[int]) -> None:
        batch = get(ids)
        assert all((image == images[number]).all() for image, number in zip(batch[0], ids, strict=True))
        assert [int(label) % 256 for label in batch[1]] == [int(labels[number]) % 256 for number in ids]

    if case["operation"] == "get-one":
        order = random.Random(case["seed"])
        with opened() as get:

            def check_one(number: int, batch: Batch) -> None:
                assert (batch[0][0] == images[number]).all()
                assert int(batch[1][0]) % 256 == labels[number] % 256

            numbers = [order.randrange(len(images)) for _ in range(CALLS)]
            return timed_calls(lambda number: get([number]), check_one, numbers)
    batches = batches_of(case["operation"], len(images), case["batch"], case["seed"])

    def once() -> None:
        with opened() as get:
            for ids in batches:
                get(ids)

    def check(_: None) -> None:
        with opened() as get:
            for ids in batches:
                check_batch(get, ids)

    seconds = timed_passes(once, lambda _: None, case["passes"])
    check(None)
    return seconds


def main() -> None:
    case = json.loads(sys.argv[1])
    store, source, count, method = Path(case["store"]), Path(case["source"]), case["count"], case["method"]
    images, labels = np.load(source / "pixels.npy", mmap_mode="r")[:count], np.load(source / "labels.npy")[:count]
    dummy = store.with_name("dummy-of-loop")  # first use is off the clock
    reference.WRITE[method.partition("-")[0]](dummy, np.array(images[:1]), labels[:1], False)
    with OPEN[method](dummy) as get:
        get([0])
    shutil.rmtree(dummy)
    gc.collect()
    gc.disable()
    print(json.dumps(measure(case, lambda: OPEN[method](store), images, labels)))


if __name__ == "__main__":
    main()
