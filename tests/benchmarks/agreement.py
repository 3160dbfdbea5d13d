"""Does the instrument report what a bare script sees? ``python -m tests.benchmarks.agreement [--repeats 40]``.

For each operation, pairs of one trial by the instrument and one run of ``bare_script.py``: a new interpreter that
writes and reads by h5py, lmdb and Pillow alone, between two readings of ``perf_counter``, with no fork server, no
phases, no progress, no verification on the clock. Nothing of the package is in it; each side writes its store itself.
Pairs are interleaved, the order within a pair alternates. Printed is the median of the ratios instrument / script
and its distribution-free 95 % interval: *agrees* if all of it lies in 0.97 to 1.03, *differs* if all of it lies
outside, *undecided* if it is too wide to say. The exit code is 1 if a case differs, else 3 if one is undecided, else 0.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins import registry
from imgstore_tui.stats.ratios import paired_ratio
from imgstore_tui.testing.store_material import remove_store
from tests.benchmarks import bare_script
from tests.benchmarks.pixels import make_pixels
from tests.benchmarks.scripts import run_script

CASES = [
    ("lmdb", Operation.READ_MANY, 40_000),
    ("lmdb", Operation.READ_RANDOM, 10_000),
    ("lmdb", Operation.WRITE_MANY, 10_000),
    ("hdf5", Operation.READ_MANY, 60_000),
    ("disk", Operation.READ_MANY, 500),
    ("disk", Operation.WRITE_MANY, 500),
]
LOW, HIGH = 0.97, 1.03
EXIT_CODES = {"agrees": 0, "undecided": 3, "differs": 1}
"""From the best verdict to the worst, which is that of all cases together."""


def main() -> int:
    """Print a line for each case and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=40)
    repeats = parser.parse_args().repeats
    print(f"instrument / bare script, {repeats} interleaved pairs each; agrees if the interval lies in {LOW}..{HIGH}")
    verdicts = []
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        source = folder / "source"
        make_pixels(source, 32, max(case[2] for case in CASES))
        for spec_text, operation, count in CASES:
            verdicts.append(compare(folder, source, spec_text, operation, count, repeats))
    return EXIT_CODES[max(verdicts, key=lambda verdict: list(EXIT_CODES).index(verdict))]


def compare(folder: Path, source: Path, spec_text: str, operation: Operation, count: int, repeats: int) -> str:
    """Print the line of a case and return its verdict."""
    spec = registry.resolve_spec(spec_text)
    executor = ProcessExecutor([spec])
    executor.begin_round()
    store, of_script = folder / "store", folder / "bare-store"

    def request(step: Step, location: Path) -> TrialRequest:
        return TrialRequest(step, spec, operation, count, str(location), str(source), str(folder), seed="s")

    def instrument(location: Path) -> float:
        outcome = executor.run(request(Step.TRIAL, location), 600, lambda images: None, threading.Event())
        assert outcome.ok, outcome.reason
        assert outcome.result.seconds is not None
        return outcome.result.seconds

    def script(location: Path) -> float:
        (seconds,) = run_script(bare_script, {
            "method": spec_text, "operation": operation.value, "count": count, "source": str(source),
            "store": str(location), "seed": "s",
        })  # fmt: skip
        return seconds

    if not operation.writes:
        prepared = executor.run(request(Step.PREPARE, store), 600, lambda images: None, threading.Event())
        assert prepared.ok, prepared.reason
    stores = {instrument: store, script: of_script}
    pairs: list[tuple[float, float]] = []
    for number in range(repeats):
        seconds = {}
        for who in (instrument, script) if number % 2 else (script, instrument):
            location = folder / f"{who.__name__}-{number}" if operation.writes else stores[who]
            seconds[who.__name__] = who(location)
            if operation.writes:
                remove_store(location)
                subprocess.run(["sync", "-f", str(folder)], check=True)
        pairs.append((seconds["instrument"], seconds["script"]))
    executor.close()
    remove_store(store)
    remove_store(of_script)
    ratio = paired_ratio(dict(enumerate(p[0] for p in pairs)), dict(enumerate(p[1] for p in pairs)))
    assert ratio is not None
    low, high = ratio.low, ratio.high
    verdict = verdict_of(low, high)
    shortest = min(min(pair) for pair in pairs) * 1000
    print(
        f"{spec_text:5} {operation.value:12} N={count:6,}  ratio {ratio.median:.3f}  [{low:.3f}, {high:.3f}]  "
        f"shortest {shortest:6.1f} ms  {verdict}",
        flush=True,
    )
    return verdict


def verdict_of(low: float, high: float) -> str:
    """Return whether the ratios of an interval agree, differ, or are too wide apart to say."""
    if low >= LOW and high <= HIGH:
        return "agrees"
    return "differs" if low > HIGH or high < LOW else "undecided"


if __name__ == "__main__":
    sys.exit(main())
