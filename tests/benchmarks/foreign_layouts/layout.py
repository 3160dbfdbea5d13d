"""Declares a foreign layout: its properties, how it is written, and what its ecosystem's reader gives of it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imgstore_tui.testing.store_material import pixels

Settings = dict[str, Any]
"""One value for each property of a layout."""


@dataclass(frozen=True)
class Contents:
    """What a reader gives: all images, and their labels."""

    images: list[Any]
    """Picture files as bytes, or pixels as arrays (H, W) or (H, W, C)."""
    labels: list[int] | None
    """None where there are none."""


@dataclass(frozen=True)
class Layout:
    """A format of other programs."""

    name: str
    """Name of the file or folder that is written, with the ending that is usual."""
    properties: Mapping[str, Sequence[Any]]
    """Values of each property; the first is the usual one, with which the layout must be read."""
    write: Callable[[Path, Settings], None]
    """Writes a file, or a folder, at a path that is not there yet."""
    read: Callable[[Path, Settings], Contents]
    """Returns what the reader of the ecosystem gives, upright: (N, H, W, C)."""
    folder_dataset: bool = False
    """Whether it is a folder of pictures, read as the dataset ``folder``."""
    requires: str = ""
    """Name of the package without which it is left out."""

    def usual(self) -> Settings:
        """Return the usual value of each property."""
        return {name: values[0] for name, values in self.properties.items()}

    def one_by_one(self) -> Iterator[tuple[str, Settings]]:
        """Yield settings in which at most one property is not the usual, each described."""
        yield "as usual", self.usual()
        for name, values in self.properties.items():
            for value in values[1:]:
                yield f"{name}={value}", {**self.usual(), name: value}


def numbered(values: Sequence[Any]) -> list[int]:
    """Return labels as numbers: of text that is not all digits, the places in its sorted order."""
    plain = [value.decode() if isinstance(value, bytes) else value for value in values]
    if all(isinstance(value, str) for value in plain):
        if all(value.lstrip("-").isdigit() for value in plain):
            return [int(value) for value in plain]
        words = sorted(set(plain))
        return [words.index(value) for value in plain]
    return [int(np.argmax(value)) if np.ndim(value) else int(value) for value in plain]


def labels_for(count: int) -> list[int]:
    """Return labels that are neither in order nor all different."""
    return [(7 * number + 3) % 5 for number in range(count)]


WORDS = ("ant", "bee", "cat", "dog", "elk")
"""Names of the labels 0 to 4."""

FORMS: dict[str, Callable[[list[int]], Any]] = {
    "int64": lambda numbers: np.array(numbers, "i8"),
    "uint8": lambda numbers: np.array(numbers, "u1"),
    "big endian": lambda numbers: np.array(numbers, ">i4"),
    "float32": lambda numbers: np.array(numbers, "f4"),
    "column": lambda numbers: np.array(numbers, "i4")[:, None],
    "one row": lambda numbers: np.array(numbers, "i4")[None],
    "N,1,1,1": lambda numbers: np.array(numbers, "u1").reshape(-1, 1, 1, 1),
    "one-hot": lambda numbers: np.eye(5, dtype="f4")[numbers],
    "one-hot int": lambda numbers: np.eye(5, dtype="i8")[numbers],
    "bool": lambda numbers: np.array(numbers) > 2,
    "negative": lambda numbers: np.array(numbers) - 2,
    "digits": lambda numbers: np.array([b"%d" % number for number in numbers]),
    "words": lambda numbers: np.array([WORDS[number].encode() for number in numbers]),
    "none": lambda numbers: None,
}
"""Forms of a column of labels in files of arrays."""


def labels_of(values: Any) -> list[int] | None:
    """Return what a column of labels says, of any of the forms."""
    if values is None:
        return None
    values = np.asarray(values)
    if values.dtype.kind in "SUO":
        return numbered(values.reshape(-1).tolist())
    if values.ndim == 2 and values.shape[1] == 5 and (values.sum(1) == 1).all():
        return [int(place) for place in values.argmax(1)]
    return [int(value) for value in values.reshape(-1)]


def picture_files(count: int, kind: str = "PNG") -> list[bytes]:
    """Return picture files of different sizes."""
    files = []
    for number in range(count):
        buffer = io.BytesIO()
        Image.fromarray(pixels((5, 6 + number, 3), number)).save(buffer, kind)
        files.append(buffer.getvalue())
    return files
