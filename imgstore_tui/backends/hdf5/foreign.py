"""Reads HDF5 files of other programs: arrays of pictures, or picture files in them, with labels beside."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.hdf5.foreign_choice import Choice, choose
from imgstore_tui.backends.hdf5.foreign_tree import DatasetFacts, list_datasets, listed, require_memory, value_bytes
from imgstore_tui.core.errors import ImgstoreError, StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.core.text import first_line, safe_text
from imgstore_tui.images import raw
from imgstore_tui.images.decode import MAX_PIXELS
from imgstore_tui.storekit.foreign_arrays import ForeignArrayFile, ForeignArrays, ForeignRawPictures
from imgstore_tui.storekit.foreign_files import ForeignFile, ForeignReader
from imgstore_tui.storekit.label_column import LabelColumn
from imgstore_tui.storekit.label_names import candidates, read_labels
from imgstore_tui.storekit.scan_progress import report_scan
from imgstore_tui.storekit.store_errors import damaged_error, read_error

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_CLASS_NAMES = ("list_classes", "class_names", "label_names", "classes_names", "classes")
_MOST_CLASSES = 100_000
_LARGEST_FILE = 2**30
_PARTNER = re.compile(r"(?<![a-z])(x|y|images?|labels?|targets?|data)(?![a-z])", re.IGNORECASE)


class _OpenFile:
    """A file that is opened when it is read, and must not change in between."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None
        self._version: tuple[int, ...] | None = None

    @property
    def file(self) -> Any:
        """The open ``h5py.File``."""
        if self._file is None:
            import h5py

            try:
                facts = self.path.stat()
                version = facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
                if self._version not in (None, version):
                    raise StoreError(f"{self.path} has changed since it was scanned.")
                self._version = version
                self._file = h5py.File(os.fspath(self.path), "r", locking=False)
            except OSError as error:
                if error.errno:
                    raise read_error(self.path, error) from None
                raise
        return self._file

    def close(self) -> None:
        """Close the file until it is read again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


class _Indexed:
    """A file whose datasets have been chosen."""

    def __init__(self, path: Path, layout: ForeignLayout) -> None:
        self.opened = _OpenFile(path)
        self.refusal: StoreError | None = None
        self.choice = Choice([])
        try:
            self.datasets = list_datasets(self.opened.file, path)
            try:
                self.choice = choose(self.opened.file, path, self.datasets, layout)
                self._check_sizes()
                self.labels = self._labels(layout)
            except StoreError as error:
                self.refusal = error
                labels = [facts for facts in self.datasets if candidates([facts.name]) and not facts.refusal]
                if not labels or len(labels) < len(self.datasets) or layout.image:
                    raise
                self.label_facts = labels[0]
        except (ImgstoreError, MemoryError):
            self.opened.close()
            raise
        except Exception as error:  # h5py raises nearly everything for a damaged file
            self.opened.close()
            raise damaged_error(path, first_line(error), "HDF5 file") from None
        self.opened.close()

    @property
    def count(self) -> int:
        """Number of pictures."""
        return sum(source.count for source in self.choice.sources)

    @property
    def warnings(self) -> list[str]:
        """What else could be meant in the file."""
        passed = list(self.choice.passed)
        source = self.choice.sources[0]
        notes = []
        if passed:
            notes.append(
                f"{self.opened.path}: the images are {safe_text(source.facts.path)}; of the rest, {listed(passed)[3:]}."
            )
        if source.axes is not None and source.axes.order not in ("NHWC", "NHW", "HWC"):
            notes.append(
                f"{self.opened.path}: {safe_text(source.facts.path)} of shape {source.facts.shape} is read in the "
                f"order {source.axes.order}."
            )
        return notes

    def _check_sizes(self) -> None:
        for source in self.choice.sources:
            sides = source.axes.image_shape if source.axes is not None else (1, 1)
            if sides[0] * sides[1] > MAX_PIXELS:
                raise StoreError(f"{self.opened.path} has images of {sides[0]} x {sides[1]} pixels, too many to take.")

    def _labels(self, layout: ForeignLayout) -> LabelColumn:
        sources, classes = self.choice.sources, self.choice.classes
        if classes and not layout.label:
            number = {name: index for index, name in enumerate(classes)}
            ids = [number[source.facts.group.rpartition("/")[2]] for source in sources]
            return LabelColumn(np.repeat(np.array(ids, np.int64), [source.count for source in sources]), classes)
        images = {source.facts.path for source in sources}
        group, image = sources[0].facts.group, sources[0].facts.name
        readable = [facts for facts in self.datasets if facts.path not in images and not facts.refusal]
        # By the names in the group of the images, which come before equal names elsewhere.
        others = {facts.name: facts for facts in readable if facts.group == group}
        for facts in readable:
            if facts.group != group:
                others.setdefault(facts.path, facts)
        file = self.opened.file
        requested = layout.label.strip("/")
        if requested not in others:
            requested = next((name for name, facts in others.items() if facts.path == requested), requested)
        names = self._class_names(others)
        return read_labels(
            {name: facts.kind for name, facts in others.items()},
            self.count,
            lambda name: file[others[name].path],
            image=image,
            requested=requested,
            class_names=dict.fromkeys(others, names),
            what="dataset",
        )

    def _class_names(self, others: dict[str, DatasetFacts]) -> tuple[str, ...]:
        """Return the names of classes that a dataset of text lists in the order of their numbers; empty if none."""
        for name in _CLASS_NAMES:
            facts = others.get(name)
            if facts is None or facts.dtype is None or facts.dtype.kind not in "SO" or facts.variable:
                continue
            if facts.shape is not None and len(facts.shape) == 1 and facts.shape[0] <= _MOST_CLASSES:
                values = self.opened.file[facts.path][()].tolist()
                if facts.shape[0] != self.count and all(isinstance(value, bytes) for value in values):
                    return tuple(value.decode("utf-8", "replace") for value in values)
        return ()


class _ArrayFile(ForeignArrayFile):
    """A file with one array of pictures, or several of one shape."""

    def __init__(self, indexed: _Indexed) -> None:
        self._opened, self._sources = indexed.opened, indexed.choice.sources
        self.labels, self.warnings = indexed.labels, indexed.warnings
        self._starts = np.cumsum([0, *(source.count for source in self._sources)])
        axes, cast = self._sources[0].axes, self._sources[0].cast
        self.shape = axes.image_shape if axes is not None else ()
        self.dtype = cast.dtype if cast is not None else ""

    @property
    def count(self) -> int:
        """Number of pictures."""
        return int(self._starts[-1])

    def read_into(self, start: int, out: Pixels) -> None:
        """Read consecutive pictures, by one call for each dataset."""
        at = 0
        while at < len(out):
            index = int(np.searchsorted(self._starts, start + at, side="right")) - 1
            source, first = self._sources[index], start + at - int(self._starts[index])
            stop = min(source.count, first + len(out) - at)
            if source.axes is None or source.cast is None:
                raise StoreError(f"{self._opened.path}: {safe_text(source.facts.path)} is no array.")
            try:
                part = self._opened.file[source.facts.path][source.axes.selection(first, stop)]
                out[at : at + stop - first] = source.axes.upright(source.cast.pixels(part))
            except (ImgstoreError, MemoryError):
                raise
            except ValueError as error:
                if not source.cast.scale:
                    raise self._damaged(error) from None
                raise StoreError(f"{self._opened.path}: {first_line(error)}; name another scale=.") from None
            except Exception as error:
                require_memory(self._opened.file[source.facts.path])
                raise self._damaged(error) from None
            at += stop - first

    def _damaged(self, error: Exception) -> StoreError:
        return damaged_error(self._opened.path, first_line(error))

    def release(self) -> None:
        """Close the file until it is read again."""
        self._opened.close()

    def close(self) -> None:
        """Close the file."""
        self._opened.close()


class _PictureFile(ForeignFile):
    """A file with picture files in rows of a dataset or one in each dataset, or with arrays of different shapes."""

    def __init__(self, indexed: _Indexed) -> None:
        self._opened, self._sources = indexed.opened, indexed.choice.sources
        self.labels, self.warnings = indexed.labels, indexed.warnings
        self._starts = np.cumsum([0, *(source.count for source in self._sources)])

    @property
    def count(self) -> int:
        """Number of pictures."""
        return int(self._starts[-1])

    def payload(self, number: int) -> bytes:
        """Return the bytes of a picture file, or the pixels of an array behind a header."""
        index = int(np.searchsorted(self._starts, number, side="right")) - 1
        source = self._sources[index]
        try:
            dataset = self._opened.file[source.facts.path]
            if source.axes is not None and source.cast is not None:
                return raw.pack(source.axes.upright(source.cast.pixels(dataset[()]))[0])
            return value_bytes(dataset, None if source.whole else number - int(self._starts[index]))
        except (ImgstoreError, MemoryError):
            raise
        except Exception as error:
            raise damaged_error(self._opened.path, first_line(error)) from None

    def release(self) -> None:
        """Close the file until it is read again."""
        self._opened.close()

    def close(self) -> None:
        """Close the file."""
        self._opened.close()


def open_files(location: Path, paths: Sequence[Path], layout: ForeignLayout) -> Reader:
    """Open files as one store.

    Args:
        location: What the user names, for messages.
        paths: The files, in the order in which their pictures are numbered.
        layout: What the user names in them.

    Raises:
        StoreError: If a file is damaged, or it is not plain to see which datasets hold pictures.
    """
    indexed: list[_Indexed] = []
    for number, path in enumerate(paths):
        if len(paths) > 1:
            report_scan("reading files", number, len(paths))
        indexed.append(_Indexed(path, layout))
    files = [entry for entry in indexed if entry.refusal is None]
    only_labels = [entry for entry in indexed if entry.refusal is not None]
    if not files:
        raise only_labels[0].refusal or StoreError(f"{location} holds no images.")
    _join_partners(files, only_labels)
    if len(files) == 1 and len(paths) == 1:
        _hint_at_partner(files[0])
    names = [entry.opened.path.name for entry in files]
    sources = [source for entry in files for source in entry.choice.sources]
    arrays = [source.axes for source in sources if source.axes is not None]
    if not arrays:
        return ForeignReader(location, [_PictureFile(entry) for entry in files], names)
    if len(arrays) < len(sources):
        raise StoreError(f"{location} holds arrays and picture files; name one dataset or group with image=.")
    if len({axes.image_shape for axes in arrays}) > 1 and all(source.whole for source in sources):
        return ForeignRawPictures(location, [_PictureFile(entry) for entry in files], names)
    return ForeignArrays(location, [_ArrayFile(entry) for entry in files], names)


def _key(path: Path) -> str:
    return _PARTNER.sub("*", path.name)


def _join_partners(files: list[_Indexed], only_labels: list[_Indexed]) -> None:
    """Give files of images the labels of files that hold nothing else, by their names (x and y), or if they are two.

    Raises:
        StoreError: If a file of labels belongs to no file of images.
    """
    for entry in only_labels:
        path = entry.opened.path
        alike = [file for file in files if _key(file.opened.path) == _key(path)] or (
            files if len(files) == len(only_labels) == 1 else []
        )
        facts = entry.label_facts
        if len(alike) != 1:
            raise StoreError(
                f"{path} holds no images, and belongs to no file of images by its name; {listed(entry.datasets)}. "
                "Move it elsewhere, or name a file."
            )
        (file,) = alike
        if file.labels.numbers is None:
            column = read_labels(
                {facts.path: facts.kind},
                file.count,
                entry.opened.file.__getitem__,
                requested=facts.path,
                what="dataset",
            )
            entry.opened.close()
            note = f"labels are taken from {safe_text(facts.path)} in {safe_text(path.name)}"
            file.labels = replace(column, note=note) if column.numbers is not None else column


def _hint_at_partner(file: _Indexed) -> None:
    """Say which file beside a file without labels may hold them."""
    path = file.opened.path
    if file.labels.numbers is not None:
        return
    beside = sorted(
        other for other in path.parent.iterdir()
        if other != path and other.suffix == path.suffix and _key(other) == _key(path)
    )  # fmt: skip
    if len(beside) == 1:
        hint = f"{safe_text(beside[0].name)} beside it may hold them: read the folder, with split= if it has several"
        file.labels = replace(file.labels, reason=f"{file.labels.reason}; {hint}")
