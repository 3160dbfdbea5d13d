"""Every local format against its own naive way and the floor: ``python -m tests.benchmarks.formats [--only TEXT ...]``.

Prints a table in Markdown. The naive way is ``naive.py``, in a fresh interpreter for every repeat. Ours is the tuned
preset as the instrument measures it, on bare pixels, so that no codec is measured; where a backend has code of its own
beside the library, both have a row, but for operations in which they are the same. The floor is ``npy:access=direct``,
measured the same way in the same round. Both sides deliver the same: a closed store, or every image with its label
in memory, one batch (ours) or one image (naive) after the other, and none kept. All are interleaved, their order
alternates.

Printed are medians in milliseconds, how many times the floor's time ours takes, the median of the ratios naive / ours
with its distribution-free interval (95 %; below six rounds it is the range seen, which is said), the rounds, and the
verdict: *below* where the interval lies under 0.9, *unsure* where only the median does, or a part of the range.

Six rounds are the fewest for an interval; what is unsure after them takes as many again, and what is so slow that six
rounds pass ``--seconds`` has fewer. A naive way that takes longer than 20 s is ended: its row says *more than*, and is
ok if that suffices. Nothing is forced to the device; every store that is written is verified. Formats come from the
registry: one whose library is missing is named with the command that gets it. PNG files are not among them, because
they are a codec's work: they stand in ``speed``. ``tfrecord`` has no naive way without TensorFlow.

The exit code is 0 if all rows are ok, 1 if one is below or failed, 3 if one is unsure.
"""

from __future__ import annotations

import argparse
import itertools
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
from imgstore_tui.core.backend import Backend
from imgstore_tui.core.operations import Operation, Payload
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.saved_specs import access_of
from imgstore_tui.stats.intervals import MIN_ROUNDS, Interval
from imgstore_tui.stats.ratios import paired_ratio
from tests.benchmarks import naive
from tests.benchmarks.markdown import number, row_of, table_head
from tests.benchmarks.pixels import make_pixels
from tests.benchmarks.scripts import ScriptError, run_script
from tests.benchmarks.verdicts import FLOOR, exit_code, verdict_of, worst

OPERATIONS = {
    Operation.WRITE_MANY: "write all",
    Operation.READ_MANY: "in order, 256 a call",
    Operation.READ_RANDOM: "shuffled, 64 a call",
}
SETS = {"10,000 x 32x32x3": (32, 10_000), "200 x 512x512x3": (512, 200)}
FEW_FILES = 8
"""Stores of more files are removed last: removing many can slow the creates that follow."""
LONGEST_S = 20.0
"""A naive way that takes longer is ended."""
COLUMNS = (
    "images", "format", "operation", "access", "both deliver", "ours ms", "times the floor", "naive ms",
    "times as fast as naive", "rounds", "verdict",
)  # fmt: skip


def formats() -> Iterator[tuple[type[Backend], tuple[str, ...]]]:
    """Yield every local format that stores pixels, with its specs, the floor's first."""
    kinds = [kind for kind in registry.sorted_backends() if kind.name != "disk" and not kind.capabilities.server]
    for kind in sorted(kinds, key=lambda kind: kind.name != "npy"):
        base = kind.name if kind.default_codec == "raw" else f"{kind.name}+raw"
        direct = any(option.name == "access" and "direct" in option.choices for option in kind.options)
        yield kind, (base, f"{base}:access=direct") if direct else (base,)


