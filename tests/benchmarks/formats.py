"""Every local format against its own naive way and the floor: ``python -m tests.benchmarks.formats [--pairs 11]``.

The naive way is ``naive.py``, in a fresh interpreter for every repeat. Ours is the tuned preset as the instrument
measures it, on bare pixels, so that no codec is measured; the floor is ``npy``, measured the same way in the same
round. The three are interleaved, their order alternates. Printed are medians in milliseconds, the median of the ratios
naive / ours with its distribution-free 95 % interval, and how many times the floor's time ours takes. Nothing is forced
to the device; every store is verified. A format whose library is missing is named with the command that gets it;
``tfrecord`` has no naive way without TensorFlow, ``disk``, ``lmdb`` and ``hdf5`` have theirs in ``speed``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

from imgstore_tui import registry
from imgstore_tui.bench.executor import ProcessExecutor
from imgstore_tui.bench.job import Job, Step
from imgstore_tui.bench.source import Source, build_source
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import Spec
from imgstore_tui.stats.ratios import paired_ratio
from tests.benchmarks import naive

SPECS = (
    "npy",
    "safetensors",
    "sqlite",
    "webdataset+raw",
    "tfrecord+raw",
    "arrow",
    "parquet+raw",
    "zarr",
    "lmdb",
    "hdf5",
)
OPERATIONS = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)
SETS = {"10,000 x 32x32x3": (32, 10_000), "200 x 512x512x3": (512, 200)}
FLOOR = 0.9
"""No tuned cell may be slower than this share of its naive way's speed."""


class Bench:
    """One set of images, and the stores of all sides."""

    def __init__(self, folder: Path, size: int, count: int, pairs: int) -> None:
        self._folder, self._count, self._pairs = folder, count, pairs
        self._source = folder / "source"
        self._source.mkdir()
        dataset = registry.make_dataset(f"synthetic,size={size}")
        dataset.scan()
        build_source(
            dataset, "synthetic", count, self._source, originals=False,
            progress=lambda done, total: None, cancel=threading.Event(),
        )  # fmt: skip
        source = Source(self._source)
        pixels = source.new_array(count)
        source.copy_into(range(count), pixels)
        np.save(self._source / "pixels.npy", pixels)
        self._number = 0

    def _ours(self, executor: ProcessExecutor, spec: Spec, operation: Operation, store: Path, step: Step) -> float:
        job = Job(
            step, spec, operation, self._count, str(store), str(self._source), str(self._folder), seed="s"
        )  # fmt: skip
        outcome = executor.run(job, 600, lambda images: None, threading.Event())
        assert outcome.ok, outcome.reason
        return float(outcome.fields.get("seconds", 0))

    def _naive(self, method: str, operation: Operation, store: Path) -> float:
        case = {"method": method, "operation": operation.value, "count": self._count, "store": str(store), "seed": "s",
                "source": str(self._source)}  # fmt: skip
        words = [sys.executable, str(naive.__file__), json.dumps(case)]
        return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)

    def compare(self, text: str, operation: Operation) -> None:
        """Measure and print one line."""
        sides = {"ours": registry.resolve_spec(text), "floor": registry.resolve_spec("npy")}
        method = sides["ours"].backend
        names = [*sides, *(["naive"] if method in naive.NAMES else [])]
        executor = ProcessExecutor(list(sides.values()))
        stores = {name: self._folder / f"{name}-of-{method}-{operation.value}" for name in names}
        taken: dict[str, dict[int, float]] = {name: {} for name in names}
        made: list[Path] = []

        def run(name: str, store: Path, what: Operation, step: Step = Step.TRIAL) -> float:
            made.append(store)
            if name == "naive":
                return self._naive(method, what, store)
            return self._ours(executor, sides[name], what, store, step)

        if not operation.writes:
            for name in names:
                run(name, stores[name], Operation.WRITE_MANY, Step.PREPARE)
        for number in range(self._pairs):
            executor.begin_round()
            for name in names[:: 1 if number % 2 else -1]:
                store = stores[name]
                if operation.writes:
                    store = store.with_name(f"{store.name}-{number}")
                    subprocess.run(["sync", "-f", str(self._folder)], check=True)
                taken[name][number] = run(name, store, operation)
                if operation.writes and name == "ours":
                    self._ours(executor, sides["ours"], operation, store, Step.VERIFY)
        executor.close()
        self._print(text, operation, taken)
        for store in made:  # not earlier: deleting many files slows the next that are made
            shutil.rmtree(store, ignore_errors=True)

    @staticmethod
    def _print(text: str, operation: Operation, taken: dict[str, dict[int, float]]) -> None:
        middle = {name: statistics.median(values.values()) * 1000 for name, values in taken.items()}
        ratio = paired_ratio(taken["naive"], taken["ours"]) if "naive" in taken else None
        said = f"{'-':>12}" + " " * 30
        if ratio is not None:
            verdict = "ok" if ratio.median >= FLOOR else "BELOW" if ratio.high < FLOOR else "unsure"
            said = f"{middle['naive']:12,.2f} {ratio.median:7.2f}x [{ratio.low:6.2f}, {ratio.high:6.2f}] {verdict:6}"
        times = f"{middle['ours'] / middle['floor']:6.1f}x"
        print(
            f"{text:15} {operation.value:12} {middle['ours']:10,.2f} {middle['floor']:10,.2f} {times} {said}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--only", nargs="*", default=[], help="lines that contain one of these, e.g. sqlite/write-many")
    parser.add_argument("--scale", type=int, default=1, help="this part of the images, for a quick look")
    asked = parser.parse_args()
    print(f"{asked.pairs} interleaved rounds, medians, bare pixels, synthetic images, buffered, hot")
    for title, (size, count) in SETS.items():
        print(f"\n{title}{f', 1/{asked.scale} of them' if asked.scale > 1 else ''}")
        print(
            f"{'spec':15} {'operation':12} {'ours ms':>10} {'npy ms':>10} {'of npy':>7} {'naive ms':>12} naive / ours"
        )
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
            bench = Bench(Path(name), size, max(1, count // asked.scale), asked.pairs)
            for text in SPECS:
                kind = registry.backends.get(text.partition("+")[0])
                if registry.missing(kind):
                    print(f"{text:15} not measured: {registry.how_to_get(kind)}")
                    continue
                for operation in OPERATIONS:
                    label = f"{size}/{text}/{operation.value}"
                    if not asked.only or any(words in label for words in asked.only):
                        bench.compare(text, operation)


if __name__ == "__main__":
    main()
