"""From every format to every other, with a kill each: ``python -m tests.benchmarks.convert_pairs [--count 50000]``.

A synthetic set of 32x32x3 is written into each format once. Then each is converted to each other one: at a random
moment one process is killed (SIGKILL), by lot the one that converts or the one that reads the source for it; there are
no others. The same words are said again until they are through. What came out is read back by a process of its own: the
same pixels, shapes and labels in the same order as in the source, and the fingerprint that ``convert`` printed.

A pair fails if anything differs, if a destination is there that is not whole, if the source has changed, if anything
is left behind, or if what was safe when the kill came is written once more.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.core.backend import Continuation
from imgstore_tui.core.codec import payload_kind
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import walk
from tests.support.processes import descendants, have_ended

FORMATS = ("lmdb", "hdf5", "sqlite", "webdataset+png", "tfrecord+png", "npy")
MOST_TRIES = 8
"""A process that is through before the kill comes is no test: the next one is killed earlier."""
READ = """
import hashlib, sys
from imgstore_tui import registry
dataset = registry.make_dataset(f'store:"{sys.argv[1]}"')
dataset.scan()
digest = hashlib.sha256()
for index in range(len(dataset)):
    image = dataset.image(index)
    digest.update(f"{image.shape}{image.dtype}{dataset.label(index)}".encode() + image.tobytes())
print(len(dataset), digest.hexdigest())
"""


@dataclass
class Kill:
    """What was hit, when, and what was safe by then."""

    name: str
    after_s: float
    safe: int


def convert(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "imgstore_tui", "convert", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def through(*words: str) -> tuple[str, str, int]:
    """Convert to the end; return the fingerprint, what was said, and how many images were there already."""
    out, errors = (process := convert(*words)).communicate()
    assert process.returncode == 0, f"exit {process.returncode}: {errors.strip()}"
    before = re.search(r", ([\d,]+) of them written before", out)
    return out.split()[-1], out + errors, int(before[1].replace(",", "")) if before else 0


def held(store: Path) -> str:
    """Return the number of images of a store and a sum of them all, found by a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", READ, str(store)], check=True, capture_output=True, text=True
    ).stdout.strip()


def sum_of_store(store: Path) -> str:
    digest = hashlib.sha256()
    for path in walk(store):
        status = path.stat()
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def remove(store: Path) -> None:
    """Remove a store, and nothing beside it."""
    if store.is_dir():
        shutil.rmtree(store)
    else:
        store.unlink()


def way_of(spec: str) -> Continuation:
    resolved = registry.resolve_spec(spec)
    backend, codec = registry.make_backend(resolved), registry.make_codec(resolved)
    return backend.continuation(payload_kind(backend, codec, uniform=True))


def safe_in(work: Path, spec: str) -> int:
    """Return how many images the next process must find, by what the dead one has left on the device."""
    with contextlib.suppress(ImgstoreError):  # not closed yet, or in the middle of a change
        _, reader = registry.open_store(work / "store")
        with reader:
            return reader.content.count
    if way_of(spec) is Continuation.RESUME:
        with contextlib.suppress(OSError, ValueError):
            return int(json.loads((work / "conversion.json").read_text()).get("safe", 0))
    return 0


def kill_one(words: list[str], work: Path, spec: str, order: random.Random, longest_s: float) -> Kill | None:
    """Start a conversion and kill one of its processes; return None if it was through before."""
    process = convert(*words)
    time.sleep(after := order.uniform(0.15, longest_s))
    family = [process.pid, *descendants(process.pid)]
    name = order.choice(["converter", "reader"])
    target = family[0] if name == "converter" or len(family) < 2 else family[1]
    name = "converter" if target == family[0] else "reader"
    with contextlib.suppress(ProcessLookupError):
        os.kill(target, signal.SIGKILL)
    _, errors = process.communicate(timeout=600)
    assert have_ended(family), "a process is left"
    assert "Traceback" not in errors, errors
    if process.returncode == 0:
        return None
    expected = -signal.SIGKILL if name == "converter" else 3
    assert process.returncode == expected, f"exit {process.returncode}: {errors}"
    return Kill(name, after, safe_in(work, spec))