@dataclass
class Line:
    """What was measured of one spec and operation: seconds by round of each side."""

    images: str
    spec: Spec
    operation: Operation
    ours: dict[int, float] = field(default_factory=dict)
    floor: dict[int, float] = field(default_factory=dict)
    naive: dict[int, float] = field(default_factory=dict)
    at_least_s: float | None = None
    """What a naive way took at least that was ended."""

    @property
    def ratio(self) -> Interval | None:
        """Naive / ours."""
        return paired_ratio(self.naive, self.ours)

    @property
    def verdict(self) -> str:
        if not self.ours:
            return "failed"
        if self.at_least_s is not None:
            return "ok" if self.at_least_s / statistics.median(self.ours.values()) >= FLOOR else "unsure"
        return verdict_of(self.ratio)

    def __str__(self) -> str:
        access = access_of(self.spec, self.operation, Payload.END_TO_END, uniform=True)
        middle = statistics.median(self.ours.values())
        naive_ms = f"{statistics.median(self.naive.values()) * 1000:,.3g}" if self.naive else None
        ratio: object = self.ratio
        if self.at_least_s is not None:
            naive_ms, ratio = f"> {self.at_least_s * 1000:,.0f}", f"more than {number(self.at_least_s / middle)}"
        return row_of([
            self.images, f"`{self.spec.label}`", OPERATIONS[self.operation], access or "-",
            "closed store" if self.operation.writes else "every image, none kept", f"{middle * 1000:,.3g}",
            number(middle / statistics.median(self.floor.values())), naive_ms, ratio, len(self.ours), self.verdict,
        ])  # fmt: skip


class FailedError(Exception):
    """A cell has no figure, and why."""


