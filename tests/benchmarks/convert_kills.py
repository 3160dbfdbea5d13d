"""Kills conversions at random moments: ``python -m tests.benchmarks.convert_kills [SPEC ...] [--count 20] [--seed 0]``.

A conversion to each format that is one file is hit by KILL while it works; every other one replaces a store. After a
hit the destination is absent, or the store of before, or whole: the library of the format alone opens it, and every
image and label is compared. The same conversion is then run to its end. What lies beside stays as it was.

Everything is done in forked children of a process that has loaded no driver: to start Python takes longer.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.content import PayloadKind
from imgstore_tui.jobs.convert import plan_conversion
from imgstore_tui.plugins import registry

DATA = "synthetic,size=32,count=1500"
OLD = "synthetic,size=32,count=100"

Labels = list[int]


def by_h5py(path: Path) -> Labels:
    import h5py

    with h5py.File(path, "r") as file:
        return [int(label) for label in file["labels"][:]]


def by_sqlite3(path: Path) -> Labels:
    import sqlite3

    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    labels = [label for (label,) in connection.execute("SELECT label FROM images ORDER BY id")]
    connection.close()
    return labels


def by_duckdb(path: Path) -> Labels:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        return [label for (label,) in connection.execute("SELECT label FROM images ORDER BY id").fetchall()]


def by_parquet(path: Path) -> Labels:
    import pyarrow.parquet as pq

    labels: Labels = pq.read_table(path)["label"].to_pylist()
    return labels


def by_arrow(path: Path) -> Labels:
    import pyarrow as pa

    labels: Labels = pa.ipc.open_file(str(path)).read_all()["label"].to_pylist()
    return labels


def by_safetensors(path: Path) -> Labels:
    from safetensors.numpy import load_file

    return [int(label) for label in load_file(path)["labels"]]


READERS: dict[str, Callable[[Path], Labels]] = {
    "hdf5": by_h5py,
    "hdf5:chunks=64": by_h5py,
    "sqlite": by_sqlite3,
    "duckdb": by_duckdb,
    "parquet": by_parquet,
    "arrow": by_arrow,
    "safetensors": by_safetensors,
    "safetensors:access=direct": by_safetensors,
}


def images_of(text: str) -> tuple[bytes, Labels]:
    """Return the pixels of all images of a dataset, and the labels."""
    dataset = registry.make_dataset(text)
    dataset.scan()
    numbers = range(len(dataset))
    return b"".join(dataset.image(n).tobytes() for n in numbers), [int(dataset.label(n)) for n in numbers]


def images_in(path: Path, codec: Codec) -> tuple[bytes, Labels]:
    """Return the pixels of all images of a store, and the labels, as its backend reads them."""
    with registry.open_store(path)[1] as reader:
        content, labels = reader.content, np.zeros(reader.content.count, np.int64)
        if content.kind is PayloadKind.ARRAY:
            images: Any = np.zeros((content.count, *(content.shape or ())), content.dtype)
            reader.read_array(range(content.count), images, labels)
            return images.tobytes(), labels.tolist()
        payloads = reader.read_bytes(range(content.count), labels)
        return b"".join(codec.decode(payload).tobytes() for payload in payloads), labels.tolist()


def in_child(work: Callable[[], str]) -> tuple[int, int]:
    """Do something in a forked child; return its process id, and a pipe with what it says at its end."""
    out, into = os.pipe()
    child = os.fork()
    if child:
        os.close(into)
        return child, out
    os.close(out)
    try:
        answer = work()
    except BaseException as error:
        answer = f"{type(error).__name__}: {error}"
    os.write(into, answer.encode()[:4000])
    os._exit(0)


def answer_of(child: int, out: int) -> str:
    """Wait for the end of a child; return what it has said, nothing if it was killed."""
    with os.fdopen(out, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return answer


class Kills:
    """Hits the conversions to one format."""

    def __init__(self, spec: str, folder: Path, dice: random.Random) -> None:
        self.spec, self.folder, self.dice = spec, folder, dice
        kind: Any = registry.backends.get(spec.partition(":")[0])
        self.path = folder / f"photos{kind.file_suffix}"
        self.work = self.path.with_name(f"{self.path.name}.converting")
        self.data, self.old = images_of(DATA), images_of(OLD)
        self.neighbours = {folder / name: name for name in ("photos", "photos.txt", f"{self.path.name}2", "other.old")}
        for path, text in self.neighbours.items():
            path.write_text(text)
        self.codec = registry.make_codec(registry.resolve_spec(spec))
        child = self.begin(DATA)
        started = time.monotonic()
        assert answer_of(*child) == "done"
        self.seconds = time.monotonic() - started
        assert self.state(self.path) == "whole"
        self.path.unlink()

    def begin(self, text: str, *, replace: bool = False) -> tuple[int, int]:
        """Start a conversion, and wait until it works."""

        def convert() -> str:
            job = plan_conversion(text, self.spec, self.path, count=None, replace=replace, restart=False)
            job.run(lambda doing, done, total: None)
            return "done"

        child, out = in_child(convert)
        deadline = time.monotonic() + 60
        while not self.work.exists() and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return child, out

    def state(self, path: Path) -> str:
        """Return what is at a path: nothing, the store of before, or the whole store; anything else is a failure."""
        if not os.path.lexists(path):
            return "absent"
        assert path.is_file(), f"{path} is no file"

        def look() -> str:
            labels = READERS[self.spec](path)
            for name, expected in {"whole": self.data, "old": self.old}.items():
                if labels == expected[1]:
                    assert images_in(path, self.codec) == expected, f"{path} has other images"
                    return name
            return f"{path} has {len(labels)} labels"

        state = answer_of(*in_child(look))
        assert state in ("whole", "old"), state
        return state

    def hit(self, *, replace: bool) -> str:
        """Hit a conversion, look, and run it to its end."""
        if replace:
            assert answer_of(*self.begin(OLD)) == "done"
        child, out = self.begin(DATA, replace=replace)
        time.sleep(self.dice.uniform(0, self.seconds))
        ended = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        self.seconds *= 0.9 if ended else 1.02  # how busy the machine is changes
        os.kill(child, signal.SIGKILL)
        answer_of(child, out)
        state = self.state(self.path)
        if replace and state == "absent":
            aside = self.path.with_name(f"{self.path.name}.old")
            assert self.state(aside) == "old", "the store of before is gone"
        assert state != "old" or replace
        if state != "whole" or self.work.exists():
            answer = answer_of(*self.begin(DATA, replace=replace))
            assert answer == "done" or (state == "whole" and "exists already" in answer), answer
        assert self.state(self.path) == "whole"
        self.path.unlink()
        left = sorted(set(self.folder.iterdir()) - set(self.neighbours))
        assert not left, f"{left} is left"
        assert {path: path.read_text() for path in self.neighbours} == self.neighbours
        return f"{state} after {'its end' if ended else 'a kill'}"


def main() -> int:
    """Hit each format, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("specs", nargs="*", default=list(READERS))
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    failures = 0
    for spec in words.specs:
        hits: collections.Counter[str] = collections.Counter()
        with tempfile.TemporaryDirectory(prefix="convert-kills-") as folder:
            kills = Kills(spec, Path(folder), random.Random(f"{words.seed} {spec}"))
            for number in range(words.count):
                try:
                    hits[kills.hit(replace=bool(number % 2))] += 1
                except (AssertionError, OSError) as error:
                    failures += 1
                    print(f"{spec}: FAILED at {number}: {error}", flush=True)
                    break
        print(f"{spec}: {', '.join(f'{count} {what}' for what, count in sorted(hits.items()))}", flush=True)
    print(f"{failures} failures")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
