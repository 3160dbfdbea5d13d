"""Reads a store as a program does, with ``imgstore_tui.open``, and delivers what the tutorial's readers deliver.

Run as ``python -m tests.benchmarks.open_reads CASE``, a JSON object: ``operation`` (``all``: every image and label
returned, in ``lists`` or as two arrays; read-many, read-random and get-one as in ``first_loop.py``), ``lists``,
``access`` (an option of the backend, or null), ``dummy`` (a store of one image, on which everything is used once off
the clock), ``batch``, ``passes``, ``count``, ``seed``, ``store`` and ``source``.
Printed are the seconds of every pass or call.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import imgstore_tui
from tests.benchmarks.first_loop import Batch, GetBatch, measure
from tests.benchmarks.passes import timed_passes


def read_all(location: Path, access: str | None, *, lists: bool) -> tuple[Any, Any]:
    """Return all images and all labels: two arrays, or two lists as the article's readers return them."""
    with imgstore_tui.open(location, access=access) as store:
        images, labels = store[:], store.labels
        assert labels is not None
        return (list(images), labels.tolist()) if lists else (images, labels)


@contextmanager
def open_batches(location: Path, access: str | None) -> Iterator[GetBatch]:
    """Open a store; an image is asked for by its number, several by a list or a slice."""
    with imgstore_tui.open(location, access=access) as store:
        labels = store.labels
        assert labels is not None

        def get(ids: Sequence[int]) -> Batch:
            if len(ids) == 1:
                return [store[ids[0]]], [int(labels[ids[0]])]
            chosen = slice(ids.start, ids.stop) if isinstance(ids, range) else ids
            return store[chosen], labels[chosen]

        yield get


def main() -> None:
    case = json.loads(sys.argv[1])
    store, source, count, access = Path(case["store"]), Path(case["source"]), case["count"], case["access"]
    images, labels = np.load(source / "pixels.npy", mmap_mode="r")[:count], np.load(source / "labels.npy")[:count]
    dummy = Path(case["dummy"])
    read_all(dummy, access, lists=True)
    with open_batches(dummy, access) as get:
        get([0])
    gc.collect()
    gc.disable()
    if case["operation"] == "all":

        def check(result: tuple[Any, Any]) -> None:
            assert len(result[0]) == len(result[1]) == count
            assert all((image == own).all() for image, own in zip(result[0], images, strict=True))
            assert list(result[1]) == labels.tolist()

        seconds = timed_passes(lambda: read_all(store, access, lists=case["lists"]), check, case["passes"])
    else:
        seconds = measure(case, lambda: open_batches(store, access), images, labels)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
