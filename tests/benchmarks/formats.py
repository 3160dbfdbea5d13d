"""Every local format against its own naive way and the floor: ``python -m tests.benchmarks.formats [--only TEXT ...]``.

The naive way is ``naive.py``, or for LMDB and HDF5 the article's own in ``reference.py``, in a fresh interpreter for
every repeat. Ours is the tuned preset as the instrument measures it, on bare pixels, so that no codec is measured; the
floor is ``npy:access=direct``, measured the same way in the same round. The three are interleaved, their order
alternates. Printed are medians in milliseconds, how many times the floor's time ours takes, the median of the ratios
naive / ours with its distribution-free interval (95 %; below six rounds it is the range seen), the rounds, and the
verdict: *below* where the interval lies under 0.9, *unsure* where only the median does, or a part of the range.

Six rounds are the fewest for an interval; a line that is unsure after them takes as many again, and one whose naive way
is so slow that six rounds pass ``--seconds`` has fewer. Nothing is forced to the device; every store that is written is
verified. Formats come from the registry: one whose library is missing is named with the command that gets it. PNG files
are not among them, because they are a codec's work: they stand in ``speed``. ``tfrecord`` has no naive way without
TensorFlow.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry
from imgstore_tui.stats.intervals import MIN_ROUNDS
from imgstore_tui.stats.ratios import paired_ratio
from tests.benchmarks import naive, reference
from tests.benchmarks.pixels import make_pixels

OPERATIONS = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)
SETS = {"10,000 x 32x32x3": (32, 10_000), "200 x 512x512x3": (512, 200)}
FLOOR = 0.9
"""No tuned cell may be slower than this share of its naive way's speed."""
FEW_FILES = 8
"""Stores of more files are removed last: removing many can slow the creates that follow."""


def specs() -> Iterator[str]:
    """Yield every local format that stores pixels, the floor first."""
    yield "npy"
    for kind in registry.sorted_backends():
        if kind.name not in {"npy", "disk"} and not kind.capabilities.server:
            yield kind.name if kind.default_codec == "raw" else f"{kind.name}+raw"


@dataclass
class Line:
    """What was measured of one format and operation: seconds by round of each side."""

    text: str
    operation: Operation
    taken: dict[str, dict[int, float]] = field(default_factory=dict)

    @property
    def rounds(self) -> int:
        return len(self.taken.get("ours", {}))

    @property
    def verdict(self) -> str:
        if "ours" not in self.taken:
            return "failed"
        ratio = paired_ratio(self.taken.get("naive", {}), self.taken["ours"])
        if ratio is None:
            return "-"
        if ratio.is_range:  # too few rounds for more than what leaves no doubt
            return "ok" if ratio.low >= FLOOR else "unsure"
        return "ok" if ratio.median >= FLOOR else "below" if ratio.high < FLOOR else "unsure"

    def __str__(self) -> str:
        middle = {name: statistics.median(values.values()) * 1000 for name, values in self.taken.items()}
        ratio = paired_ratio(self.taken.get("naive", {}), self.taken["ours"])
        said = f"{'-':>12} {'-':>8} {'':>18}"
        if ratio is not None:
            said = f"{middle['naive']:12,.2f} {ratio.median:7.2f}x " + f"[{ratio.low:.2f}, {ratio.high:.2f}]".ljust(18)
        return (
            f"{self.text:15} {self.operation.value:12} {middle['ours']:10,.2f} {middle['floor']:10,.2f} "
            f"{middle['ours'] / middle['floor']:6.1f}x {said} {self.rounds:6} {self.verdict}"
        )


class Failed(Exception):
    """A cell has no figure, and why."""


