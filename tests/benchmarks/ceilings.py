"""Do ceilings agree with bare measurements? ``python -m tests.benchmarks.ceilings [--repeats 15] [--folder DIR]``.

For each ceiling, pairs of one trial by the instrument and one bare measurement that uses nothing of the package: ``dd``
with pieces of 1 MiB for files that are read (cold after ``oflag=nocache``), a loop of write(2) for those that are
written, of numpy for the copy, of Pillow for PNG.
Both sides have the same bytes on the same file system; the order within a pair alternates. Printed is the median of the
ratios instrument / bare of the rates, with its 95 % interval, and that of the best rates, which a busy machine
disturbs least: *agrees* if the median lies within 10 % of 1, *differs*
if all of the interval lies outside, else *undecided*. The exit code is 1 if a ceiling differs, else 3 if one is
undecided, else 0.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.bench.trial.ceiling import LEAST_FILE_BYTES, MOST_FILE_BYTES
from imgstore_tui.core.ceiling import CeilingKind
from imgstore_tui.core.operations import CacheState, SyncLevel
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.stats.ratios import paired_ratio
from tests.benchmarks.markdown import row_of, table_head
from tests.benchmarks.pixels import make_pixels

WITHIN = 0.1
SIDE, IMAGES = 256, 400
PIXELS = SIDE * SIDE * 3
FILE_BYTES = min(MOST_FILE_BYTES, max(LEAST_FILE_BYTES, IMAGES * PIXELS))
PIECE = 1 << 20
LIMIT_S = 120.0
EXIT_CODES = {"agrees": 0, "undecided": 3, "differs": 1}
_SECONDS = re.compile(r"copied, ([0-9.e-]+) s")

Bare = Callable[[Path], float]
"""Returns bytes per second of a bare measurement; takes a folder on the file system of the stores."""


def dd(*words: str) -> float:
    """Run dd in the C locale and return the bytes per second that it says."""
    done = subprocess.run(
        ["dd", "bs=1M", *words], env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    match = _SECONDS.search(done.stderr.decode())
    assert match, done.stderr
    return FILE_BYTES / float(match[1])


def write(folder: Path, *, forced: bool) -> float:
    """Write the material from memory by write(2), and remove it: dd would read it on the clock, too."""
    material, file = memoryview((folder / "material").read_bytes()), folder / "bare"  # whose pieces are no copies
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        began = time.perf_counter()
        for start in range(0, FILE_BYTES, PIECE):
            os.write(descriptor, material[start : start + PIECE])
        if forced:
            os.fsync(descriptor)
        seconds = time.perf_counter() - began
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
        file.unlink()
    return FILE_BYTES / seconds


def dd_read(folder: Path, *, cold: bool) -> float:
    """Read the material by dd, from memory or from the device."""
    source = folder / "material"
    if cold:
        subprocess.run(
            ["dd", f"of={source}", "oflag=nocache", "conv=notrunc,fdatasync", "count=0"],
            capture_output=True,
            check=True,
        )
    else:
        dd(f"if={source}", "of=/dev/null")
    rates = sorted(dd(f"if={source}", "of=/dev/null") for _ in range(1 if cold else 3))
    return rates[len(rates) // 2]


def copy(folder: Path) -> float:
    """Copy the material from memory into a buffer of one batch, the median of five times."""
    # NumPy asks for huge pages for memory of its own; bytes that Python read lie in small ones, and copy slower.
    source = np.fromfile(folder / "material", np.uint8)
    batch = min(256, (16 << 20) // PIXELS) * PIXELS
    buffer = np.ones(batch, np.uint8)
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        for start in range(0, len(source), batch):
            piece = source[start : start + batch]
            buffer[: len(piece)] = piece
        seconds.append(time.perf_counter() - began)
    return FILE_BYTES / sorted(seconds)[2]


def png(folder: Path, *, decodes: bool) -> float:
    """Encode images by Pillow, or decode them, for a while."""
    material = np.frombuffer((folder / "material").read_bytes(), np.uint8)
    images = material[: 40 * PIXELS].reshape(40, SIDE, SIDE, 3)
    encoded = [_encoded(image) for image in images[: 40 if decodes else 1]]
    out = np.ones((SIDE, SIDE, 3), np.uint8)
    began = time.perf_counter()
    if decodes:
        for data in encoded:
            out[...] = np.asarray(Image.open(io.BytesIO(data)))
    else:
        for image in images:
            _encoded(image)
    return len(images) * PIXELS / (time.perf_counter() - began)


def _encoded(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "png", compress_level=1, compress_type=3)
    return stream.getvalue()


BUFFERED, END = SyncLevel.BUFFERED, SyncLevel.END
CASES: dict[str, tuple[TrialRequest, Bare]] = {
    name: (TrialRequest(Step.CEILING, IN_PLACE, cutoff=IMAGES, ceiling=kind, cache=cache, sync=sync), bare)
    for name, kind, cache, sync, bare in (
        ("copy", CeilingKind.COPY, None, BUFFERED, copy),
        ("file read, hot", CeilingKind.FILE_READ, CacheState.HOT, BUFFERED, lambda at: dd_read(at, cold=False)),
        ("file read, cold", CeilingKind.FILE_READ, CacheState.COLD, BUFFERED, lambda at: dd_read(at, cold=True)),
        ("file write, buffered", CeilingKind.FILE_WRITE, None, BUFFERED, lambda at: write(at, forced=False)),
        ("file write, end", CeilingKind.FILE_WRITE, None, END, lambda at: write(at, forced=True)),
        ("encode PNG", CeilingKind.ENCODE, None, BUFFERED, lambda at: png(at, decodes=False)),
        ("decode PNG", CeilingKind.DECODE, None, BUFFERED, lambda at: png(at, decodes=True)),
    )
}


def main() -> int:
    """Print a line for each ceiling and return the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--folder", default=".")
    arguments = parser.parse_args()
    spec = resolve_spec("disk+png")
    verdicts = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        make_pixels(folder / "source", SIDE, IMAGES)
        (folder / "material").write_bytes((folder / "source" / "pixels.bin").read_bytes()[:FILE_BYTES])
        executor = ProcessExecutor((spec,))
        print(table_head(("ceiling", "instrument", "bare", "instrument / bare", "best / best", "")), flush=True)
        for title, (request, bare) in CASES.items():
            codec = spec if request.ceiling is not None and request.ceiling.is_codec else IN_PLACE
            own = replace(IN_PLACE, codec=codec.codec, codec_options=codec.codec_options)
            prepared = replace(
                request, spec=own, location=str(folder / "file"), pixel_cache=str(folder / "source"),
                workspace=str(folder),
            )  # fmt: skip
            verdicts.append(_compare(title, folder, executor, prepared, bare, arguments.repeats))
        executor.close()
    return EXIT_CODES[max(verdicts, key=lambda verdict: list(EXIT_CODES).index(verdict))]


