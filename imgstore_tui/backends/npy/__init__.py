"""Plain .npy files: the pixels as they lie in memory. Nothing that stores pixels can do less."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.backend import (
    Backend,
    Capabilities,
    Content,
    Editor,
    Family,
    PayloadKind,
    Preset,
    Reader,
    Writer,
    force,
)
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.manifest import check_batch, check_ids, check_out, claim
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.core.roster import Roster
from imgstore_tui.store_parts.folder_writer import LABELS, FolderWriter, open_labels
from imgstore_tui.store_parts.manifest_file import MANIFEST, load_manifest, refuse_batches, save_manifest
from imgstore_tui.store_parts.npy_file import NpyColumn, NpyOutput

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

IMAGES, PAYLOADS, ENDS = "images.npy", "payloads.npy", "ends.npy"
_CUT_BELOW = 16 * 2**10
"""Payloads smaller than this are read together and cut; larger ones one by one, which spares a copy."""


class NpyBackend(Backend):
    """A folder with ``images.npy`` and ``labels.npy``; payloads of any length in ``payloads.npy``, with their ends."""

    name = "npy"
    title = "NumPy arrays"
    family = Family.ARRAY
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(append=True, overwrite=True)
    marks = (IMAGES, PAYLOADS)
    own_files = re.compile(r"(images|payloads|ends|labels)\.npy|manifest\.json(\.partial)?")
    presets = (
        Preset("tuned", "runs are read by one call, small images in random order are gathered from a map"),
        Preset(
            "plain",
            "numpy.load(..., mmap_mode='r') and an index, as an ordinary program does",
            options={"access": "numpy"},
        ),
    )
    options = (
        Option(
            "access",
            "direct",
            "How arrays are read: direct, into the caller's memory by one call where that can be, or numpy, by an "
            "index into what numpy.load maps.",
            choices=("direct", "numpy"),
        ),
    )
    caveats = (
        "It is a floor, not a format: nothing is checked but lengths, nothing can be deleted, and images of varying "
        "sizes are a row of bytes that only this program finds its way in."
    )
    when_to_choose = (
        "Choose it for images of one shape that one program on one machine reads again and again; take it as the "
        "measure of what every other way costs beside it."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Make the folder and the files; the manifest that makes it a store comes last."""
        refuse_batches(self, sync)
        claim(self, location, content)
        return NpyWriter(location, content, str(self.values["access"]))

    def open(self, location: Path) -> Reader:
        """Open the files for reading only."""
        return NpyReader(location)

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        """Open the files to let them grow, or to write over images of one shape."""
        return NpyEditor(location, sync)


class NpyWriter(FolderWriter):
    """Writes each batch at the end of the file."""

    sums_labels = False  # which are written over in place, where a sum elsewhere could not follow at once

    def __init__(self, location: Path, content: Content, access: str) -> None:
        super().__init__("npy", location, content)
        self._access = access
        self._ends: NpyOutput | None = None
        if content.kind is PayloadKind.ARRAY:
            self._images = NpyOutput(location / IMAGES, str(content.dtype), content.shape or ())
        else:
            self._images = NpyOutput(location / PAYLOADS, "uint8", ())
            try:
                self._ends = NpyOutput(location / ENDS, "int64", ())
            except StoreError:
                self._images.close()
                raise

    def _add_array(self, images: Pixels, labels: Labels) -> None:
        self._images.append(images)

    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        _append_payloads(self._images, self._ends, payloads)

    def _finish(self) -> Mapping[str, Any]:
        self._images.commit()
        if self._ends is not None:
            self._ends.commit()
        return {"access": self._access}

    def _release(self) -> None:
        self._images.close()
        if self._ends is not None:
            self._ends.close()


def _append_payloads(row: NpyOutput, ends: NpyOutput | None, payloads: Sequence[bytes]) -> None:
    if ends is None:
        raise ValueError("a store of arrays has no row of payloads")
    found = row.count + np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads)))
    row.append_pieces(payloads)
    ends.append(found)


