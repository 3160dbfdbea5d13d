"""How much faster than the article's own code? ``python -m tests.benchmarks.speed [--pairs 11] [--only TEXT ...]``.

The reference is ``reference.py``: what article.md describes, to the letter, in a fresh interpreter for every repeat.
Ours is the tuned preset as the instrument measures it: a trial in a process of its own, from a batch in private memory
to the closed store, and from the closed store to decoded pixels in one caller-owned array; every image is verified.
Pairs are interleaved, the order within a pair alternates. Printed is the median of the ratios reference / ours and its
distribution-free 95 % interval. The sync level is the same on both sides: LMDB's commit forces data to the device in
the reference, so both are measured at the level ``end``, where folders are forced too; PNG and HDF5 force nothing, and
neither do ours (``buffered``).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.bench.system.ext4_placement import spread_folders, unique_name, warm_directory
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.stats.ratios import paired_ratio
from imgstore_tui.testing.store_material import remove_store
from tests.benchmarks import reference
from tests.benchmarks.pixels import make_pixels

FLOOR = 0.9
"""No tuned cell may be slower than this share of the reference's speed."""


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    spec: str
    operation: Operation
    workers: int = 1
    target: float = FLOOR
    count: int | None = None
    """None for all images of the set."""

    @property
    def method(self) -> str:
        return self.spec.partition("+")[0].partition(":")[0]


O = Operation  # noqa: E741
SETS: dict[str, tuple[int, int, list[Case]]] = {
    "10,000 x 32x32x3": (32, 10_000, [
        Case("lmdb", O.WRITE_MANY, target=2), Case("lmdb", O.READ_MANY, target=4),
        Case("lmdb", O.READ_RANDOM, target=4), Case("lmdb", O.GET_ONE),
        Case("hdf5", O.WRITE_MANY), Case("hdf5", O.READ_MANY, target=4), Case("hdf5", O.READ_MANY, 2, 4),
        Case("hdf5", O.GET_ONE, target=6), Case("hdf5", O.READ_RANDOM, target=10),
        Case("disk", O.WRITE_MANY), Case("disk", O.WRITE_MANY, 2, 1.5), Case("disk", O.READ_MANY),
        Case("disk", O.READ_RANDOM), Case("disk", O.GET_ONE),
        Case("disk+png-fast", O.WRITE_MANY, 1, 4), Case("disk+png-fast", O.WRITE_MANY, 2, 4),
        Case("disk+png-fast", O.READ_MANY, 1, 1.8), Case("disk+png-fast", O.READ_MANY, 2, 1.8),
        *(Case(name, operation, count=1) for name in ("disk", "lmdb", "hdf5")
          for operation in (O.WRITE_ONE, O.READ_ONE)),
    ]),
    "200 x 512x512x3": (512, 200, [
        Case("lmdb", O.WRITE_MANY), Case("lmdb", O.READ_MANY, target=1.3), Case("lmdb", O.READ_RANDOM, target=1.3),
        Case("hdf5", O.WRITE_MANY), Case("hdf5", O.READ_MANY, target=4), Case("hdf5", O.READ_MANY, 2, 4),
        Case("hdf5", O.READ_RANDOM),
        Case("hdf5", O.GET_ONE),
        Case("disk", O.WRITE_MANY), Case("disk", O.WRITE_MANY, 2, 3), Case("disk", O.READ_MANY),
        Case("disk+png-fast", O.WRITE_MANY, 1, 15), Case("disk+png-fast", O.WRITE_MANY, 2, 15),
        Case("disk+png-fast", O.READ_MANY, 1), Case("disk+png-fast", O.READ_MANY, 2),
    ]),
}  # fmt: skip


