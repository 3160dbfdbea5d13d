"""Layouts of other programs by the hundred: ``python -m tests.benchmarks.fuzz_foreign [FORMAT ...] [--count 300]``.

Each format has properties: type, name, order, nesting, compression, count. First one property at a time is not the
usual, then half of them are drawn anew, ``--count`` times a format. What is read must be what the reader of the
ecosystem gives, image by image and label by label (h5py, NumPy, zarr, pyarrow, lmdb, webdataset, zipfile, csv;
TensorFlow where it is installed); all else must be refused in a sentence, or its labels be said not to be read. As
usual, each format must be read. The last lines count.
"""

from __future__ import annotations

import argparse
import collections
import importlib.util
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.content import RAW_CODEC, PayloadKind
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.images import raw
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.foreign import open_foreign
from imgstore_tui.testing.store_material import is_sentence
from tests.benchmarks.foreign_layouts import archives, arrays, records, tables
from tests.benchmarks.foreign_layouts.layout import Contents, Layout, Settings

LAYOUTS = {layout.name: layout for layout in (*arrays.LAYOUTS, *tables.LAYOUTS, *records.LAYOUTS, *archives.LAYOUTS)}


_WITH_REASON = ("refused", "without labels")
"""What may become of what is not usual, if a sentence says so."""


def read_file(path: Path) -> tuple[Contents, str]:
    """Return what this program reads of a file or a folder of another program, and what it says of the labels.

    Raises:
        ImgstoreError: If it is refused.
    """
    opened = open_foreign(path)
    if opened is None:
        raise AssertionError("no backend claims it")
    with opened.reader as reader:
        content, labels = reader.content, np.zeros(opened.reader.content.count, np.int64)
        if content.kind is PayloadKind.ARRAY:
            out = np.zeros((content.count, *(content.shape or ())), content.dtype)
            reader.read_array(range(content.count), out, labels)
            images: list[Any] = list(out)
        else:
            images = list(reader.read_bytes(range(content.count), labels))
            images = [raw.unpack(image) for image in images] if content.codec == RAW_CODEC else images
        numbers = reader.read_labels().tolist()
        if content.has_labels and labels.tolist() != numbers:
            raise AssertionError(f"labels with images {labels.tolist()}, alone {numbers}")
        return Contents(images, numbers if content.has_labels else None), reader.label_note


def read_folder(path: Path) -> tuple[Contents, str]:
    """Return the same of a folder with a table of labels, in the order of the names of files."""
    dataset = registry.make_dataset(f'folder:"{path}",labels=labels.csv')
    dataset.scan()
    order = dataset.original_order() or range(len(dataset))
    numbers = [dataset.label(index) for index in order]
    contents = Contents([dataset.original(index) for index in order], numbers if dataset.has_labels else None)
    return contents, dataset.label_note


def outcome(layout: Layout, path: Path, settings: Settings) -> str:
    """Write and read a layout; return ``equal``, ``refused: ...``, ``without labels: ...``, or what is wrong."""
    layout.write(path, settings)
    expected = layout.read(path, settings)
    try:
        got, note = (read_folder if layout.folder_dataset else read_file)(path)
    except ImgstoreError as error:
        return f"refused: {error}" if is_sentence(str(error)) else f"no sentence: {error}"
    except AssertionError as error:
        return str(error)
    if len(got.images) != len(expected.images):
        return f"{len(got.images)} images instead of {len(expected.images)}"
    if not all(map(_equal, got.images, expected.images)):
        return "other images"
    if got.labels is None and expected.labels is not None and note:
        return f"without labels: {note}"
    if got.labels != expected.labels:
        return f"labels {got.labels} instead of {expected.labels}"
    return "equal"


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bytes) or isinstance(other, bytes):
        return bool(one == other)
    # A grey picture with an axis of one channel is the same without.
    one, other = np.squeeze(one), np.squeeze(other)
    return one.dtype.newbyteorder("=") == other.dtype.newbyteorder("=") and np.array_equal(one, other)


def cases(layout: Layout, count: int, seed: int) -> Iterator[tuple[str, Settings]]:
    """Yield settings with one property that is not the usual, then drawn ones."""
    yield from layout.one_by_one()
    for number in range(count):
        order = random.Random(f"{seed} {layout.name} {number}")
        yield (
            f"drawn {number}",
            {
                name: order.choice(values) if order.random() < 0.5 else values[0]
                for name, values in layout.properties.items()
            },
        )


def run(layout: Layout, count: int, seed: int, *, verbose: bool) -> collections.Counter[str]:
    """Try a format; print what is wrong, and a line that counts."""
    tally: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, settings) in enumerate(cases(layout, count, seed)):
            path = Path(folder) / str(number) / layout.name
            path.parent.mkdir()
            result = outcome(layout, path, settings)
            kind = result.partition(":")[0]
            if kind != "equal" and (kind not in _WITH_REASON or name == "as usual"):
                kind = "wrong"
            tally[kind] += 1
            if kind == "wrong" or (verbose and kind != "equal"):
                shown = f" {settings}" if name.startswith("drawn") else ""
                print(f"{layout.name} {name}: {result.replace(folder, '')}{shown}", flush=True)
            shutil.rmtree(path.parent)
    print(f"{layout.name}: {tally.total()} layouts: {_counted(tally)}", flush=True)
    return tally


def _counted(tally: collections.Counter[str]) -> str:
    counts = ", ".join(f"{tally[kind]} {kind}" for kind in _WITH_REASON)
    return f"{tally['equal']} equal, {counts}, {tally['wrong']} wrong"


def main() -> int:
    """Try layouts, and count what becomes of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("formats", nargs="*", metavar="FORMAT", help=", ".join(LAYOUTS))
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="print what is refused, too")
    arguments = parser.parse_args()
    total: collections.Counter[str] = collections.Counter()
    for layout in LAYOUTS.values():
        if arguments.formats and layout.name not in arguments.formats:
            continue
        if layout.requires and importlib.util.find_spec(layout.requires) is None:
            print(f"{layout.name}: left out, {layout.requires} is not installed")
            continue
        total += run(layout, arguments.count, arguments.seed, verbose=arguments.verbose)
    print(f"{total.total()} layouts: {_counted(total)}")
    return 1 if total["wrong"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
