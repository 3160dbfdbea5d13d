"""CIFAR archives in their true layouts, with synthetic pixels: what the program meets where the real ones lie.

``python2_batch`` writes byte for byte the opcodes of the published files, which Python 3 cannot; the rest is written
by the pickle of today, which is what others' tools leave behind.
"""

from __future__ import annotations

import pickle
import struct
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imgstore_tui.datasets.cifar.layout import CIFAR10, CIFAR100, CifarLayout
from imgstore_tui.datasets.synthetic.recipe import Recipe


@dataclass
class Made:
    """What a fixture holds, in the order of its files."""

    pixels: NDArray[np.uint8]
    """(n, 32, 32, 3)."""
    labels: dict[str, list[int]]
    """By the key of the python files."""
    split: list[str]
    """Of each image."""


def planes(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return images (n, 32, 32, 3) as CIFAR stores them (n, 3072)."""
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).reshape(len(pixels), -1)


def _short(text: str) -> bytes:
    return b"U" + bytes([len(text)]) + text.encode()


def _list(items: Sequence[bytes]) -> bytes:
    groups = (items[start : start + 1000] for start in range(0, len(items), 1000))
    return b"]" + b"".join(b"(" + b"".join(group) + b"e" for group in groups)


def python2_batch(
    data: NDArray[np.uint8], labels: dict[str, list[int]], names: Sequence[str], title: str = "testing batch 1 of 1"
) -> bytes:
    """Return a batch as Python 2 and numpy 1 wrote it: protocol 2, pixels in one BINSTRING."""
    rows, columns = data.shape
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08K\x00\x85U\x01b\x87Rq\t"
        b"(K\x01" + b"J" + struct.pack("<i", rows) + b"M" + struct.pack("<H", columns) + b"\x86"
        b"cnumpy\ndtype\nq\nU\x02u1K\x00K\x01\x87Rq\x0b(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T" + struct.pack("<i", data.nbytes) + data.tobytes() + b"tb"
    )
    memo = 20
    spelled = []
    for name in names:
        put = b"q" + bytes([memo]) if memo < 256 else b"r" + struct.pack("<I", memo)
        spelled.append(_short(name) + put)
        memo += 1
    lists = b"".join(
        _short(key) + _list([b"K" + bytes([label]) for label in numbers]) for key, numbers in labels.items()
    )
    head = b"\x80\x02}q\x01(" + _short("batch_label") + b"q\x02" + _short(title) + b"q\x03"
    return head + lists + _short("data") + b"q\x06" + array + _short("filenames") + _list(spelled) + b"u."


def python3_batch(
    data: NDArray[np.uint8], labels: dict[str, list[int]], names: Sequence[str], protocol: int, *, text: bool = False
) -> bytes:
    """Return a batch as today's Python writes it, with keys as bytes (as read from the originals) or text."""
    values: dict[str, object] = {"batch_label": b"b", **labels, "data": data, "filenames": [n.encode() for n in names]}
    return pickle.dumps(values if text else {key.encode(): value for key, value in values.items()}, protocol)


def python_meta(layout: CifarLayout) -> bytes:
    """Return the python file of names."""
    names = {kind.names_key: [name.encode() for name in kind.names] for kind in layout.labels}
    return pickle.dumps({b"num_vis": 3072, **{key.encode(): value for key, value in names.items()}}, 2)


def binary_batch(layout: CifarLayout, data: NDArray[np.uint8], labels: dict[str, list[int]]) -> bytes:
    """Return a batch of the binary archive."""
    columns = [np.array(labels[kind.key], np.uint8)[:, None] for kind in layout.labels]
    return np.hstack([*columns, data]).tobytes()


def write_cifar(folder: Path, layout: CifarLayout, kind: str = "python2", images: int = 20, *, seed: int = 0) -> Made:
    """Write all files of CIFAR-10 or CIFAR-100.

    Args:
        folder: Folder to make.
        layout: Which of the two.
        kind: ``python2``, ``binary``, or ``python3:PROTOCOL``.
        images: Images a file (the real ones have 10,000; CIFAR-100's training file 50,000).
        seed: Of the pixels.

    Returns:
        What was written.
    """
    folder.mkdir(parents=True)
    recipe = Recipe(32, 32, 3, seed)
    every: list[NDArray[np.uint8]] = []
    collected: dict[str, list[int]] = {label.key: [] for label in layout.labels}
    split: list[str] = []
    for number, part in enumerate(layout.parts):
        pixels = recipe.images(number * images, images)
        labels = {
            label.key: [(number + index * 7) % len(label.names) for index in range(images)] for label in layout.labels
        }
        names = [f"{part.split}_image_s_{index:06}.png" for index in range(images)]
        if kind == "binary":
            (folder / part.binary_name).write_bytes(binary_batch(layout, planes(pixels), labels))
        elif kind == "python2":
            (folder / part.name).write_bytes(python2_batch(planes(pixels), labels, names))
        else:
            protocol = int(kind.partition(":")[2])
            (folder / part.name).write_bytes(python3_batch(planes(pixels), labels, names, protocol))
        every.append(pixels)
        split += [part.split] * images
        for key, numbers in labels.items():
            collected[key] += numbers
    if kind == "binary":
        for label in layout.labels:
            (folder / label.names_file).write_text("\n".join(label.names) + "\n\n")
    else:
        (folder / layout.meta).write_bytes(python_meta(layout))
    return Made(np.concatenate(every), collected, split)


def pack(folder: Path, archive: Path) -> Path:
    """Pack a folder as the published archives are; the order of the files is as odd as theirs."""
    plain = archive.suffix == ".tar"
    with tarfile.open(archive, "w") if plain else tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(folder, folder.name, recursive=False)
        for path in sorted(folder.iterdir(), reverse=True):
            tar.add(path, f"{folder.name}/{path.name}")
    return archive


LAYOUTS = {"cifar10": CIFAR10, "cifar100": CIFAR100}
