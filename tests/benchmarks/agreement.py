"""Does the instrument report what a bare script sees? ``python -m tests.benchmarks.agreement [--repeats 40]``.

For each operation, pairs of one trial by the instrument and one run of a bare script: a new interpreter that calls the
same storage code between two readings of ``perf_counter``, with no fork server, no phases, no progress,
no verification.
Pairs are interleaved, the order within a pair alternates. Printed is the median of the ratios instrument / script
and its distribution-free 95 % interval: *agrees* if all of it lies in 0.97 to 1.03, *differs* if all of it lies
outside, *undecided* if it is too wide to say. The exit code is 1 if a case differs, else 3 if one is undecided, else 0.

The script calls the package's storage code: what is compared is the timing alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.bench.run.pixel_cache_writer import build_pixel_cache
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins import registry
from imgstore_tui.stats.ratios import paired_ratio
from imgstore_tui.testing.store_material import remove_store

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

SCRIPT = """
import gc, json, random, sys, time
from pathlib import Path
import numpy as np
from imgstore_tui import registry
from imgstore_tui.bench.trial.pixel_cache import Source
from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.codec import payload_kind
from imgstore_tui.core.operations import SyncLevel
case = json.loads(sys.argv[1])
backend, codec = registry.make_backend(registry.resolve_spec(case["spec"])), registry.make_codec(registry.resolve_spec(case["spec"]))
source, count, place = Source(Path(case["source"])), case["count"], Path(case["location"])
array = payload_kind(backend, codec, uniform=True) is PayloadKind.ARRAY
shape, dtype = source.uniform

def write(place, count):
    batch = min(256, count)
    buffer, taken = source.new_array(batch), 0.0
    content = Content(count, PayloadKind.ARRAY if array else PayloadKind.BYTES, codec.name, shape, dtype, source.pixel_bytes(count))
    t = time.perf_counter(); writer = backend.create(place, content, SyncLevel.BUFFERED); taken += time.perf_counter() - t
    for start in range(0, count, batch):
        stop = min(start + batch, count)
        source.copy_into(range(start, stop), buffer[: stop - start])
        labels = source.labels_of(range(start, stop))
        images = buffer[: stop - start]
        rows = None if array else list(images)
        t = time.perf_counter()
        if array:
            writer.put_array(range(start, stop), images, labels)
        else:
            writer.put_bytes(range(start, stop), [codec.encode(image) for image in rows], labels)
        taken += time.perf_counter() - t
    t = time.perf_counter(); writer.close(); taken += time.perf_counter() - t
    return taken

def read(place, count, batches):
    size = max(len(ids) for ids in batches)
    out, labels = source.new_array(size), np.zeros(size, np.int64)
    def once():
        taken = 0.0
        t = time.perf_counter(); reader = backend.open(place); taken += time.perf_counter() - t
        for ids in batches:
            n = len(ids)
            t = time.perf_counter()
            if array:
                reader.read_array(ids, out[:n], labels[:n])
            else:
                for payload, image in zip(reader.read_bytes(ids, labels[:n]), out):
                    codec.decode_into(payload, image)
            taken += time.perf_counter() - t
        t = time.perf_counter(); reader.close(); taken += time.perf_counter() - t
        return taken
    once()
    return once()

dummy = place.parent / "bare-dummy"
write(dummy, 1); read(dummy, 1, [range(1)]); backend.destroy(dummy)
gc.collect(); gc.disable()
if case["operation"] == "write-many":
    seconds = write(place, count)
elif case["operation"] == "read-many":
    seconds = read(place, count, [range(s, min(s + 256, count)) for s in range(0, count, 256)])
else:
    order = list(range(count)); random.Random(case["seed"]).shuffle(order)
    seconds = read(place, count, [order[s : s + 64] for s in range(0, count, 64)])
print(seconds)
"""  # noqa: E501


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
        source.mkdir()
        dataset = registry.make_dataset("synthetic")
        dataset.scan()
        build_pixel_cache(
            dataset, "synthetic", max(case[2] for case in CASES), source, originals=False,
            progress=lambda done, total: None, cancel=threading.Event(),
        )  # fmt: skip
        for spec_text, operation, count in CASES:
            verdicts.append(compare(folder, source, spec_text, operation, count, repeats))
    return EXIT_CODES[max(verdicts, key=lambda verdict: list(EXIT_CODES).index(verdict))]


def compare(folder: Path, source: Path, spec_text: str, operation: Operation, count: int, repeats: int) -> str:
    """Print the line of a case and return its verdict."""
    spec = registry.resolve_spec(spec_text)
    executor = ProcessExecutor([spec])
    executor.begin_round()
    store = folder / "store"

    def request(step: Step, location: Path) -> TrialRequest:
        return TrialRequest(step, spec, operation, count, str(location), str(source), str(folder), seed="s")

    def instrument(location: Path) -> float:
        outcome = executor.run(request(Step.TRIAL, location), 600, lambda images: None, threading.Event())
        assert outcome.ok, outcome.reason
        assert outcome.result.seconds is not None
        return outcome.result.seconds

    def script(location: Path) -> float:
        case = {"spec": spec_text, "operation": operation.value, "count": count, "source": str(source),
                "location": str(location), "seed": "s"}  # fmt: skip
        words = [sys.executable, "-c", SCRIPT, json.dumps(case)]
        return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)

    if not operation.writes:
        prepared = executor.run(request(Step.PREPARE, store), 600, lambda images: None, threading.Event())
        assert prepared.ok, prepared.reason
    pairs: list[tuple[float, float]] = []
    for number in range(repeats):
        taken = {}
        for who in (instrument, script) if number % 2 else (script, instrument):
            location = folder / f"{who.__name__}-{number}" if operation.writes else store
            taken[who.__name__] = who(location)
            if operation.writes:
                remove_store(location)
                subprocess.run(["sync", "-f", str(folder)], check=True)
        pairs.append((taken["instrument"], taken["script"]))
    executor.close()
    remove_store(store)
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