class Format:
    """One format on one set of images: its stores and those of its naive way."""

    def __init__(self, title: str, texts: tuple[str, ...], folder: Path, count: int, floor: Path) -> None:
        self._title, self._folder, self._count, self._floor = title, folder, count, floor
        self._specs = [registry.resolve_spec(text) for text in texts]
        self._floor_spec = registry.resolve_spec("npy:access=direct")
        self._method = self._specs[0].backend
        self._executor = ProcessExecutor([*self._specs, self._floor_spec])
        self._numbers = itertools.count()
        self._checked: set[Operation] = set()

    def _chosen(self, operation: Operation) -> list[Spec]:
        """Return the specs that differ in an operation by who reads or writes."""
        seen = {access_of(spec, operation, Payload.END_TO_END, uniform=True): spec for spec in self._specs[::-1]}
        return [spec for spec in self._specs if spec in seen.values()]

    def measure(self, operation: Operation, limit_s: float) -> list[Line]:
        """Run rounds until there is a verdict, or no time is left for another."""
        lines = [Line(self._title, spec, operation) for spec in self._chosen(operation)]
        sides = {f"ours-{at}": line.spec for at, line in enumerate(lines)} | {"floor": self._floor_spec}
        names = [*sides, *(["naive"] if self._method in naive.WRITE else [])]
        stores = {name: self._folder / f"{name}-of-{self._method}" for name in names} | {"floor": self._floor}
        self._executor.begin_round()
        if not operation.writes:
            for name, store in stores.items():
                self._prepare(name, sides.get(name), store)
        began, ended = time.monotonic(), False
        for round_number in range(2 * MIN_ROUNDS):
            spent = time.monotonic() - began
            if round_number and spent + spent / round_number > limit_s * (1 + round_number // MIN_ROUNDS):
                break
            if round_number == MIN_ROUNDS and worst(line.verdict for line in lines) != "unsure":
                break
            for name in names[:: 1 if round_number % 2 else -1]:
                store = stores[name]
                if operation.writes:
                    store = self._folder / f"{name}-{next(self._numbers)}"
                    subprocess.run(["sync", "-f", str(self._folder)], check=True)
                if name != "naive":
                    seconds = self._ours(sides[name], operation, store, Step.TRIAL)
                    for line in lines:
                        if name == "floor":
                            line.floor[round_number] = seconds
                    if name != "floor":
                        lines[int(name[5:])].ours[round_number] = seconds
                elif not ended:
                    ended = not self._naive(lines, round_number, store)
                if operation.writes:
                    self._put_away(sides.get(name), store, verify=name.startswith("ours"))
        return lines

    def _prepare(self, name: str, spec: Spec | None, store: Path) -> None:
        if store.exists():
            if name == "floor":
                return
            shutil.rmtree(store) if store.is_dir() else store.unlink()
        if spec is None:
            self._script(Operation.WRITE_MANY, store)
        else:
            self._ours(spec, Operation.WRITE_MANY, store, Step.PREPARE)

    def _put_away(self, spec: Spec | None, store: Path, *, verify: bool) -> None:
        if verify and spec is not None:
            self._ours(spec, Operation.WRITE_MANY, store, Step.VERIFY)
        if store.is_dir() and sum(len(files) for _, _, files in os.walk(store)) <= FEW_FILES:
            shutil.rmtree(store)
        elif store.is_file():
            store.unlink()

    def _ours(self, spec: Spec, operation: Operation, store: Path, step: Step) -> float:
        source = str(self._folder / "source")
        request = TrialRequest(step, spec, operation, self._count, str(store), source, str(self._folder), seed="s")
        outcome = self._executor.run(request, 600, lambda images: None, threading.Event())
        if not outcome.ok:
            raise FailedError(f"{spec.label}: {outcome.reason}")
        return outcome.result.seconds or 0.0

    def _naive(self, lines: list[Line], round_number: int, store: Path) -> bool:
        """Add a round of the naive way to the lines; return False if it was ended."""
        try:
            seconds = self._script(lines[0].operation, store, LONGEST_S)
        except subprocess.TimeoutExpired:
            for line in lines:
                line.at_least_s = LONGEST_S if not line.naive else None
            return False
        for line in lines:
            line.naive[round_number] = seconds
        return True

    def _script(self, operation: Operation, store: Path, limit_s: float | None = None) -> float:
        case = {"method": self._method, "operation": operation.value, "count": self._count, "store": str(store),
                "seed": "s", "source": str(self._folder / "source"),
                "check": operation not in self._checked}  # fmt: skip
        try:
            (seconds,) = run_script(naive, case, limit_s)
        except ScriptError as error:
            raise FailedError(f"its naive way: {error}") from None
        self._checked.add(operation)
        return seconds

    def close(self) -> None:
        """Remove the stores."""
        self._executor.close()
        for store in self._folder.iterdir():
            if store.name != "source" and store != self._floor:
                shutil.rmtree(store) if store.is_dir() else store.unlink()


def measure(title: str, size: int, count: int, only: list[str], limit_s: float) -> list[str]:
    """Measure one set of images, print its rows, and return their verdicts."""
    verdicts, notes = [], []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        make_pixels(folder / "source", size, count)
        for kind, texts in formats():
            arguments = [
                operation for operation in OPERATIONS
                if not only or any(words in f"{size}/{text}/{operation.value}" for words in only for text in texts)
            ]  # fmt: skip
            if arguments and registry.missing_imports(kind):
                notes.append(f"Not measured: `{kind.name}`. {registry.how_to_get(kind)}")
                continue
            if not arguments:
                continue
            measured = Format(title, texts, folder, count, folder / "floor")
            for operation in arguments:
                try:
                    for line in measured.measure(operation, limit_s):
                        print(line, flush=True)
                        verdicts.append(line.verdict)
                except FailedError as failure:
                    verdicts.append("failed")
                    notes.append(f"Failed: {title}, {texts[0]}, {operation.value}: {failure}")
            measured.close()
    for note in notes:
        print(note, file=sys.stderr)
    return verdicts


def main() -> int:
    """Print the table and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", default=[], help="lines that contain one of these, e.g. sqlite/write-many")
    parser.add_argument("--scale", type=int, default=1, help="this part of the images, for a quick look")
    parser.add_argument("--seconds", type=float, default=6.0, help="no line begins another round after so long")
    arguments = parser.parse_args()
    began = time.monotonic()
    print(table_head(COLUMNS))
    verdicts = []
    for title, (size, count) in SETS.items():
        images = max(1, count // arguments.scale)
        scaled = f"{images:,} x {size}x{size}x3" if arguments.scale > 1 else title
        verdicts += measure(scaled, size, images, arguments.only, arguments.seconds)
    counted = ", ".join(f"{verdicts.count(word)} {word}" for word in ("ok", "below", "unsure", "failed"))
    print(f"\nInterleaved rounds, bare pixels, synthetic images, buffered, hot, one worker: {counted}, "
          f"{verdicts.count('-')} without a naive way.")  # fmt: skip
    print(f"{(time.monotonic() - began) / 60:.0f} minutes", file=sys.stderr)
    return exit_code(verdicts)


if __name__ == "__main__":
    sys.exit(main())