class Pairs:
    """The formats, each with its store, and how long it takes to write."""

    def __init__(self, place: Path, count: int, seed: int) -> None:
        self.place, self.count, self.order = place, count, random.Random(seed)
        self.tally: collections.Counter[str] = collections.Counter()
        self.stores: dict[str, Path] = {}
        self.sums: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self.print = ""

    def write(self, number: int, spec: str) -> None:
        """Write the synthetic set into a format."""
        store, began = self.place / f"from-{number}", time.monotonic()
        self.print, _, _ = through(f"synthetic,size=32,count={self.count}", spec, str(store))
        self.stores[spec], self.seconds[spec] = store, time.monotonic() - began
        self.sums[spec] = held(store)
        assert len(set(self.sums.values())) == 1, f"{spec} does not hold what the others hold: {self.sums[spec]}"
        print(f"{spec}: {self.count:,} images written in {self.seconds[spec]:.1f} s", flush=True)

    def pair(self, source: str, spec: str) -> str:
        """Convert one format to another, with a kill; return what happened.

        Raises:
            AssertionError: If it is not as it must be.
        """
        out = self.place / "out"
        work = out.with_name("out.converting")
        words = [f'store:"{self.stores[source]}"', spec, str(out)]
        before, there = sum_of_store(self.stores[source]), set(self.place.iterdir())
        longest, kill = self.seconds[spec], None
        for _ in range(MOST_TRIES):
            kill = kill_one(words, work, spec, self.order, longest)
            if kill is not None and not out.exists():
                break
            kill = None  # it was through, or as good as
            assert held(out) == self.sums[source], "a store that was finished is not whole"
            again = convert(*words)
            assert "exists already" in again.communicate()[1], "a store that was finished is not known to be so"
            remove(out)
            longest *= 0.7
        assert kill is not None, "it could not be killed in time"
        began = time.monotonic()
        print_, result, resumed = through(*words)
        took = time.monotonic() - began
        assert print_ == self.print, "the fingerprint is another"
        assert held(out) == self.sums[source], "the store does not hold what the source holds"
        assert resumed >= kill.safe, f"{kill.safe:,} were safe, {resumed:,} were gone on with: {result}"
        remove(out)
        assert sum_of_store(self.stores[source]) == before, "the source has changed"
        assert set(self.place.iterdir()) == there, f"left: {set(self.place.iterdir()) - there}"
        self.tally[f"kills of the {kill.name}"] += 1
        self.tally["gone on with" if resumed else "killed before anything was safe, begun anew"] += 1
        progress = f"{resumed:,} gone on with" if resumed else "nothing safe yet, begun anew"
        return f"{kill.name} killed after {kill.after_s:4.1f} s, {progress}, through in {took:.1f} s, all equal"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), metavar="SPEC")
    parser.add_argument("--only", nargs="+", metavar="SPEC", help="pairs to or from these alone")
    words = parser.parse_args()
    failures: list[str] = []
    done, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="imgstore-pairs-") as name:
        place = Path(name)
        strays = place / "tmp"
        strays.mkdir()
        os.environ |= {"IMGSTORE_TUI_HOME": str(place / "home"), "TMPDIR": str(strays)}
        pairs = Pairs(place, words.count, words.seed)
        for number, spec in enumerate(words.formats):
            pairs.write(number, spec)
        for source in words.formats:
            for spec in words.formats:
                if source == spec or (words.only and not {source, spec} & set(words.only)):
                    continue
                done += 1
                try:
                    result = pairs.pair(source, spec)
                except (AssertionError, OSError, subprocess.SubprocessError) as error:
                    result = f"FAILED: {str(error)[-2000:]}"
                    failures.append(f"{source} -> {spec}")
                    for left in (place / "out", place / "out.converting"):
                        shutil.rmtree(left, ignore_errors=True)
                print(f"{source:>14} -> {spec:14} {result}", flush=True)
        assert not list(strays.iterdir()), f"left: {list(strays.iterdir())}"
    for what, count in sorted(pairs.tally.items()):
        print(f"{count:5}  {what}")
    print(
        f"{done} pairs of {words.count:,} images in {time.monotonic() - began:.0f} s: "
        + (f"{len(failures)} FAILURES: {', '.join(failures)}" if failures else "0 differ, nothing is left behind")
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