class Format:
    """One format on one set of images: its stores and those of its naive way."""

    def __init__(self, text: str, folder: Path, count: int, floor: Path) -> None:
        self._text, self._folder, self._count = text, folder, count
        self._specs = {"ours": registry.resolve_spec(text), "floor": registry.resolve_spec("npy:access=direct")}
        self._method = self._specs["ours"].backend
        self._script = next((script for script in (naive, reference) if self._method in script.WRITE), None)
        self._sides = [*self._specs, *(["naive"] if self._script else [])]
        self._stores = {name: folder / f"{name}-of-{self._method}" for name in self._sides} | {"floor": floor}
        self._executor = ProcessExecutor(list(self._specs.values()))
        self._numbers = itertools.count()

    def measure(self, operation: Operation, limit_s: float) -> Line:
        """Run rounds until there is a verdict, or no time is left for another."""
        if not operation.writes:
            for name, store in self._stores.items():
                if not store.exists():
                    self._run(name, Operation.WRITE_MANY, store, Step.PREPARE)
        self._executor.begin_round()
        line = Line(self._text, operation, {name: {} for name in self._sides})
        began = time.monotonic()
        for number in range(2 * MIN_ROUNDS):
            spent = time.monotonic() - began
            if number and spent + spent / number > limit_s * (1 + number // MIN_ROUNDS):
                break
            if number == MIN_ROUNDS and line.verdict != "unsure":
                break
            for name in self._sides[:: 1 if number % 2 else -1]:
                store = self._stores[name]
                if operation.writes:
                    store = self._folder / f"{name}-{next(self._numbers)}"
                    subprocess.run(["sync", "-f", str(self._folder)], check=True)
                line.taken[name][number] = self._run(name, operation, store, Step.TRIAL)
                if operation.writes:
                    self._put_away(name, store)
        return line

    def _put_away(self, name: str, store: Path) -> None:
        if name == "ours":
            self._ours(self._specs[name], Operation.WRITE_MANY, store, Step.VERIFY)
        if sum(len(files) for _, _, files in os.walk(store)) <= FEW_FILES:
            shutil.rmtree(store)

    def _run(self, name: str, operation: Operation, store: Path, step: Step) -> float:
        if name == "naive":
            return self._naive(operation, store)
        return self._ours(self._specs[name], operation, store, step)

    def _ours(self, spec: Spec, operation: Operation, store: Path, step: Step) -> float:
        source = str(self._folder / "source")
        request = TrialRequest(step, spec, operation, self._count, str(store), source, str(self._folder), seed="s")
        outcome = self._executor.run(request, 600, lambda images: None, threading.Event())
        if not outcome.ok:
            raise Failed(f"{spec.label}: {outcome.reason}")
        return outcome.result.seconds or 0.0

    def _naive(self, operation: Operation, store: Path) -> float:
        assert self._script is not None
        case = {"method": self._method, "operation": operation.value, "count": self._count, "store": str(store),
                "seed": "s", "source": str(self._folder / "source"), "level": "buffered"}  # fmt: skip
        words = [sys.executable, str(self._script.__file__), json.dumps(case)]
        child = subprocess.run(words, check=False, capture_output=True, text=True)
        if child.returncode:
            raise Failed(f"its naive way: {(child.stderr.strip().splitlines() or ['no word'])[-1]}")
        printed = json.loads(child.stdout)
        return float(printed[0] if isinstance(printed, list) else printed)

    def close(self) -> None:
        """Remove the stores."""
        self._executor.close()
        for store in self._folder.iterdir():
            if store.name != "source" and store != self._stores["floor"]:
                shutil.rmtree(store)


def measure(title: str, size: int, count: int, only: list[str], limit_s: float) -> list[Line]:
    """Measure one set of images and print its lines."""
    print(f"\n{title}\n{'spec':15} {'operation':12} {'ours ms':>10} {'npy ms':>10} {'of npy':>7} {'naive ms':>12} "
          f"{'naive/ours':>8} {'interval':18} rounds verdict")  # fmt: skip
    lines = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        make_pixels(folder / "source", size, count)
        for text in specs():
            kind = registry.backends.get(text.partition("+")[0])
            asked = [
                operation for operation in OPERATIONS
                if not only or any(words in f"{size}/{text}/{operation.value}" for words in only)
            ]  # fmt: skip
            if asked and registry.missing_imports(kind):
                print(f"{text:15} not measured: {registry.how_to_get(kind)}")
                continue
            if not asked:
                continue
            found = Format(text, folder, count, folder / "floor")
            for operation in asked:
                try:
                    lines.append(found.measure(operation, limit_s))
                    print(lines[-1], flush=True)
                except Failed as failure:
                    lines.append(Line(text, operation))
                    print(f"{text:15} {operation.value:12} FAILED: {failure}", flush=True)
            found.close()
    return lines


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", default=[], help="lines that contain one of these, e.g. sqlite/write-many")
    parser.add_argument("--scale", type=int, default=1, help="this part of the images, for a quick look")
    parser.add_argument("--seconds", type=float, default=12.0, help="no line begins another round after so long")
    asked = parser.parse_args()
    began = time.monotonic()
    print("interleaved rounds, medians, bare pixels, synthetic images, buffered, hot")
    lines = []
    for title, (size, count) in SETS.items():
        scaled = f"{title}, 1/{asked.scale} of them" if asked.scale > 1 else title
        lines += measure(scaled, size, max(1, count // asked.scale), asked.only, asked.seconds)
    verdicts = [line.verdict for line in lines]
    counted = ", ".join(f"{verdicts.count(word)} {word}" for word in ("ok", "below", "unsure", "failed"))
    print(f"\n{counted}, {verdicts.count('-')} without a naive way; {(time.monotonic() - began) / 60:.1f} minutes")
    if "failed" in verdicts:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
