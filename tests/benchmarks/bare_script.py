"""Times one operation on a store by h5py, lmdb and Pillow alone: what the instrument's figures are compared with.

Nothing of the package is imported: the layouts are those of its stores (raw pixels under four-byte keys; contiguous
datasets; PNG files in folders of 1,000 and a table of labels), the code that writes and reads them is this. Time is
what passes between two readings of ``perf_counter`` around each call, added up; nothing else runs in this process.

Run as ``python -m tests.benchmarks.bare_script CASE``, a JSON object: ``method`` (disk, lmdb, hdf5), ``operation``
(write-many, read-many, read-random), ``count``, ``seed``, ``store`` (the place to make or read) and ``source`` (a
folder of pixels.npy and labels.npy). Before a read it writes the store itself if there is none. Printed are the
seconds. What is in the store is compared with the pixels in a pass of its own, off the clock.
"""

from __future__ import annotations

import csv
import gc
import io
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import h5py
import lmdb
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

IN_ORDER, SHUFFLED = 256, 64
"""Images of a call."""
FANOUT = 1000
_PIECE = 2 * 2**20

Put = Callable[[Any, Any], None]
Get = Callable[[Sequence[int], Any, Any], None]


@contextmanager
def writing_lmdb(place: Path, count: int, images: Any) -> Any:
    """Put pixels under four-byte keys and labels as one value, in transactions of about 2 MiB."""
    env = lmdb.open(str(place), map_size=2**20 + 10 * images.nbytes + 4 * 4096 * count, sync=False)
    size, done, kept = images[0].nbytes, 0, []

    def put(batch: Any, labels: Any) -> None:
        nonlocal done
        kept.append(labels.copy())
        pixels = batch.data.cast("B")
        items = [((done + at).to_bytes(4, "big"), pixels[at * size : at * size + size]) for at in range(len(batch))]
        step = max(1, _PIECE // size)
        for start in range(0, len(items), step):
            with env.begin(write=True) as transaction:
                transaction.cursor().putmulti(items[start : start + step], append=True)
        done += len(batch)

    yield put
    with env.begin(write=True) as transaction:
        transaction.put(b"labels", np.concatenate(kept).tobytes(), append=True)
        transaction.put(b"manifest", json.dumps({"count": done}).encode(), append=True)
    env.close()


@contextmanager
def reading_lmdb(place: Path) -> Any:
    """Copy values along the leaves where they are asked for in order, else by key."""
    env = lmdb.open(str(place), readonly=True, lock=False, map_size=(place / "data.mdb").stat().st_size)
    transaction: Any = env.begin(buffers=True)
    stored = np.frombuffer(transaction.get(b"labels"), np.int64).copy()

    def get(ids: Sequence[int], out: Any, labels: Any) -> None:
        pixels, at = out.data.cast("B"), 0
        if isinstance(ids, range):
            cursor = transaction.cursor()
            cursor.set_key(ids.start.to_bytes(4, "big"))
            for value, _ in zip(cursor.iternext(keys=False), ids, strict=False):
                size = len(value)
                pixels[at : at + size] = value
                at += size
            labels[:] = stored[ids.start : ids.stop]
            return
        for number in ids:
            value = transaction.get(number.to_bytes(4, "big"))
            size = len(value)
            pixels[at : at + size] = value
            at += size
        labels[:] = stored[list(ids)]

    yield get
    transaction.abort()
    env.close()


@contextmanager
def writing_hdf5(place: Path, count: int, images: Any) -> Any:
    """Write batches into a contiguous dataset by h5py, and the labels at the end."""
    file, done, kept = h5py.File(place, "w"), 0, []
    dataset = file.create_dataset("images", (count, *images.shape[1:]), images.dtype)

    def put(batch: Any, labels: Any) -> None:
        nonlocal done
        dataset.write_direct(batch, dest_sel=np.s_[done : done + len(batch)])
        kept.append(labels.copy())
        done += len(batch)

    yield put
    file.create_dataset("labels", data=np.concatenate(kept))
    file.close()


@contextmanager
def reading_hdf5(place: Path) -> Any:
    """Read hyperslabs into the caller's memory by h5py's low-level calls, with selections that are kept."""
    file = h5py.File(place, "r")
    images, labels_of = file["images"].id, file["labels"][:]
    item = images.shape[1:]
    there, kind, here = images.get_space(), h5py.h5t.py_create(images.dtype), {}

    def get(ids: Sequence[int], out: Any, labels: Any) -> None:
        for start, count, at in (
            [(ids[0], len(ids), 0)] if isinstance(ids, range) else [(number, 1, at) for at, number in enumerate(ids)]
        ):
            if count not in here:
                here[count] = h5py.h5s.create_simple((count, *item))
            there.select_hyperslab((start, *(0 for _ in item)), (count, *item))
            images.read(here[count], there, out[at : at + count], kind)
        labels[:] = labels_of[ids.start : ids.stop] if isinstance(ids, range) else labels_of[list(ids)]

    yield get
    file.close()


@contextmanager
def writing_disk(place: Path, count: int, images: Any) -> Any:
    """Save PNG files by Pillow, and a table of names and labels."""
    place.mkdir()
    done = 0
    table = (place / "labels.csv").open("w", newline="")
    rows = csv.writer(table)

    def put(batch: Any, labels: Any) -> None:
        nonlocal done
        for image, label in zip(batch, labels.tolist(), strict=True):
            name = f"{done // FANOUT:08d}/{done:08d}.png"
            if done % FANOUT == 0:
                (place / name).parent.mkdir()
            buffer = io.BytesIO()
            Image.fromarray(image).save(buffer, "PNG", compress_level=1, compress_type=3)
            descriptor = os.open(f"{place}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
            os.write(descriptor, buffer.getbuffer())
            os.close(descriptor)
            rows.writerow((name, label))
            done += 1
        table.flush()

    yield put
    table.close()


@contextmanager
def reading_disk(place: Path) -> Any:
    """Decode files by Pillow."""
    with (place / "labels.csv").open(newline="") as table:
        stored = np.array([int(label) for _, label in csv.reader(table)], np.int64)

    def get(ids: Sequence[int], out: Any, labels: Any) -> None:
        for at, number in enumerate(ids):
            descriptor = os.open(f"{place}/{number // FANOUT:08d}/{number:08d}.png", os.O_RDONLY)
            data = os.read(descriptor, os.fstat(descriptor).st_size)
            os.close(descriptor)
            out[at] = np.asarray(PngImageFile(io.BytesIO(data)))
        labels[:] = stored[list(ids)]

    yield get


WRITING: dict[str, Callable[[Path, int, Any], AbstractContextManager[Put]]] = {
    "lmdb": writing_lmdb, "hdf5": writing_hdf5, "disk": writing_disk,
}  # fmt: skip
READING: dict[str, Callable[[Path], AbstractContextManager[Get]]] = {
    "lmdb": reading_lmdb, "hdf5": reading_hdf5, "disk": reading_disk,
}  # fmt: skip


class Timer:
    """Adds up the seconds of the calls made through it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, call: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        result = call(*arguments)
        self.seconds += time.perf_counter() - began
        return result


def write(method: str, place: Path, images: Any, labels: Any) -> float:
    """Write a store by batches from private memory, and return the seconds of its calls."""
    timer, count = Timer(), len(images)
    buffer = np.empty((min(IN_ORDER, count), *images.shape[1:]), images.dtype)
    opened = WRITING[method](place, count, images)
    put = timer(opened.__enter__)
    for start in range(0, count, len(buffer)):
        batch = buffer[: min(len(buffer), count - start)]
        batch[...] = images[start : start + len(batch)]
        timer(put, batch, labels[start : start + len(batch)])
    timer(opened.__exit__, None, None, None)
    return timer.seconds


def read(
    method: str, place: Path, batches: Sequence[Sequence[int]], images: Any, labels: Any, *, compare: bool = False
) -> float:
    """Read a store by batches into memory that is used again, and return the seconds of its calls.

    Args:
        method: disk, lmdb or hdf5.
        place: The store.
        batches: The ids of each call.
        images: What it holds, array (n, H, W, C).
        labels: int64 array (n,).
        compare: Whether what is read is compared, off the clock.
    """
    timer, most = Timer(), max(map(len, batches))
    out, read_labels = np.zeros((most, *images.shape[1:]), images.dtype), np.zeros(most, np.int64)
    opened = READING[method](place)
    get = timer(opened.__enter__)
    for ids in batches:
        timer(get, ids, out[: len(ids)], read_labels[: len(ids)])
        if compare:
            assert (out[: len(ids)] == images[list(ids)]).all()
            assert (read_labels[: len(ids)] == labels[list(ids)]).all()
    timer(opened.__exit__, None, None, None)
    return timer.seconds


def main() -> None:
    """Run a case and print its seconds."""
    case = json.loads(sys.argv[1])
    method, count, place, source = case["method"], case["count"], Path(case["store"]), Path(case["source"])
    images = np.load(source / "pixels.npy", mmap_mode="r")[:count]
    labels = np.load(source / "labels.npy")[:count].astype(np.int64)
    dummy = place.with_name("dummy-of-bare")  # first use is off the clock
    write(method, dummy, images[:1], labels[:1])
    read(method, dummy, [range(1)], images, labels)
    shutil.rmtree(dummy) if dummy.is_dir() else dummy.unlink()
    order: Any = range(count)
    size = IN_ORDER
    if case["operation"] == "read-random":
        order, size = list(order), SHUFFLED
        random.Random(case["seed"]).shuffle(order)
    batches = [order[start : start + size] for start in range(0, count, size)]
    if case["operation"] != "write-many" and not place.exists():
        write(method, place, images, labels)
    if case["operation"] != "write-many":
        read(method, place, batches, images, labels, compare=True)  # which also brings the store into memory
    gc.collect()
    gc.disable()
    if case["operation"] == "write-many":
        seconds = write(method, place, images, labels)
        read(method, place, batches, images, labels, compare=True)
    else:
        seconds = read(method, place, batches, images, labels)
    print(json.dumps([seconds]))


if __name__ == "__main__":
    main()
