"""Reading HDF5 in order, over and over in one process: ``python -m tests.benchmarks.best_of_five``.

``speed`` times the first pass of a process, in which both sides wait for memory. Here each side reads its store five
times, and the best and the median of both are compared; the reference is ``reference.py``, one worker, all in memory.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from imgstore_tui.core.content import Content, PayloadKind
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from tests.benchmarks import reference

TIMES = 5


def passes(read: Callable[[], object]) -> list[float]:
    """Return the seconds of each pass."""
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        found = read()
        taken.append(time.perf_counter() - began)
        del found  # letting go of it is not reading
    return taken


def compare(folder: Path, side: int, count: int, batch: int) -> None:
    """Store noise on both sides, read it, and print one line."""
    images = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
    labels = np.arange(count) % 10
    runs = [range(start, min(start + batch, count)) for start in range(0, count, batch)]
    backend = registry.make_backend(registry.resolve_spec("hdf5"))
    content = Content(count, PayloadKind.ARRAY, "raw", images.shape[1:], "uint8", images.nbytes)
    with backend.create(folder / "ours", content, SyncLevel.BUFFERED) as writer:
        for ids in runs:
            writer.put_array(ids, images[ids.start : ids.stop], labels[ids.start : ids.stop])
    reference.write_hdf5(folder / "theirs", images, labels, False)
    out, found = np.ones((batch, side, side, 3), np.uint8), np.zeros(batch, np.int64)

    def ours() -> None:
        with backend.open(folder / "ours") as reader:
            for ids in runs:
                reader.read_array(ids, out[: len(ids)], found[: len(ids)])

    mine, other = passes(ours), passes(lambda: reference.read_hdf5(folder / "theirs", range(count)))
    for name, of in (("best", min), ("median", statistics.median)):
        theirs_ms, ours_ms = of(other) * 1000, of(mine) * 1000
        print(
            f"{count:6,} x {side}x{side}x3  {name:6}  reference {theirs_ms:7.2f} ms  ours {ours_ms:6.2f} ms  "
            f"{theirs_ms / ours_ms:.2f}x"
        )


def main() -> None:
    gc.disable()
    for side, count, batch in ((32, 10_000, 256), (512, 200, 21)):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
            compare(Path(name), side, count, batch)


if __name__ == "__main__":
    main()
