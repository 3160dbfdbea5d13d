"""Short words for tests of datasets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from imgstore_tui.core.dataset import Dataset
from imgstore_tui.datasets.folder import FolderDataset
from imgstore_tui.datasets.synthetic.recipe import Recipe
from imgstore_tui.plugins.registry import make_dataset
from tests.support.cifar_files import Made


def scanned_cifar(name: str, path: Path, **options: str) -> Dataset:
    words = "".join(f",{key}={value}" for key, value in options.items())
    dataset = make_dataset(f'{name}:"{path}"{words}')
    dataset.scan()
    return dataset


def check_cifar(dataset: Dataset, made: Made, key: str, split: str) -> None:
    """Compare every image and label with what was written."""
    indexes = [index for index, of in enumerate(made.split) if split in {"all", of}]
    assert len(dataset) == len(indexes)
    for index, expected in enumerate(indexes):
        assert np.array_equal(dataset.image(index), made.pixels[expected])
        assert dataset.label(index) == made.labels[key][expected]


def save(path: Path, height: int = 20, width: int = 30, channels: int = 3, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = Recipe(height, width, channels, seed).images(seed, 1)[0]
    Image.fromarray(pixels).save(path)
    return path


def folder(
    root: Path, resize: str = "", sample: int = 0, seed: int = 0, labels: str = "", decode: bool = True
) -> FolderDataset:
    return FolderDataset(root, {"resize": resize, "sample": sample, "seed": seed, "labels": labels, "decode": decode})


def scanned_folder(
    root: Path, resize: str = "", sample: int = 0, seed: int = 0, labels: str = "", decode: bool = True
) -> FolderDataset:
    dataset = folder(root, resize, sample, seed, labels, decode)
    dataset.scan()
    return dataset


def at(dataset: FolderDataset, name: str) -> int:
    """Return which picture a file is, wherever the mixed order put it."""
    return next(index for index in range(len(dataset)) if dataset.file(index).name == name)


def reasons(dataset: Dataset) -> dict[str, str]:
    return {entry.name: entry.reason for entry in dataset.excluded}


def tree_of(root: Path, **classes: int) -> Path:
    one = save(root / "one.bmp").read_bytes()
    (root / "one.bmp").unlink()
    for name, count in classes.items():
        (root / name).mkdir()
        for number in range(count):
            (root / name / f"{number:03}.bmp").write_bytes(one)
    return root
