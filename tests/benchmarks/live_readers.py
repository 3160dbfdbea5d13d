"""The ecosystems' own readers against this program: ``python -m tests.benchmarks.live_readers [--only NAME]``.

Their stores are written by their own writers, and read by theirs and by this program; then a folder of pictures is
converted to each format, and their readers open what the user named, or the file that the command says to open. Images
and labels must agree one by one. What is not installed is left out and named; the exit code is 1 if anything differs.
Needs: ``pip install webdataset tensorflow-cpu datasets zarr safetensors duckdb``, tar and bsdtar (libarchive-tools).
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import pixels
from tests.benchmarks.foreign_layouts.layout import WORDS, Contents, labels_for
from tests.benchmarks.foreign_layouts.live_readers_back import readers, to_open_in
from tests.benchmarks.foreign_layouts.live_stores import COUNT, png, stores


def read_ours(text: str) -> Contents:
    """Return what this program reads of a dataset, in its original order."""
    dataset = registry.make_dataset(text)
    dataset.scan()
    order = dataset.original_order()
    order = range(len(dataset)) if order is None else order
    labels = [dataset.label(index) for index in order]
    return Contents([dataset.image(index) for index in order], labels if dataset.has_labels else None)


def compared(ours: Contents, theirs: Contents) -> str:
    """Return how two agree: empty if image by image and label by label."""
    if len(ours.images) != len(theirs.images):
        return f"{len(ours.images)} images here, {len(theirs.images)} there"
    for number, pair in enumerate(zip(ours.images, theirs.images, strict=True)):
        one, other = map(np.squeeze, pair)
        if one.dtype != other.dtype or not np.array_equal(one, other):
            return f"image {number} differs: {one.shape} {one.dtype} here, {other.shape} {other.dtype} there"
    if ours.labels != theirs.labels:
        return f"labels {ours.labels} here, {theirs.labels} there"
    return ""


def is_there(name: str) -> bool:
    """Whether a package or a command is installed."""
    return importlib.util.find_spec(name) is not None or shutil.which(name) is not None


def photos(folder: Path, *, uniform: bool) -> list[Any]:
    """Write a tree of class folders; return the images in the order of their names."""
    written = {}
    for number, label in enumerate(labels_for(COUNT)):
        image = pixels((8, 9, 3) if uniform else (8, 5 + number % 6, 3), number)
        name = f"{WORDS[label]}/{number:03}.png"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(image))
        written[name] = image, label
    return [written[name] for name in sorted(written)]


def read_back(folder: Path, spec: str, read: Any) -> str:
    """Convert a folder of pictures by the command, and compare what a reader gives of it."""
    uniform = spec in {"hdf5", "npy", "zarr", "safetensors"}
    expected = photos(folder / "photos", uniform=uniform)
    target = folder / "named"
    done = subprocess.run(
        [sys.executable, "-m", "imgstore_tui", "convert", f"folder:{folder / 'photos'}", spec, str(target),
         "--order", "original", "--json", "--quiet"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return f"convert ends with {done.returncode}: {done.stderr.strip()}"
    contents = Contents([image for image, _ in expected], [label for _, label in expected])
    return compared(contents, read(target, to_open_in(done.stdout)))


def main() -> int:
    """Compare all, and print a line for each and a line that counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="part of the name of what is compared")
    only = parser.parse_args().only
    equal, different, left_out = 0, 0, 0
    jobs: list[tuple[str, str, Any]] = [(f"written by {store.name}", store.requires, store) for store in stores()]
    jobs += [(f"{reader.spec} read by {reader.name}", reader.requires, reader) for reader in readers()]
    for name, requires, job in jobs:
        if only not in name:
            continue
        if not is_there(requires):
            left_out += 1
            print(f"{name}: left out, {requires} is not installed", flush=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                if hasattr(job, "make"):
                    text, theirs = job.make(Path(folder))
                    difference = compared(read_ours(text), theirs)
                    count = f"{len(theirs.images)} images and labels"
                else:
                    difference, count = read_back(Path(folder), job.spec, job.read), f"{COUNT} images and labels"
            except (ImgstoreError, KeyError, OSError, TypeError, ValueError) as error:
                difference = f"{type(error).__name__}: {error}"
        equal, different = equal + (not difference), different + bool(difference)
        print(f"{name}: {difference or f'{count} equal'}", flush=True)
    print(f"{equal} equal, {different} different, {left_out} left out")
    return 1 if different else 0


if __name__ == "__main__":
    raise SystemExit(main())
