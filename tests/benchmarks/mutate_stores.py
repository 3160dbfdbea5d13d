"""Damaged stores by the thousand: ``python -m tests.benchmarks.mutate_stores [--count 2000] [--seed 0]``.

For each method a store is copied, damaged (bytes flipped, zeroed, cut off, put in, files swapped or gone) and read back
by the instrument, in a child. Each must end in a sentence or in a read that equals the source; a child may die of what
a driver does with damaged bytes, but as one failed row that says so. Whatever happens, the supervisor goes on.
"""

from __future__ import annotations

import argparse
import collections
import random
import tempfile
import threading
import time
from pathlib import Path

from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.bench.trial.pixel_cache_writer import build_pixel_cache
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import copy_store, remove_store, walk

SPECS = (
    "disk",
    "lmdb",
    "lmdb+png",
    "hdf5",
    "hdf5+png",
    "hdf5:chunks=4,filter=gzip",
    "lmdb:preset=article",
    "hdf5:preset=article",
    "sqlite",
    "safetensors",
    "safetensors:access=direct",
)
IMAGES = 12
LIMIT_S = 10.0


def damage(store: Path, order: random.Random) -> None:
    """Damage one file of a store in one random way."""
    files = walk(store)
    path = order.choice(files)
    data = bytearray(path.read_bytes())
    kind = order.choice(("flip", "flip", "flip", "zero", "cut", "grow", "insert", "swap", "gone"))
    where = order.randrange(len(data)) if data else 0
    length = order.choice((1, 1, 8, 64, 4096))
    if kind == "gone":
        path.unlink()
        return
    if kind == "swap" and len(files) > 1:
        other = order.choice(files)
        one, two = path.read_bytes(), other.read_bytes()
        path.write_bytes(two)
        other.write_bytes(one)
        return
    match kind:
        case "flip":
            for offset in range(where, min(where + length, len(data))):
                data[offset] ^= order.randrange(1, 256)
        case "zero":
            data[where : where + length] = bytes(len(data[where : where + length]))
        case "cut":
            del data[where:]
        case "grow":
            data += order.randbytes(length)
        case _:
            data[where:where] = order.randbytes(length)
    path.write_bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000, help="mutations of each method")
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "source").mkdir()
        dataset = registry.make_dataset("synthetic,size=24")
        dataset.scan()
        build_pixel_cache(
            dataset, "synthetic", IMAGES, folder / "source", originals=False, progress=lambda done, total: None,
            cancel=threading.Event(),
        )  # fmt: skip
        for text in SPECS:
            mutate(text, words.count, random.Random(f"{words.seed}/{text}"), folder)


def mutate(text: str, count: int, order: random.Random, folder: Path) -> None:
    spec = registry.resolve_spec(text)
    executor = ProcessExecutor([spec])
    executor.begin_round()
    cancel = threading.Event()

    def run(step: Step, location: Path) -> tuple[bool, str]:
        request = TrialRequest(
            step, spec, Operation.READ_MANY, IMAGES, str(location), str(folder / "source"), str(folder)
        )
        outcome = executor.run(request, LIMIT_S, lambda images: None, cancel)
        return outcome.ok, outcome.reason or ""

    whole = folder / "whole"
    ok, reason = run(Step.PREPARE, whole)
    assert ok, reason
    tally: collections.Counter[str] = collections.Counter()
    began = time.monotonic()
    for _ in range(count):
        store = folder / "store"
        copy_store(whole, store)
        damage(store, order)
        ok, reason = run(Step.VERIFY, store)
        if ok:
            tally["read back right"] += 1
        elif reason.startswith("The process was killed by"):
            tally[f"child died, said so: {reason}"] += 1
        elif reason.startswith("Not done after"):
            tally["child hung, killed at its limit"] += 1
        else:
            sentence = reason[:1].isupper() or reason.startswith(str(store))
            assert sentence and "Traceback" not in reason and "\n" not in reason, reason  # noqa: PT018
            tally["refused in a sentence"] += 1
        remove_store(store)
    executor.close()
    remove_store(whole)
    counts = "; ".join(f"{number} {what}" for what, number in tally.most_common())
    print(f"{text:28} {count} mutations in {time.monotonic() - began:.0f} s: {counts}", flush=True)


if __name__ == "__main__":
    main()