def _compare(
    title: str, folder: Path, executor: ProcessExecutor, request: TrialRequest, bare: Bare, repeats: int
) -> str:
    def instrument(_: Path) -> float:
        outcome = executor.run(request, LIMIT_S, lambda _: None, threading.Event())
        if not outcome.ok or not outcome.result.pixel_bytes or not outcome.result.seconds:
            sys.exit(f"{title}: {outcome.reason}")
        return outcome.result.pixel_bytes / outcome.result.seconds

    rates: dict[str, dict[int, float]] = {"instrument": {}, "bare": {}}
    ways = {"instrument": instrument, "bare": bare}
    for number in range(-1, repeats):  # the first is not counted
        for name in list(ways)[:: 1 if number % 2 else -1]:
            rates[name][number] = ways[name](folder)
    counted = {name: {number: rate for number, rate in by.items() if number >= 0} for name, by in rates.items()}
    ratio = paired_ratio(counted["instrument"], counted["bare"])
    assert ratio is not None
    low, high = 1 - WITHIN, 1 + WITHIN
    verdict = (
        "agrees" if low <= ratio.median <= high else "differs" if ratio.low > high or ratio.high < low else "undecided"
    )
    middle = [f"{sorted(by.values())[len(by) // 2] / 2**20:,.0f} MiB/s" for by in counted.values()]
    best = max(counted["instrument"].values()) / max(counted["bare"].values())
    print(row_of((title, *middle, ratio, f"{best:.2f}", verdict)), flush=True)
    return verdict


if __name__ == "__main__":
    sys.exit(main())