class Bench:
    """One set of images, and the stores of both sides."""

    def __init__(self, folder: Path, size: int, count: int, pairs: int) -> None:
        self._folder, self._count, self._pairs = folder, count, pairs
        spread_folders(folder)
        self._source = folder / "source"
        make_pixels(self._source, size, count)

    def compare(self, case: Case) -> None:
        """Measure and print one line."""
        spec = registry.resolve_spec(case.spec)
        executor = ProcessExecutor([spec])
        count, operation = case.count or self._count, case.operation
        sync = SyncLevel.END if case.method == "lmdb" else SyncLevel.BUFFERED
        stores = {"ours": self._folder / "ours", "theirs": self._folder / "theirs"}

        def ours(store: Path, step: Step = Step.TRIAL) -> float:
            request = TrialRequest(
                step, spec, operation, count, str(store), str(self._source), str(self._folder), seed="s", sync=sync,
                workers=case.workers,
            )  # fmt: skip
            outcome = executor.run(request, 600, lambda images: None, threading.Event())
            assert outcome.ok, outcome.reason
            return outcome.result.seconds or 0.0

        def theirs(store: Path, verb: str = operation.value) -> float:
            case_asked = {
                "method": case.method, "operation": verb, "count": count, "store": str(store), "seed": "s",
                "source": str(self._source), "level": sync.value,
            }  # fmt: skip
            words = [sys.executable, str(reference.__file__), json.dumps(case_asked)]
            samples = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
            return float(statistics.median_low(samples))

        if not operation.writes:
            ours(stores["ours"], Step.PREPARE)
            theirs(stores["theirs"], "write-many")
        taken: dict[str, dict[int, float]] = {"ours": {}, "theirs": {}}
        old: list[Path] = []
        for number in range(self._pairs):
            executor.begin_round()
            for who, run in [("ours", ours), ("theirs", theirs)][:: 1 if number % 2 else -1]:
                store = stores[who]
                if operation.writes:
                    place = self._folder / unique_name(f"{who}-{number}")
                    old.append(place)
                    assert warm_directory(place)
                    store = place / "store"
                    subprocess.run(["sync", "-f", str(self._folder)], check=True)
                taken[who][number] = run(store)
                if who == "ours" and operation is Operation.WRITE_MANY:
                    ours(store, Step.VERIFY)
        executor.close()
        self._print(case, count, taken)
        for store in (*old, *stores.values()):  # not earlier: deleting many files slows the next that are made
            remove_store(store)

    @staticmethod
    def _print(case: Case, count: int, taken: dict[str, dict[int, float]]) -> None:
        ratio = paired_ratio(taken["theirs"], taken["ours"])
        assert ratio is not None
        theirs, ours = (statistics.median(taken[who].values()) * 1000 for who in ("theirs", "ours"))
        verdict = "ok" if ratio.median >= case.target else "BELOW" if ratio.high < case.target else "unsure"
        what = f"{case.operation.value}{' N=1' if count == 1 else ''}"
        level = "-" if not case.operation.writes else "end" if case.method == "lmdb" else "buffered"
        print(
            f"{case.spec:14} {what:14} {case.workers:7} {level:9} {theirs:12,.3f} {ours:12,.3f} {ratio.median:7.2f}x "
            f"[{ratio.low:6.2f}, {ratio.high:6.2f}] {case.target:6}x {verdict}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--only", nargs="*", default=[], help="lines that contain one of these, e.g. lmdb/write-many")
    asked = parser.parse_args()
    print(f"reference / ours, {asked.pairs} interleaved pairs each, median and 95 % interval, synthetic images")
    for title, (size, count, cases) in SETS.items():
        print(f"\n{title}\n{'spec':14} {'operation':14} workers sync      reference ms      ours ms    ratio")
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
            bench = Bench(Path(name), size, count, asked.pairs)
            for case in cases:
                label = f"{size}/{case.spec}/{case.operation.value}/{case.workers}"
                lacking = "png-fast" in case.spec and (
                    "png-fast" not in registry.codecs.all() or registry.missing_imports(registry.codecs.get("png-fast"))
                )
                if asked.only and not any(text in label for text in asked.only):
                    continue
                if lacking:
                    print(f"{case.spec:14} {case.operation.value:14} not measured: pip install imgstore-tui[fastpng]")
                    continue
                bench.compare(case)


if __name__ == "__main__":
    main()
