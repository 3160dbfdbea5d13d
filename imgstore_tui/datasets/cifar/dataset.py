"""Provides what the datasets ``cifar10`` and ``cifar100`` share: everything but the layout."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from imgstore_tui.core.dataset import Dataset, Excluded, ScanProgress
from imgstore_tui.core.errors import DataError, UsageError
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.datasets.cifar.archive import CifarFiles, open_files
from imgstore_tui.datasets.cifar.batches import CifarBatch, read_batch, read_names
from imgstore_tui.datasets.cifar.layout import PIXELS, BatchFile, CifarLayout, LabelSet
from imgstore_tui.datasets.cifar.stream import Blob

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SPLIT = Option(
    "split",
    "train",
    "Which images; the training images by default, as in most comparisons.",
    choices=("train", "test", "all"),
)
_READ_AHEAD = 500
"""Images that are read at a time if they are read in order."""
_BATCH = 10_000
"""Images that are read at a time if seeking back is expensive; 30 MB."""


@dataclass(frozen=True, slots=True)
class _Window:
    """The rows of a file that were read last."""

    batch: int
    start: int
    stop: int
    data: bytes


class CifarDataset(Dataset):
    """Reads CIFAR as published: the python or the binary archive, packed or unpacked, or one of its files."""

    needs_path = True
    layout: ClassVar[CifarLayout]

    def __init__(self, path: Path | None, values: Mapping[str, OptionValue]) -> None:
        super().__init__(path, values)
        if path is None:
            raise UsageError(f"Dataset {self.name} needs a path. Write {self.name}:PATH.")
        self._path = path
        self._split = str(values["split"])
        self._labels = self._label_set()
        self._names = self._labels.names
        self._files: CifarFiles | None = None
        self._batches: list[CifarBatch] = []
        self._starts: list[int] = []
        self._excluded: list[Excluded] = []
        self._warnings: list[str] = []
        self._window = _Window(0, 0, 0, b"")

    def _label_set(self) -> LabelSet:
        return self.layout.labels[-1]

    def scan(self, progress: ScanProgress | None = None) -> None:
        """Find and check the files, and compare their checksums.

        Raises:
            DataError: If there is nothing that can be read.
        """
        report = progress or _ignore_progress
        files = self._files = open_files(self._path, self.layout.folders, tuple(self.layout.archives))
        parts = {name: part for part in self.layout.parts for name in (part.name, part.binary_name)}
        extra = {self.layout.meta, self._labels.names_file}
        split_files = {name for name, part in parts.items() if self._split in {"all", part.split}}
        batches: dict[str, CifarBatch] = {}
        seen: set[str] = set()
        damage: str | None = None
        try:
            for name, size in files.find(frozenset(parts) | extra):
                report("reading batches", len(seen), None)
                seen.add(name)
                if name in extra:
                    self._read_names(files, name, size)
                elif name in split_files or files.single:
                    self._read_batch(files, name, size, parts.get(name), batches)
        except DataError as error:
            damage = str(error)
        self._choose(batches)
        if not self._batches:
            raise DataError(self._no_data_reason(seen - extra, damage))
        if damage:
            self._warnings.append(damage)
        if not files.single:
            self._warn_of_missing(split_files - seen)
        report("comparing checksums", len(seen), None)
        self._compare_checksums(files, parts)

    def _read_batch(
        self, files: CifarFiles, name: str, size: int, part: BatchFile | None, batches: dict[str, CifarBatch]
    ) -> None:
        try:
            batches[name] = batch = read_batch(files, name, size, self.layout, self._labels)
        except DataError as error:
            self._excluded.append(Excluded(name, str(error)))
            return
        if part is not None and batch.count != part.images:
            self._warnings.append(f"{name} holds {batch.count:,} images, not {part.images:,}.")

    def _read_names(self, files: CifarFiles, name: str, size: int) -> None:
        try:
            self._names = read_names(files, name, size, self._labels)
        except DataError as error:
            self._warnings.append(f"{name} cannot be used, so the well-known label names are. {error}")

    def _compare_checksums(self, files: CifarFiles, parts: Mapping[str, BatchFile]) -> None:
        checksum = files.archive_checksum()
        if checksum is not None:
            if checksum not in self.layout.archives.values():
                self._warnings.append(f"The archive's checksum is not the published one of {self.layout.title}.")
            return
        # Checksums are published for the python files and the archives, not for the binary files.
        published = {part.name: part.md5 for part in parts.values()}
        differing = [
            batch.name
            for batch in self._batches
            if batch.name in published and files.checksum(batch.name) != published[batch.name]
        ]
        if differing:
            self._warnings.append(
                f"Checksums that are not the published ones of {self.layout.title}: {', '.join(differing)}."
            )

    def _choose(self, batches: dict[str, CifarBatch]) -> None:
        """Use the published order, and the binary files if there are both kinds and at least as many of them."""
        python = [batches[part.name] for part in self.layout.parts if part.name in batches]
        binary = [batches[part.binary_name] for part in self.layout.parts if part.binary_name in batches]
        self._batches = (binary if len(binary) >= len(python) else python) or list(batches.values())
        self._starts = [0, *itertools.accumulate(batch.count for batch in self._batches)]

    def _warn_of_missing(self, absent: set[str]) -> None:
        binary = self._batches[0].name.endswith(".bin")
        names = [part.binary_name if binary else part.name for part in self.layout.parts]
        missing = [name for name in names if name in absent]
        if missing:
            self._warnings.append(f"Missing, and left out: {', '.join(missing)}.")

    def _no_data_reason(self, seen: set[str], damage: str | None) -> str:
        where, title = f"'{safe_text(str(self._path))}'", self.layout.title
        if self._excluded:
            first = self._excluded[0]
            return f"Nothing in {where} can be used as {title}. {safe_text(first.name)}: {first.reason}"
        if damage:
            return damage
        if seen:
            return (
                f"There are no {'training' if self._split == 'train' else 'test'} images in {where}, "
                f"only {', '.join(sorted(seen))}. Write split=all to take what there is."
            )
        names = ", ".join(part.name for part in self.layout.parts)
        return f"There is no {title} in {where}: none of {names}, with or without '.bin'. Name its archive or folder."

    def __len__(self) -> int:
        return self._starts[-1]

    @property
    def uniform(self) -> tuple[tuple[int, ...], str]:
        """Shape and dtype of every image."""
        return (32, 32, 3), "uint8"

    def image(self, index: int) -> NDArray[np.uint8]:
        """Return image ``index``, with its three planes interleaved.

        Raises:
            DataError: If the file has changed or is gone.
        """
        import numpy as np

        number, row = self._find(index)
        window = self._window
        if number != window.batch or not window.start <= row < window.stop:
            window = self._window = self._read_rows(number, row)
        begin = (row - window.start) * self._batches[number].stride
        planes = np.frombuffer(window.data, np.uint8, PIXELS, begin).reshape(3, 32, 32)
        return np.ascontiguousarray(planes.transpose(1, 2, 0))

    def _read_rows(self, number: int, row: int) -> _Window:
        files, batch, last = self._opened(), self._batches[number], self._window
        if batch.text_pixels is not None:
            return _Window(number, 0, batch.count, _decode_text_pixels(files, batch, batch.text_pixels))
        if not files.random_access:
            start = row - row % _BATCH
            stop = min(start + _BATCH, batch.count)
        else:
            in_order = row == 0 or (number == last.batch and row == last.stop)
            start, stop = row, min(row + (_READ_AHEAD if in_order else 1), batch.count)
        # Without the bytes between the last image and the next, which may not exist.
        count = (stop - start - 1) * batch.stride + PIXELS
        return _Window(number, start, stop, files.read(batch.name, batch.offset + start * batch.stride, count))

    def _opened(self) -> CifarFiles:
        if self._files is None:
            raise RuntimeError("scan must be called first")
        return self._files

    def _find(self, index: int) -> tuple[int, int]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = bisect.bisect_right(self._starts, index) - 1
        return number, index - self._starts[number]

    def label(self, index: int) -> int:
        """Return the label of image ``index``."""
        number, row = self._find(index)
        return self._batches[number].labels[row]

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names in the archive, else the well-known ones."""
        return self._names

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Batches that cannot be used."""
        return tuple(self._excluded)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is missing, incomplete, or not as published."""
        return tuple(self._warnings)

    @property
    def summary(self) -> str:
        """E.g. ``CIFAR-10 train, 50,000 images 32x32x3``."""
        images = safe_text(self._path.name) if self._opened().single else self._split
        return f"{self.layout.title} {images}, {format_count(len(self))} images 32x32x3"


def _decode_text_pixels(files: CifarFiles, batch: CifarBatch, blob: Blob) -> bytes:
    try:
        data = files.read(batch.name, blob.offset, blob.length).decode("utf-8").encode("latin-1")
    except ValueError:
        data = b""
    if len(data) != batch.count * PIXELS:
        raise DataError(f"The pixels of {safe_text(batch.name)} are damaged.")
    return data


def _ignore_progress(doing: str, done: int, total: int | None) -> None:
    pass
