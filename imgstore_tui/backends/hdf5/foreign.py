"""Reads HDF5 files with a dataset of images, ``(N, H, W)`` or ``(N, H, W, C)`` of 8 or 16 bits, and one of labels.

HDF5 has no convention for such files; the names of datasets are those that tutorials and frameworks use.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.content import RAW_CODEC, Content, PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_ids
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.core.text import first_line
from imgstore_tui.images.decode import MAX_PIXELS
from imgstore_tui.storekit.label_column import LabelColumn, join_labels
from imgstore_tui.storekit.label_names import read_labels
from imgstore_tui.storekit.store_errors import damaged_error

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels, Pixels

_IMAGES = ("images", "image", "data", "x", "X", "x_train", "X_train", "train_x", "train_set_x", "pixels", "imgs")
_CLASS_NAMES = ("list_classes", "class_names", "label_names", "classes_names", "classes")
_MOST_CLASSES = 100_000
_FILTERS = {1, 2, 3, 5, 6, 32000}  # built in, and lzf of h5py; for any other filter HDF5 would load a plug-in
_MOST_CHUNK = 256 * 2**20
_MOST_SHRUNK = 1100
"""No filter compresses pictures by more; a file that claims so would exhaust the memory, or was never written."""


class Hdf5Arrays(Reader):
    """Reads the images of one file, or of several if all images have one shape and dtype."""

    def __init__(self, location: Path, files: Sequence[Path]) -> None:
        self._place = location
        self._files: list[Any] = []
        self._images: list[Any] = []
        labels: list[LabelColumn] = []
        try:
            for path in files:
                images, own = self._open(path)
                first = self._images[0] if self._images else images
                if images.shape[1:] != first.shape[1:] or images.dtype != first.dtype:
                    raise StoreError(f"{location} has files whose images differ in shape or type; name one of them.")
                self._images.append(images)
                labels.append(own)
        except BaseException:
            self.close()
            raise
        self._starts = np.cumsum([0, *(len(images) for images in self._images)])
        counts = [len(images) for images in self._images]
        joined = join_labels(labels, counts, [path.name for path in files])
        self._labels, self.label_note = joined.or_none(), joined.reason or joined.note
        _, *shape = self._images[0].shape
        name = self._images[0].dtype.newbyteorder("=").name
        self.content = Content(
            int(self._starts[-1]),
            PayloadKind.ARRAY,
            RAW_CODEC,
            tuple(shape),
            name,
            has_labels=joined.numbers is not None,
            label_names=joined.names,
        )

    def _open(self, path: Path) -> tuple[Any, LabelColumn]:
        import h5py

        try:
            file = h5py.File(os.fspath(path), "r", locking=False)
            self._files.append(file)
            datasets = [file[name] for name in file if self._is_dataset(file, name)]
            by_name = {dataset.name.lstrip("/"): dataset for dataset in datasets}
            fitting = {name: dataset for name, dataset in by_name.items() if _holds_images(dataset)}
            name = next((name for name in _IMAGES if name in fitting), next(iter(fitting), None))
            if name is None or (name not in _IMAGES and len(fitting) > 1):
                raise StoreError(
                    f"{path} has no dataset of images that is plain to see: one named images, of shape (N, H, W) or "
                    f"(N, H, W, C), of 8 or 16 bits."
                )
            images = fitting[name]
            if self._foreign_filters(images):
                raise StoreError(f"{path} is packed by a filter that is not part of HDF5; repack it: h5repack -f NONE.")
            if images.chunks and math.prod(images.chunks) * images.dtype.itemsize > _MOST_CHUNK:
                raise StoreError(
                    f"{path} is in chunks of more than 256 MiB, each of which would be unpacked for a single image; "
                    f"repack it: h5repack -l {name}:CHUNK=64x{'x'.join(map(str, images.shape[1:]))}."
                )
            if math.prod(images.shape) * images.dtype.itemsize > _MOST_SHRUNK * path.stat().st_size:
                raise StoreError(f"{path} is damaged: its dataset {name} is larger than the file can hold.")
            if math.prod(images.shape[1:3]) > MAX_PIXELS:
                raise StoreError(
                    f"{path} has images of {images.shape[1]} x {images.shape[2]} pixels, too many to take."
                )
            return images, self._labels_of(by_name, len(images), name)
        except StoreError:
            raise
        except Exception as error:  # h5py raises nearly everything for a damaged file
            raise damaged_error(path, first_line(error), "HDF5 file") from None

    @staticmethod
    def _is_dataset(file: Any, name: str) -> bool:
        import h5py

        # A link may lead to any file of the user; virtual and external datasets lie in other files.
        if not isinstance(file.get(name, getlink=True), h5py.HardLink) or file.get(name, getclass=True) != h5py.Dataset:
            return False
        return not file[name].is_virtual and file[name].external is None

    @staticmethod
    def _foreign_filters(dataset: Any) -> bool:
        plan = dataset.id.get_create_plist()
        return any(plan.get_filter(number)[0] not in _FILTERS for number in range(plan.get_nfilters()))

    def _labels_of(self, datasets: dict[str, Any], count: int, image: str) -> LabelColumn:
        readable = {name: dataset for name, dataset in datasets.items() if not self._foreign_filters(dataset)}
        kinds = {name: _described(dataset) for name, dataset in readable.items()}
        names = dict.fromkeys(readable, _class_names(readable))
        return read_labels(kinds, count, readable.__getitem__, image=image, class_names=names, what="dataset")

    def read_array(self, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
        """Read images, consecutive ones by one call."""
        check_ids(self._place, self.content.count, ids)
        at = 0
        while at < len(ids):
            part = int(np.searchsorted(self._starts, ids[at], side="right")) - 1
            first, stop = ids[at], at + 1
            while stop < len(ids) and ids[stop] == first + stop - at < self._starts[part + 1]:
                stop += 1
            start = first - int(self._starts[part])
            try:
                out[at:stop] = self._images[part][start : start + stop - at]
            except (OSError, RuntimeError, ValueError) as error:
                raise StoreError(f"{self._files[part].filename} is damaged: {first_line(error)}.") from None
            at = stop
        if len(ids):
            labels[:] = self._labels[list(ids)]

    def read_labels(self) -> Labels:
        """Return all labels."""
        return self._labels.copy()

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()


def _kind_of(dataset: Any) -> str:
    """Return NumPy's kind of a dataset's numbers; a space if NumPy has no such type, or the dataset is empty."""
    try:
        return " " if dataset.shape is None else str(dataset.dtype.kind)
    except TypeError:
        return " "


def _described(dataset: Any) -> str:
    """Return type and shape of a dataset."""
    try:
        return f"{dataset.dtype} of shape {dataset.shape}"
    except TypeError:
        return "of a type that NumPy does not know"


def _class_names(datasets: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of classes that a dataset of text lists in the order of their numbers; empty if none does."""
    for name in _CLASS_NAMES:
        dataset = datasets.get(name)
        if dataset is None or dataset.ndim != 1 or _kind_of(dataset) not in {"S", "O"}:
            continue
        if dataset.shape[0] <= _MOST_CLASSES:
            values = dataset[()].tolist()
            if all(isinstance(value, bytes) for value in values):
                return tuple(value.decode("utf-8", "replace") for value in values)
    return ()


def _holds_images(dataset: Any) -> bool:
    if _kind_of(dataset) != "u" or dataset.dtype.itemsize not in (1, 2) or 0 in dataset.shape:
        return False
    return dataset.ndim == 3 or (dataset.ndim == 4 and dataset.shape[3] in (1, 3, 4))
