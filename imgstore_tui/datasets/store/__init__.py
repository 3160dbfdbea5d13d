"""Reads a store, or a file of another program, as a dataset; a child process opens it, because a driver may crash."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.dataset import (
    BrokenImageError,
    Dataset,
    Excluded,
    ScanProgress,
    further_loss,
    further_text,
    orientation_loss,
)
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.foreign_layout import OPTIONS, ForeignLayout
from imgstore_tui.core.label_summary import label_summary
from imgstore_tui.core.location import Location
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.datasets.store.child import StoreChild

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_READ_AHEAD = 256
"""Images that are fetched at once if they are read in order, at most; fewer if they fill some MiB."""
_NAMES_SHOWN = 5
"""Names of labels in the summary."""


class StoreDataset(Dataset):
    """Images in the order of their ids, without deleted ones."""

    name = "store"
    title = "A store"
    needs_path = True
    takes_address = True
    options = OPTIONS
    describe = (
        "store:PATH, a store that a backend has written, or the pictures and labels in files of another program (tar, "
        "zip, TFRecord, Parquet, Arrow, HDF5, Zarr, npz, npy, idx, LMDB), as imgstore-tui help data says. Lossy images "
        "are taken as they decode; with the codec original, as they are."
    )

    def __init__(self, path: Location | None, values: Mapping[str, OptionValue]) -> None:
        # Without those that are not set: a conversion of before there were options goes on.
        super().__init__(path, {name: value for name, value in values.items() if value})
        ForeignLayout.of(self.values)
        self._location: Location = path or Path()
        self._child: StoreChild | None = None
        self._facts: dict[str, Any] = {}
        self._labels = np.zeros(0, np.int64)
        self._turned: set[int] = set()
        """Pictures that EXIF says are to be turned, among those that have been looked at."""
        self._further: dict[int, int] = {}
        """Number of pictures behind the first in a file, of files that have any among those that were looked at."""
        self._first_further = ""
        """What the scan has found of them, for the summary, which stays the same."""
        self._looked_at = 0
        """The first so many pictures have been looked at."""
        self._fetched: dict[str, tuple[int, list[Any]]] = {}
        """By form, the index of the first image that was fetched last, and the images."""

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs, without the images that were fetched last."""
        return {**self.__dict__, "_fetched": {}}

    def scan(self, progress: ScanProgress | None = None) -> None:
        """Start the child process, which opens the store and sends what it holds."""
        self._child = StoreChild(self._location, self._address, self.values)
        facts, data = self._child.start(progress)
        self._facts, self._labels = facts, np.frombuffer(data, "<i8").astype(np.int64)
        self._turned, self._looked_at = set(facts.get("turned", ())), int(facts.get("looked_at", 0))
        self._further = dict(facts.get("further", ()))
        if not len(self._labels):
            raise DataError(f"{self._location} holds no images.")
        if further := sum(self._further.values()):
            of = f" in the first {format_count(self._looked_at)}" if self._looked_at < len(self) else ""
            self._first_further = f"without {further_text(further)}{of}"

    @property
    def _address(self) -> str:
        return str(self._location.absolute()) if isinstance(self._location, Path) else self._location.public()

    @property
    def _name(self) -> str:
        return self._location.absolute().name if isinstance(self._location, Path) else self._location.public()

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def uniform(self) -> tuple[tuple[int, ...], str] | None:
        """Shape and dtype of every image, if the store knows that they are equal."""
        shape = self._facts.get("shape")
        return None if shape is None else (tuple(shape), self._facts["dtype"])

    @property
    def has_originals(self) -> bool:
        """Whether the payloads are picture files."""
        return self._facts.get("from_file") is True

    @property
    def has_files(self) -> bool:
        """Whether images can be read in place: never, as they lie in a store."""
        return False

    def image(self, index: int) -> Pixels:
        """Return image ``index``, decoded."""
        facts, data = self._get(index, "pixels")
        self._note_lost(index, facts)
        shape, dtype = tuple(facts["shape"]), facts["dtype"]
        valid = dtype in ("uint8", "uint16") and (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)))
        if not valid or self.uniform not in (None, (shape, dtype)):
            reason = f"It is an array of shape {shape} and type {dtype}, which is not what it should be."
            raise BrokenImageError(f"{self._name} image {index}", reason)
        pixels: Pixels = np.frombuffer(data, dtype).reshape(shape).copy()
        return pixels

    def original(self, index: int) -> bytes:
        """Return the file of image ``index``."""
        if not self.has_originals:
            raise DataError(
                f"{self._location} holds images of the codec {self._facts['codec']}, not picture files, which the "
                "codec 'original' needs. Take the method without +original, or with a codec that encodes pixels, e.g. "
                "lmdb or lmdb+png."
            )
        facts, data = self._get(index, "payloads")
        self._note_lost(index, facts)
        return bytes(data)

    def _note_lost(self, index: int, facts: Mapping[str, Any]) -> None:
        """Note what pixels do not keep of an image that was read."""
        if facts.get("turned"):
            self._turned.add(index)
        if facts.get("further"):
            self._further[index] = int(facts["further"])
        self._looked_at += index == self._looked_at

    def _get(self, index: int, form: str) -> tuple[dict[str, Any], memoryview]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        first, images = self._fetched.get(form, (0, []))
        if not first <= index < first + len(images):
            # An image that is read out of order is fetched alone.
            count = _READ_AHEAD if index in {0, first + len(images)} else 1
            first, images = self._fetched[form] = index, self._fetch(index, min(count, len(self) - index), form)
        facts, data = images[index - first]
        if "error" in facts:
            raise BrokenImageError(f"{self._name} image {index}", str(facts["error"]))
        return facts, data

    def _fetch(self, first: int, count: int, form: str) -> list[tuple[dict[str, Any], memoryview]]:
        if self._child is None:
            raise ValueError("a dataset is scanned before it is read")
        # One image or more; fewer than requested if they are large.
        message, data = self._child.request({"first": first, "count": count, "as": form})
        images, start, view = [], 0, memoryview(data)
        for facts in message["images"]:
            size = facts.get("bytes", 0)
            images.append((facts, view[start : start + size]))
            start += size
        return images

    def label(self, index: int) -> int:
        """Return the label of image ``index``."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return int(self._labels[index])

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Pictures in files of other programs that are not taken."""
        return tuple(Excluded(name, reason) for name, reason in self._facts.get("excluded", ()))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What else is in files of other programs, and pictures in a file behind its first."""
        return (*self._facts.get("warnings", ()), *self._left_out())

    @property
    def has_labels(self) -> bool:
        """Whether the store holds labels."""
        return self._facts.get("has_labels") is not False

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels, if the store keeps them."""
        return tuple(self._facts.get("label_names", ()))

    @property
    def has_names(self) -> bool:
        """Whether the store keeps names of images."""
        return self._facts.get("has_names") is True

    def image_name(self, index: int) -> str:
        """Return the name of image ``index`` as the store has it."""
        if not self.has_names:
            return super().image_name(index)
        return str(self._get(index, "names")[0]["name"])

    @property
    def label_note(self) -> str:
        """Why a file of another program has no labels, or where they are taken from."""
        return str(self._facts.get("label_note", ""))

    @property
    def lost_by_decoding(self) -> tuple[str, ...]:
        """What pixels do not keep of picture files: of the first ones, after the scan; of those read, later."""
        if not self._turned:
            return self._left_out()
        return (orientation_loss(len(self._turned), self._first_of(self._turned)), *self._left_out())

    def _left_out(self) -> tuple[str, ...]:
        """Return a sentence on the pages and frames that are not taken, if any are known."""
        if not self._further:
            return ()
        return (further_loss(len(self._further), sum(self._further.values()), self._first_of(self._further)),)

    def _first_of(self, indices: Collection[int]) -> int:
        """Return how many images have been looked at, if they are the first ones; 0 for all or those read."""
        return self._looked_at if max(indices) < self._looked_at < len(self) else 0

    @property
    def summary(self) -> str:
        """E.g. ``store photos.lmdb: 1,204 images of 32x32x3, lmdb+raw, labels: 0 cat, 1 dog``."""
        sizes = "of varying sizes" if self.uniform is None else f"of {'x'.join(map(str, self.uniform[0]))}"
        storage = f"{self._facts['backend']}+{self._facts['codec']}"
        labels = label_summary(self, _NAMES_SHOWN)
        text = f"store {safe_text(self._name)}: {format_count(len(self))} images {sizes}, {storage}"
        return ", ".join(filter(None, (text, labels, self._first_further)))
