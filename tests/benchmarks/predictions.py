"""Do predictions hold? ``python -m tests.benchmarks.predictions [--small 1000] [--pixels 50000] [--photos 5000]``.

Two sets of images: synthetic ones of 32 px, and JPEG photographs of 320x240 that the command makes. Each is measured in
a small run (a hundredth, a tenth and all of ``--small``), and in a large one of other rounds at the number given for
the set. A cell is a method and an operation of one set, twenty together: it *holds* if the interval that the small run
predicts has the median of the large run in it. Meanwhile the large set is converted to each method and read once by a
bare loop of the library that a user's program would call, decoded, in shuffled order; the epoch that the advice on the
small run promises *agrees* within a factor of 1.5. The exit code is 1 if fewer than 18 cells hold or a promise is off.
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
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

from imgstore_tui.analysis.advice.run_advice import Situation, advise_run
from imgstore_tui.analysis.growth import NoPrediction, growths
from imgstore_tui.bench.results.journal import read_journal
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.present.results import build_results
from tests.benchmarks.markdown import row_of, table_head
from tests.support.program import program

GOAL = 18
AGREE = 1.5
OPERATIONS = "write-many,read-many,read-random"
SIDE = (240, 320)
PICTURES = 400
METHODS = {
    "32 px": ("lmdb", "hdf5", "npy", "safetensors"),
    "photographs": ("disk+original", "lmdb+original", "hdf5+original"),
}
"""Three operations each: 12 and 9 cells, of which the write with files is left out."""
LEFT_OUT = ("photographs", "disk+original", "write-many")
HEAD = ("set", "method", "operation", "predicted", "interval", "measured", "rounds", "")


def make_photographs(folder: Path) -> None:
    """Make pictures with soft shapes and grain, as photographs have: some 25 KB each."""
    for number in range(PICTURES):
        noise = np.random.default_rng(number)
        soft = Image.fromarray(noise.integers(0, 255, (8, 10, 3), np.uint8)).resize(
            SIDE[::-1], Image.Resampling.BICUBIC
        )
        grain = noise.normal(0, 6, (*SIDE, 3))
        place = folder / f"class-{number % 4}"
        place.mkdir(parents=True, exist_ok=True)
        pixels = np.clip(np.asarray(soft, np.float64) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(place / f"{number:05}.jpg", quality=90)


def measured(home: Path, data: str, methods: tuple[str, ...], counts: str, rounds: int) -> Run:
    """Return a run of these methods at these numbers of images."""
    words = ["run", "-b", *methods, "-d", data, "-n", counts, "-o", OPERATIONS, "--rounds", str(rounds)]
    done = program(
        *words, "--budget", "none", "--scratch", str(home), "--quiet", timeout=3600, IMGSTORE_TUI_HOME=str(home)
    )
    if done.returncode:
        sys.exit(done.stderr)
    return read_journal(sorted((home / "runs").glob("*.jsonl"))[-1])


def cells(name: str, small: Run, large: Run, count: int) -> int:
    """Print a row for each method and operation of a set, and return how many hold."""
    held = 0
    grown = growths(small, build_results(small).summaries)
    for summary in build_results(large).summaries:
        row = summary.cell
        if row.cutoff != count or summary.seconds is None or (name, row.spec, row.operation) == LEFT_OUT:
            continue
        growth = grown.get(
            Cell(row.dataset, row.spec, row.operation, 0, row.cache, row.sync, row.payload, row.workers, row.scratch)
        )
        if growth is None or row.spec == "source":
            continue
        predicted = growth.predict(count)
        head = (name, row.spec, row.operation)
        if isinstance(predicted, NoPrediction):
            print(
                row_of((*head, predicted.reason, "", f"{summary.seconds:.3g}", len(summary.rounds), "not predicted")),
                flush=True,
            )
            continue
        low, high = predicted.interval.low, predicted.interval.high
        holds = low <= summary.seconds <= high
        held += holds
        words = (
            f"{predicted.interval.median:.3g}",
            f"{low:.3g} to {high:.3g}",
            f"{summary.seconds:.3g}",
            len(summary.rounds),
        )
        print(row_of((*head, *words, "holds" if holds else "off")), flush=True)
    return held


def bare_loop(path: Path, spec: str) -> float:
    """Return the seconds of one shuffled pass over a store by its own library, every image decoded."""
    read, count = _READERS[spec](path)
    order = list(range(count))
    random.Random(1).shuffle(order)
    read(order[0])
    began = time.perf_counter()
    for index in order:
        read(index)
    return time.perf_counter() - began


Read = Callable[[int], Any]


def _decoded(data: Any) -> Any:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _lmdb(path: Path, *, encoded: bool) -> tuple[Read, int]:
    transaction: Any = lmdb.open(str(path), readonly=True, lock=False).begin(buffers=True)
    count = sum(1 for key, _ in transaction.cursor() if len(bytes(key)) == 4)
    if encoded:
        return lambda index: _decoded(transaction.get(index.to_bytes(4, "big"))), count
    return lambda index: np.frombuffer(transaction.get(index.to_bytes(4, "big")), np.uint8).copy(), count


def _hdf5(path: Path, *, encoded: bool) -> tuple[Read, int]:
    images: Any = h5py.File(path, "r")
    if not encoded:
        return images["images"].__getitem__, len(images["images"])
    data, offsets = images["images"], images["offsets"][:]
    return lambda index: _decoded(data[offsets[index] : offsets[index + 1]].tobytes()), len(offsets) - 1


_READERS: dict[str, Callable[[Path], tuple[Read, int]]] = {
    "lmdb": lambda path: _lmdb(path, encoded=False),
    "lmdb+original": lambda path: _lmdb(path, encoded=True),
    "hdf5": lambda path: _hdf5(path, encoded=False),
    "hdf5+original": lambda path: _hdf5(path, encoded=True),
}


def promises(folder: Path, name: str, data: str, small: Run, count: int) -> bool:
    """Print the epoch that is promised for each method beside that of a bare loop; return whether all agree."""
    agree = True
    (given,) = advise_run(small, build_results(small).summaries, Situation(images=count))
    for entry in given.training:
        if entry.spec not in _READERS or isinstance(entry.epoch, NoPrediction):
            continue
        path = folder / f"{name.replace(' ', '')}-{entry.spec}"
        done = program("convert", data, entry.spec, str(path), "-n", str(count), "--quiet", timeout=1800)
        if done.returncode:
            sys.exit(done.stderr)
        bare = statistics.median(bare_loop(path, entry.spec) for _ in range(3))
        ratio = entry.epoch.interval.median / bare
        close = 1 / AGREE <= ratio <= AGREE
        agree &= close
        words = (f"{entry.epoch.interval.median:.3g}", f"{bare:.3g}", f"{ratio:.2f}", "agrees" if close else "off")
        print(row_of((name, entry.spec, *words)), flush=True)
    return agree


def main() -> int:
    """Print both tables and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", type=int, default=1000)
    parser.add_argument("--pixels", type=int, default=50_000)
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--large-rounds", type=int, default=5)
    parser.add_argument("--folder", default=".")
    arguments = parser.parse_args()
    counts = ",".join(str(arguments.small // part) for part in (100, 10, 1))
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        home, photos = Path(folder) / "work", Path(folder) / "photos"
        home.mkdir()
        make_photographs(photos)
        sets = {"32 px": ("synthetic", arguments.pixels), "photographs": (f"folder:{photos}", arguments.photos)}
        print(table_head(HEAD), flush=True)
        small, held, number = {}, 0, 0
        for name, (data, count) in sets.items():
            small[name] = measured(home, data, METHODS[name], counts, arguments.rounds)
            large = measured(home, data, METHODS[name], str(count), arguments.large_rounds)
            held += cells(name, small[name], large, count)
            number += 3 * len(METHODS[name])
        number -= 1
        print(f"\n{held} of {number} cells hold; seconds for all images.\n", flush=True)
        print(table_head(("set", "method", "epoch promised", "bare loop", "ratio", "")), flush=True)
        agree = [promises(home, name, data, small[name], count) for name, (data, count) in sets.items()]
    return 0 if held >= GOAL and all(agree) else 1


if __name__ == "__main__":
    sys.exit(main())