class NpyReader(Reader):
    """Copies from where the images lie."""

    def __init__(self, location: Path) -> None:
        self._location = location
        self.content, found = load_manifest("npy", location)
        self.layout = {"access": found.get("access")}
        self._columns: list[NpyColumn] = []
        self._view: Any = None
        content, count = self.content, self.content.count
        try:
            if content.kind is PayloadKind.ARRAY:
                self._images = self._column(IMAGES, str(content.dtype), content.shape or (), count)
                if self.layout["access"] == "numpy":
                    self._view = np.load(location / IMAGES, mmap_mode="r", allow_pickle=False)
            else:
                self._ends = self._column(ENDS, "int64", (), count)
                self._images = self._column(PAYLOADS, "uint8", (), None)
            self._labels = open_labels(location, count)
            self._columns.append(self._labels)
        except (StoreError, OSError, ValueError) as error:
            self.close()
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"{location / IMAGES} cannot be read: NumPy does not load it.") from None

    def _column(self, name: str, dtype: str, item: tuple[int, ...], count: int | None) -> NpyColumn:
        column = NpyColumn(self._location / name, dtype, item, count)
        self._columns.append(column)
        return column

    def read_array(self, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
        """Copy images into the caller's array."""
        if self.content.kind is not PayloadKind.ARRAY:
            super().read_array(ids, out, labels)
            return
        check_out(self._location, self.content, ids, out, labels)
        run = check_ids(self._location, self.content.count, ids)
        if self._view is not None and len(ids):
            out[...] = self._view[run[0] : run[1]] if run is not None else self._view[list(ids)]
        else:
            self._images.read(ids, run, out)
        self._labels.read(ids, run, labels)

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Find where the payloads end, then copy them from the row."""
        if self.content.kind is not PayloadKind.BYTES:
            return super().read_bytes(ids, labels)
        run = check_ids(self._location, self.content.count, ids)
        if not len(ids):
            return []
        self._labels.read(ids, run, labels)
        bounds = np.zeros((2, len(ids)), np.int64)
        self._ends.read(ids, run, bounds[1])
        later = np.flatnonzero(np.asarray(ids))  # the first image of all starts where nothing ends
        if len(later):
            before = (np.asarray(ids, np.int64)[later] - 1).tolist()
            found = np.empty(len(later), np.int64)
            self._ends.read(before, None if run is None else (before[0], before[-1] + 1), found)
            bounds[0, later] = found
        starts, stops = bounds.tolist()
        if any(not 0 <= start <= stop <= self._images.count for start, stop in zip(starts, stops, strict=True)):
            raise StoreError(f"{self._ends.path} is damaged: its numbers do not fit the payloads.")
        if run is None or stops[-1] - starts[0] > _CUT_BELOW * len(ids):
            return [self._images.piece(start, stop) for start, stop in zip(starts, stops, strict=True)]
        base = starts[0]
        whole = self._images.piece(base, stops[-1])
        return [whole[start - base : stop - base] for start, stop in zip(starts, stops, strict=True)]

    def read_labels(self) -> Labels:
        """Read the file of labels."""
        labels: Labels = self._labels.all("int64")
        return labels

    def payload_end(self) -> int:
        """Return where the last payload ends."""
        last = np.zeros(1, np.int64)
        if self.content.count:
            self._ends.read([self.content.count - 1], None, last)
        return int(last[0])

    def close(self) -> None:
        """Close the files."""
        self._view = None
        for column in self._columns:
            column.close()


class NpyEditor(Editor):
    """Adds at the end of the files, or writes over images in them; the manifest says what counts."""

    def __init__(self, location: Path, sync: SyncLevel) -> None:
        with NpyReader(location) as reader:  # which believes nothing that it has not looked at
            self.content, self._layout = reader.content, reader.layout
            keep = self.content.count if self.content.kind is PayloadKind.ARRAY else reader.payload_end()
        self._location, self._each = location, sync is SyncLevel.BATCH
        self._roster = Roster(self.content.count)
        self._changed, self._open = False, True
        self._files: list[NpyOutput] = []
        count = self.content.count
        try:
            if self.content.kind is PayloadKind.ARRAY:
                self._images = self._file(IMAGES, str(self.content.dtype), self.content.shape or (), keep)
            else:
                self._images = self._file(PAYLOADS, "uint8", (), keep)
                self._ends = self._file(ENDS, "int64", (), count)
            self._labels = self._file(LABELS, "int64", (), count)
        except StoreError:
            self._release()
            raise

    def _file(self, name: str, dtype: str, item: tuple[int, ...], keep: int) -> NpyOutput:
        file = NpyOutput(self._location / name, dtype, item, keep)
        self._files.append(file)
        return file

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Write at the end of the array, or over what is there."""
        check_batch(self._location, self.content, ids, images, labels)
        if not len(ids):
            return
        if self._roster.appends(self._location, ids):
            self._images.append(images)
            self._follow(labels)
            return
        numbers = np.array(labels, np.int64)
        for position, number in enumerate(ids):
            self._images.replace(number, images[position])
            self._labels.replace(number, numbers[position : position + 1])
        self._note()

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Write at the end of the row of payloads."""
        check_batch(self._location, self.content, ids, payloads, labels)
        if not len(ids):
            return
        if not self._roster.appends(self._location, ids):
            raise UnsupportedError(
                "Backend npy keeps encoded images in a row without gaps: it can grow, but none can be replaced in it."
            )
        _append_payloads(self._images, self._ends, payloads)
        self._follow(labels)

    def _follow(self, labels: Labels) -> None:
        numbers = np.array(labels, np.int64)
        self._labels.append(numbers)
        self._roster.grow(len(numbers))
        self._note()

    def _note(self) -> None:
        self._changed = True
        if self._each:
            self._commit()

    def _commit(self) -> None:
        """Let headers, then the manifest say what is there; a process that dies before has changed no count."""
        for file in self._files:
            file.commit()
            if self._each:
                file.force()
                self.syncs += 1
        self.content = replace(self.content, count=self._roster.count)
        save_manifest("npy", self._location, self.content, durable=self._each, **self._layout)
        self.syncs += 2 * self._each
        self._changed = False

    def touched(self) -> Iterable[Path]:
        """Every file may have been written to, and the manifest is a new one."""
        names = [IMAGES] if self.content.kind is PayloadKind.ARRAY else [PAYLOADS, ENDS]
        return [*(self._location / name for name in (*names, LABELS, MANIFEST)), self._location]

    def close(self) -> None:
        """Say what is there, and close the files."""
        if not self._open:
            return
        try:
            if self._changed:
                self._commit()
            if self._each:
                force(self._location)
                self.syncs += 1
        finally:
            self._release()

    def abort(self) -> None:
        """Take back what was added since the last commit, and close the files; what was overwritten stays so."""
        if not self._open:
            return
        try:
            for file in self._files:
                file.take_back()
        except StoreError:
            pass  # nothing is promised of what was put, and the old manifest counts
        finally:
            self._release()

    def _release(self) -> None:
        self._open = False
        for file in self._files:
            file.close()
