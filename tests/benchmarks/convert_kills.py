"""Kills conversions at random moments: ``python -m tests.benchmarks.convert_kills [SPEC ...] [--count 20] [--seed 0]``.

A conversion to each format that is one file is hit by KILL while it works; every other one replaces a store. After a
hit the destination is absent, or the store of before, or whole: the library of the format alone opens it, and every
image and label is compared. The same command is then run to its end. What lies beside stays as it was.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.plugins import registry

DATA = "synthetic,size=32,count=4000"
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
}


def images_of(text: str) -> tuple[list[bytes], Labels]:
    """Return the pixels and labels of a dataset."""
    dataset = registry.make_dataset(text)
    dataset.scan()
    numbers = range(len(dataset))
    return [np.asarray(dataset.image(n)).tobytes() for n in numbers], [int(dataset.label(n)) for n in numbers]


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
        began = self.begin(DATA)
        started = time.monotonic()
        assert began.wait(300) == 0
        self.seconds = time.monotonic() - started
        assert self.state(self.path) == "whole"
        self.path.unlink()

    def begin(self, text: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a conversion, and wait until it works."""
        command = [sys.executable, "-m", "imgstore_tui", "convert", text, self.spec, self.path.name, *words]
        process = subprocess.Popen(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        while process.poll() is None and not self.work.exists():
            time.sleep(0.002)
        return process

    def state(self, path: Path) -> str:
        """Return what is at a path: nothing, the store of before, or the whole store; anything else is a failure."""
        if not os.path.lexists(path):
            return "absent"
        assert path.is_file(), f"{path} is no file"
        labels = READERS[self.spec](path)
        for name, (images, expected) in {"whole": self.data, "old": self.old}.items():
            if labels == expected:
                assert images_of(f'store:"{path}"') == (images, expected), f"{path} has other images"
                return name
        raise AssertionError(f"{path} has {len(labels)} labels")

    def hit(self, *, replace: bool) -> str:
        """Hit a conversion, look, and run it to its end."""
        words = ["--replace"] if replace else []
        if replace:
            assert self.begin(OLD).wait(300) == 0
        process = self.begin(DATA, *words)
        time.sleep(self.dice.uniform(0, self.seconds))
        ended = process.poll() is not None
        self.seconds *= 0.9 if ended else 1.02  # how busy the machine is changes
        process.send_signal(signal.SIGKILL)
        process.communicate()
        found = self.state(self.path)
        if replace and found == "absent":
            aside = self.path.with_name(f"{self.path.name}.old")
            assert self.state(aside) == "old", "the store of before is gone"
        assert found != "old" or replace
        if found != "whole" or self.work.exists():
            again = self.begin(DATA, *words)
            _, errors = again.communicate(timeout=300)
            assert again.returncode == 0 or (found == "whole" and b"exists already" in errors), errors.decode()
        assert self.state(self.path) == "whole"
        self.path.unlink()
        left = sorted(set(self.folder.iterdir()) - set(self.neighbours))
        assert not left, f"{left} is left"
        assert {path: path.read_text() for path in self.neighbours} == self.neighbours
        return f"{found} after {'its end' if ended else 'a kill'}"


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
