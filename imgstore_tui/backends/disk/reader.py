"""Reads a store of files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.disk.layout import (
    DIGITS,
    EXTENSION,
    HEADER,
    LABEL_WIDTH,
    LABELS,
    MANIFEST,
    file_error,
    name_in_row,
    name_of,
    named_row_width,
    open_folder,
    read_file,
)
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.image_names import MAX_NAME_BYTES
from imgstore_tui.core.live_ids import LiveIds, next_id_in
from imgstore_tui.core.manifest import foreign, read_manifest
from imgstore_tui.storekit.names_file import require_names
from imgstore_tui.storekit.store_errors import layout_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

_MAX_LABEL = 2**63 - 1


class DiskReader(Reader):
    """Locates an image by its id, and its label by the position of its row."""

    def __init__(self, location: Path) -> None:
        self._location = location
        self.folder = -1
        self._labels = -1
        try:
            self.folder = os.open(location, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            manifest = read_file(MANIFEST, self.folder)
        except (FileNotFoundError, NotADirectoryError):
            self.close()
            raise foreign("disk", location) from None
        except OSError as error:
            self.close()
            raise file_error(location / MANIFEST, error) from None
        try:
            self.content, facts = read_manifest(manifest, "disk", location)
            self._layout(facts)
            self.open_table()
            self.live_ids = self._read_live_ids(next_id_in(facts, self.content, location))
        except BaseException:
            self.close()
            raise

    def _layout(self, manifest: Any) -> None:
        fanout, row, extension = manifest.get("fanout"), manifest.get("row"), manifest.get("extension")
        valid = isinstance(fanout, int) and 0 <= fanout <= 10**6 and isinstance(row, int)
        valid = valid and 32 <= row <= (named_row_width(MAX_NAME_BYTES) if self.content.name_bytes else 256)
        valid = valid and (extension is None or (isinstance(extension, str) and bool(EXTENSION.match(extension))))
        if not valid or self.content.kind is not PayloadKind.BYTES:
            raise layout_error(self._location)
        self.fanout, self.row, self.extension = fanout, row, extension

    def open_table(self) -> None:
        """Open the table of labels, again if it was replaced."""
        if self._labels >= 0:
            os.close(self._labels)
            self._labels = -1
        path = self._location / LABELS
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            self._labels = os.open(LABELS, flags, dir_fd=self.folder)
            size = os.fstat(self._labels).st_size
        except OSError as error:
            raise file_error(path, error) from None
        if size != len(HEADER) + self.content.count * self.row:
            raise StoreError(f"{path} is damaged: it does not hold {self.content.count} rows of {self.row} bytes.")

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Read one file per id, and its row of the CSV."""
        span = self.live_ids.check(self._location, ids)
        if span is not None and len(self.live_ids.deleted) and len(ids):
            first = self.live_ids.rows(ids[:1])[0]
            span = first, first + len(ids)
        if span is not None:
            rows = self.rows(*span)
            labels[:] = self._parse(rows)
            names = [rows[at : at + self.row] for at in range(0, len(rows), self.row)]
        else:
            indices = self.live_ids.rows(ids) if len(self.live_ids.deleted) else ids
            names = [self.rows(index, index + 1) for index in indices]
            labels[:] = self._parse(b"".join(names))
        payloads = []
        for image_id, row in zip(ids, names, strict=True):
            name = self.file_in(row, image_id)
            try:
                payloads.append(self._read(name))
            except OSError as error:
                raise file_error(self._location / name, error) from None
        return payloads

    def file_in(self, row: bytes, image_id: int) -> str:
        """Return the path of the file of an image below the store."""
        if self.content.name_bytes:
            if not (name := name_in_row(row)):
                raise StoreError(f"{self._location / LABELS} is damaged: the row of image {image_id} names no file.")
            return name
        return f"{name_of(image_id, self.fanout)}.{self.extension or self.extension_in(row, image_id)}"

    def _read(self, name: str) -> bytes:
        if not self.content.name_bytes:
            return read_file(name, self.folder)
        path, _, leaf = name.rpartition("/")
        folder = open_folder(path, self.folder, make=False)
        try:
            return read_file(leaf, folder)
        finally:
            os.close(folder)

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Return the paths of files below the store."""
        require_names(self.content)
        self.live_ids.check(self._location, ids)
        return [self.file_in(self.rows(number, number + 1), number) for number in map(int, ids)]

    def ids(self) -> Sequence[int]:
        """Return the live ids, ascending."""
        return self.live_ids.ids()

    def read_labels(self) -> Labels:
        """Read the CSV alone."""
        return self._parse(self.rows(0, self.content.count))

    def _read_live_ids(self, next_id: int) -> LiveIds:
        """Return the live ids; the table is read for them only if the manifest records deletions."""
        count = self.content.count
        if next_id == count:
            return LiveIds(count)
        damaged = StoreError(f"{self._location / LABELS} is damaged: its rows are out of order.")
        if next_id > 10**DIGITS:
            raise damaged
        start = DIGITS + 1 if self.fanout else 0
        table = np.frombuffer(self.rows(0, count), np.uint8).reshape(-1, self.row)
        try:
            ids = np.ascontiguousarray(table[:, start : start + DIGITS]).view(f"S{DIGITS}")[:, 0].astype(np.int64)
        except ValueError:
            raise damaged from None
        if len(ids) and (ids[0] < 0 or ids[-1] >= next_id or (np.diff(ids) <= 0).any()):
            raise damaged
        deleted = np.delete(np.arange(next_id), ids)
        return LiveIds.of(self._location, self.content, next_id, deleted)

    def rows(self, start: int, stop: int) -> bytes:
        """Return the rows of the table from ``start`` to ``stop``."""
        length = (stop - start) * self.row
        try:
            rows = os.pread(self._labels, length, len(HEADER) + start * self.row)
            while len(rows) < length:  # the system splits reads of more than 2 GiB
                more = os.pread(self._labels, length - len(rows), len(HEADER) + start * self.row + len(rows))
                if not more:
                    raise StoreError(f"{self._location / LABELS} has been cut short.")
                rows += more
        except OSError as error:
            raise file_error(self._location / LABELS, error) from None
        return rows

    def _parse(self, rows: bytes) -> Labels:
        if len(rows) <= self.row:  # none or one row: numpy takes ten times as long as Python
            return np.array([self._label_in(row) for row in (rows,) if row], np.int64)
        table = np.frombuffer(rows, np.uint8).reshape(-1, self.row)
        fields = np.ascontiguousarray(table[:, -1 - LABEL_WIDTH : -1]).view(f"S{LABEL_WIDTH}")[:, 0]
        try:
            return fields.astype(np.int64)
        except (ValueError, OverflowError):
            raise StoreError(f"{self._location / LABELS} is damaged: a label in it is no number.") from None

    def _label_in(self, row: bytes) -> int:
        try:
            label = int(row[-1 - LABEL_WIDTH : -1])
        except ValueError:
            label = _MAX_LABEL + 1
        if not -_MAX_LABEL - 1 <= label <= _MAX_LABEL:
            raise StoreError(f"{self._location / LABELS} is damaged: a label in it is no number.")
        return label

    def extension_in(self, row: bytes, image_id: int) -> str:
        """Return the file extension in a row; nothing else of the row is trusted."""
        extension = row.partition(b",")[0].rpartition(b".")[2].decode("ascii", "replace")
        if not EXTENSION.match(extension):
            raise StoreError(f"{self._location / LABELS} is damaged: the row of image {image_id} names no file.")
        return extension

    def close(self) -> None:
        """Close the folder and the labels."""
        for descriptor in (self.folder, self._labels):
            if descriptor >= 0:
                os.close(descriptor)
        self.folder = self._labels = -1


def named_files(location: Path) -> set[str]:
    """Return the paths of the files of a store whose images have names; none where it is another store, or none."""
    try:
        with DiskReader(location) as reader:
            return set(reader.read_names(reader.ids())) if reader.content.name_bytes else set()
    except StoreError:
        return set()
