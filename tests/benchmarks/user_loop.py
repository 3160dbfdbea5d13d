"""Prints one loop three ways: with ``imgstore_tui.open``, with the bare library, and as the instrument measures it.

Images are read one by one in shuffled order, from memory, in one process. The instrument's figure is ``get-one`` of the
same spec. The three agree if they lie within a factor of 1.5. Where they do not, the line says how far apart they are;
what differs is this: the bare loop checks nothing and reads no labels, ``open`` gives a new array for each image and
takes a lock, and the instrument reads the label, too, into memory that it uses again.

``python -m tests.benchmarks.user_loop``. Ratios of one run; exit code 1 where a line does not agree.
"""

from __future__ import annotations

import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import lmdb
import numpy as np
from PIL import Image

import imgstore_tui
from tests.support.program import program

AGREE = 1.5
REPEATS = 5
SETS = {
    "32 px": ("synthetic", (32, 32, 3), 2000, ""),
    "64 px JPEG": ("synthetic,size=64", (64, 64, 3), 2000, "+jpeg"),
    "512 px": ("synthetic,size=512", (512, 512, 3), 60, ""),
}

Read = Callable[[int], Any]


def decoded(data: Any) -> Any:
    """Decode a JPEG as a program with Pillow does."""
    return np.asarray(Image.open(io.BytesIO(data)))


def bare_lmdb(path: Path, shape: tuple[int, ...], *, encoded: bool) -> Read:
    """Return what reads an image by its key: a number in four bytes."""
    transaction: Any = lmdb.open(str(path), readonly=True, lock=False).begin(buffers=True)
    if encoded:
        return lambda index: decoded(transaction.get(index.to_bytes(4, "big")))
    return lambda index: np.frombuffer(transaction.get(index.to_bytes(4, "big")), np.uint8).reshape(shape).copy()


def bare_hdf5(path: Path, _: tuple[int, ...], *, encoded: bool) -> Read:
    """Return what reads an image by its index, with handles kept."""
    file = h5py.File(path, "r")
    images = file["images"]
    if not encoded:
        return lambda index: images[index]
    offsets = file["offsets"][:]
    return lambda index: decoded(images[offsets[index] : offsets[index + 1]].tobytes())


BARE = {"lmdb": bare_lmdb, "hdf5": bare_hdf5}


def best(read: Read, order: list[int]) -> float:
    """Return the seconds an image of the best of some passes."""
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        for index in order:
            read(index)
        seconds.append((time.perf_counter() - began) / len(order))
    return min(seconds)


def measured(data: str, spec: str, count: int) -> float:
    """Return the seconds an image that the instrument measures."""
    words = ["run", "-b", spec, "-d", data, "-n", str(count), "-o", "get-one", "--rounds", "3", "--quiet", "--json"]
    done = program(*words)
    (cell,) = json.loads(done.stdout)["summary"]
    return float(cell["median_s"])


def main() -> int:
    """Print a line for each set of images and each library."""
    agree = True
    print(f"{'images':12} {'spec':10} {'open':>9} {'bare':>9} {'instrument':>11}  microseconds an image")
    with tempfile.TemporaryDirectory() as folder:
        for title, (data, shape, count, codec) in SETS.items():
            order = list(range(count))
            random.Random(1).shuffle(order)
            for backend, bare in BARE.items():
                spec = f"{backend}{codec}"
                path = Path(folder) / f"{title.replace(' ', '')}.{backend}"
                done = program("convert", data, spec, str(path), "-n", str(count), "--quiet")
                if done.returncode:
                    sys.exit(done.stderr)
                by_library = best(bare(path, shape, encoded=bool(codec)), order)
                with imgstore_tui.open(path) as images:
                    by_open = best(images.__getitem__, order)
                times = (by_open, by_library, measured(data, spec, count))
                apart = max(times) / min(times)
                agree &= apart <= AGREE
                added = f"open takes {1e6 * (by_open - by_library):+.0f} us beside the bare loop"
                word = "agree" if apart <= AGREE else f"{apart:.1f} apart; {added}"
                figures = " ".join(f"{1e6 * seconds:{9 + 2 * (at == 2)}.1f}" for at, seconds in enumerate(times))
                print(f"{title:12} {spec:10} {figures}  {word}", flush=True)
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
