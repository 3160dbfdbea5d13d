"""Compares one loop three ways: by the bare library, by ``imgstore_tui.open``, and as the instrument measures it.

Images are read one by one in shuffled order, from memory, in one process. *Bare* is the loop of a program that knows
the layout; *open* is ``images[i]``; *labelled* is the same with the label, as a backend hands both to the instrument,
into memory that is used again; *instrument* is the row ``get-one`` of a run beside files. A figure is the median of
rounds, in microseconds an image; the ratios *open / bare* and *instrument / bare* have their 95 % intervals.

A row *agrees* if both intervals lie within a factor of 1.5, *differs* if one lies outside, else it is *undecided*. The
column *why* has what the answer of that run says of single reads, and where the time beyond the bare loop goes. The
exit code is 1 if a row differs and the answer does not say so, 3 if that is undecided, else 0.

``python -m tests.benchmarks.user_loop [--rounds 9]``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import lmdb
import numpy as np
from PIL import Image

import imgstore_tui
from imgstore_tui.core.content import PayloadKind
from imgstore_tui.plugins import registry
from imgstore_tui.stats.intervals import Interval
from imgstore_tui.stats.ratios import paired_ratio
from tests.benchmarks.markdown import row_of, table_head
from tests.support.program import program

AGREE = 1.5
SETS = {
    "32 px": ("synthetic", (32, 32, 3), 2000, ""),
    "64 px JPEG": ("synthetic,size=64", (64, 64, 3), 500, "+jpeg"),
    "512 px": ("synthetic,size=512", (512, 512, 3), 60, ""),
}
COLUMNS = ("images", "method", "bare", "open", "labelled", "instrument", "open / bare", "instrument / bare", "", "why")
EXPLAINS = "Single reads are timed"
"""Begins the sentence of the answer that says why a loop takes less than the row ``get-one``."""
SENTENCES = re.compile(rf"Asked for one by one .*?(?:images|long)\.|{EXPLAINS} .*? have\.")
"""What the answer says of single reads."""

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


@contextlib.contextmanager
def labelled(path: Path) -> Iterator[Read]:
    """Give what reads an image and its label as the instrument does, without its clock."""
    _, reader = registry.open_store(path)
    content, label = reader.content, np.zeros(1, np.int64)
    out = np.zeros((1, *(content.shape or ())), content.dtype)
    codec = registry.codecs.get(content.codec)({})
    with reader:
        if content.kind is PayloadKind.ARRAY:
            yield lambda index: reader.read_array([index], out, label)
        else:
            yield lambda index: codec.decode_into(reader.read_bytes([index], label)[0], out[0])


def loops(path: Path, backend: str, shape: tuple[int, ...], count: int, rounds: int, *, encoded: bool) -> Any:
    """Return the seconds an image of each loop by its name, by round; the order of the loops alternates."""
    order = list(range(count))
    random.Random(1).shuffle(order)

    def opened(read: Read) -> float:
        read(order[0])
        began = time.perf_counter()
        for index in order:
            read(index)
        return (time.perf_counter() - began) / count

    def by_open() -> float:
        with imgstore_tui.open(path) as images:
            return opened(images.__getitem__)

    def by_label() -> float:
        with labelled(path) as read:
            return opened(read)

    ways: dict[str, Callable[[], float]] = {
        "bare": lambda: opened(BARE[backend](path, shape, encoded=encoded)),
        "open": by_open,
        "labelled": by_label,
    }
    seconds: dict[str, dict[int, float]] = {name: {} for name in ways}
    for number in range(-1, rounds):  # the first is not counted: it brings the file into memory
        for name in list(ways)[:: 1 if number % 2 else -1]:
            seconds[name][number] = ways[name]()
    return {name: {number: each for number, each in values.items() if number >= 0} for name, values in seconds.items()}


def measured(home: Path, data: str, spec: str, count: int, rounds: int) -> tuple[dict[int, float], str]:
    """Return the seconds of ``get-one`` by round, and what the answer of the run says of single reads."""
    files = f"disk+{spec.partition('+')[2] or 'png'}"
    words = ["run", "-b", spec, files, "-d", data, "-n", str(count), "-o", "read-random,get-one"]
    place: dict[str, Any] = {"IMGSTORE_TUI_HOME": str(home)}
    more = ["--rounds", str(rounds), "--budget", "none", "--scratch", str(home), "--quiet", "--json"]
    done = program(*words, *more, timeout=600, **place)
    if done.returncode:
        sys.exit(done.stderr)
    run = json.loads(done.stdout)
    seconds = {
        row["round"]: float(row["seconds"])
        for row in run["measurements"]
        if row["operation"] == "get-one" and row["spec"] == run["plan"]["specs"][0]["label"]
    }
    answer = " ".join(program("show", run["id"], **place).stdout.split())
    return seconds, " ".join(SENTENCES.findall(answer))


def verdict_of(ratios: list[Interval]) -> str:
    """Return whether all ratios are those of times that agree."""
    if all(ratio.low >= 1 / AGREE and ratio.high <= AGREE for ratio in ratios):
        return "agrees"
    return "differs" if any(ratio.low > AGREE or ratio.high < 1 / AGREE for ratio in ratios) else "undecided"


def row(folder: Path, title: str, backend: str, rounds: int) -> int:
    """Print the row of one method on one set of images, and return its exit code."""
    data, shape, count, codec = SETS[title]
    spec, path = f"{backend}{codec}", folder / f"{title.replace(' ', '')}.{backend}"
    done = program("convert", data, spec, str(path), "-n", str(count), "--quiet")
    if done.returncode:
        sys.exit(done.stderr)
    seconds = loops(path, backend, shape, count, rounds, encoded=bool(codec))
    by_round, answer = measured(folder, data, spec, count, rounds)
    seconds["instrument"] = dict(enumerate(by_round.values()))
    middle = {name: 1e6 * statistics.median(values.values()) for name, values in seconds.items()}
    ratios = [paired_ratio(seconds[name], seconds["bare"]) for name in ("open", "instrument")]
    assert all(ratios)
    verdict = verdict_of([ratio for ratio in ratios if ratio is not None])
    beyond = ", ".join(f"{name} {middle[name] - middle[before]:+.1f}" for before, name in itertools.pairwise(middle))
    why = "" if verdict == "agrees" else f"{answer or 'the answer says nothing of it'} ({beyond} us)"
    figures = [f"{middle[name]:.1f}" for name in ("bare", "open", "labelled", "instrument")]
    print(row_of((title, f"`{spec}`", *figures, *ratios, verdict, why)), flush=True)
    return 0 if EXPLAINS in answer else {"agrees": 0, "differs": 1, "undecided": 3}[verdict]


def main() -> int:
    """Print a row for each set of images and each library, and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    print(table_head(COLUMNS), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        codes = {row(Path(folder), title, backend, rounds) for title in SETS for backend in BARE}
    return 1 if 1 in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
