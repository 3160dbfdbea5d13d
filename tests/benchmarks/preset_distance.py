"""How far is each preset ``article`` from the article's way? ``python -m tests.benchmarks.preset_distance``.

For each method and operation, pairs of one trial by the instrument, with ``BACKEND:preset=article``, and one run of
``reference.py`` in a new interpreter, on the same images and at the same sync level. Pairs are interleaved, the
order within a pair alternates; one worker. Printed is the median of the ratios instrument / bare script and its
distribution-free 95 % interval: a ratio between two presets can be trusted to lean on the article's as far as that.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import tempfile
import threading
from pathlib import Path

import numpy as np

from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.bench.trial.pixel_cache_writer import build_pixel_cache
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.units import format_seconds
from imgstore_tui.plugins import registry
from imgstore_tui.stats.ratios import paired_ratio
from tests.benchmarks import reference
from tests.benchmarks.scripts import run_script

METHODS = ("disk", "lmdb", "hdf5")
ONE = (Operation.WRITE_ONE, Operation.READ_ONE)
MANY = (Operation.WRITE_MANY, Operation.READ_MANY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--count", type=int, default=10_000, help="images of write-many and read-many")
    parser.add_argument("-d", "--dataset", default="synthetic")
    parser.add_argument("--repeats", type=int, default=12)
    parser.add_argument("--level", choices=["buffered", "end"], default="buffered")
    words = parser.parse_args()
    print(
        f"preset article by the instrument / bare script, {words.repeats} interleaved pairs, sync {words.level}, hot, "
        f"1 worker, {words.dataset}"
    )
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        make_data(folder, words.dataset, words.count)
        for method in METHODS:
            for operation in (*ONE, *MANY):
                compare(folder, method, operation, 1 if operation in ONE else words.count, words.repeats, words.level)


def make_data(folder: Path, text: str, count: int) -> None:
    """Lay the same images out twice: as the instrument's pixel cache, and as arrays for the bare script."""
    source = folder / "source"
    source.mkdir()
    dataset = registry.make_dataset(text)
    dataset.scan()
    build_pixel_cache(
        dataset, text, count, source, originals=False, progress=lambda done, total: None, cancel=threading.Event()
    )
    pixels = PixelCache(source)
    images = pixels.new_array(count)
    pixels.copy_into(range(count), images)
    np.save(source / "pixels.npy", images)


def compare(folder: Path, method: str, operation: Operation, count: int, repeats: int, level: str) -> None:
    """Print one line."""
    spec = registry.resolve_spec(f"{method}:preset=article")
    executor = ProcessExecutor([spec])
    executor.begin_round()
    store, theirs_store = folder / "ours", folder / "theirs"

    def request(step: Step, location: Path) -> TrialRequest:
        return TrialRequest(
            step, spec, operation, count, str(location), str(folder / "source"), str(folder), sync=SyncLevel(level),
            seed="s",
        )  # fmt: skip

    def instrument(number: int) -> float:
        location = folder / f"ours-{number}" if operation.writes else store
        outcome = executor.run(request(Step.TRIAL, location), 3600, lambda images: None, threading.Event())
        assert outcome.ok, outcome.reason
        if operation.writes:
            shutil.rmtree(location)
        assert outcome.result.seconds is not None
        return outcome.result.seconds

    def script(number: int) -> float:
        place = folder / f"theirs-{number}" if operation.writes else theirs_store
        if not operation.writes and not place.exists():
            run_reference("write-many", place)
        seconds = run_reference(operation.value, place)
        if operation.writes:
            shutil.rmtree(place)
        return seconds

    def run_reference(verb: str, place: Path) -> float:
        case = {
            "method": method, "operation": verb, "count": count, "source": str(folder / "source"), "store": str(place),
            "level": level, "seed": "s",
        }  # fmt: skip
        return float(statistics.median_low(run_script(reference, case)))

    if not operation.writes:
        prepared = executor.run(request(Step.PREPARE, store), 3600, lambda images: None, threading.Event())
        assert prepared.ok, prepared.reason
    ours: dict[int, float] = {}
    theirs: dict[int, float] = {}
    for number in range(repeats):
        for who, durations in ((instrument, ours), (script, theirs))[:: 1 if number % 2 else -1]:
            durations[number] = who(number)
            subprocess.run(["sync", "-f", str(folder)], check=True)
    executor.close()
    for place in (store, theirs_store):
        shutil.rmtree(place, ignore_errors=True)
    ratio = paired_ratio(ours, theirs)
    assert ratio is not None
    print(
        f"{method:5} {operation.value:11} N={count:7,}  ratio {ratio.median:6.3f}  [{ratio.low:.3f}, {ratio.high:.3f}]"
        f"  bare script {format_seconds(statistics.median(theirs.values()))}",
        flush=True,
    )


if __name__ == "__main__":
    main()
