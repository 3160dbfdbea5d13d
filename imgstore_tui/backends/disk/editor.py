"""Changes a store of files. Each picture is replaced whole; the table and the manifest follow at the end.

The store stays valid after ``abort`` and after a crash, except between the writes of the table and of the manifest:
replaced images stay replaced, additions and deletions since the last commit are undone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.disk.layout import (
    DIGITS,
    HEADER,
    LABELS,
    MANIFEST,
    PARTIAL,
    extension_of,
    file_error,
    file_name,
    name_of,
    named_row,
    open_folder,
    row_of,
    write_all,
)
from imgstore_tui.backends.disk.reader import DiskReader
from imgstore_tui.core.backend import Editor
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.manifest import check_batch, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.names_file import encode_names, missing_names

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

_ROWS = 65_536  # rows of the table that are read at a time


class DiskEditor(Editor):
    """Writes files, and updates the table and the manifest at the end, or after each call at the level ``batch``."""

    def __init__(self, location: Path, sync: SyncLevel) -> None:
        self._reader = DiskReader(location)  # which validates the store
        self._location, self.content = location, self._reader.content
        self._root, self._live_ids = self._reader.folder, self._reader.live_ids
        self._sync_each_batch = sync is SyncLevel.BATCH
        self._added: list[tuple[str, bytes]] = []
        self._deleted: dict[int, None] = {}
        self._folders: set[str] = set()
        self._changed_names: set[str] = {LABELS}
        self._names: list[str] = []
        """Names of the next batch."""
        self._table = -1
        try:
            self._open_table()
        except OSError as error:
            self._reader.close()
            raise file_error(location / LABELS, error) from None

    def _open_table(self) -> None:
        if self._table >= 0:
            os.close(self._table)
        self._table = os.open(LABELS, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._root)

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Create new files, or replace existing ones."""
        check_batch(self._location, self.content, ids, payloads, labels)
        if not len(ids):
            return
        name = LABELS
        image_names, self._names = self._names, []
        if image_names and len(image_names) != len(ids):
            raise missing_names(self._location, len(ids) - len(image_names))
        try:
            if self._deleted:
                self._commit()  # the positions of rows depend on it
            appends = self._live_ids.is_append(self._location, ids)
            if appends and ids[-1] >= 10**DIGITS:
                raise StoreError(
                    f"{self._location} numbers its files with {DIGITS} digits: at most 100,000,000 images."
                )
            if not appends and self._added:
                self._commit()
            if appends and self.content.name_bytes:
                if not image_names:
                    raise missing_names(self._location, len(ids))
                for name, payload, label in zip(image_names, payloads, labels.tolist(), strict=True):
                    self._add_named(file_name(name, payload, self.content.codec), payload, label)
                ids = []
            reader, width = self._reader, self._reader.row
            rows = [] if appends else self._live_ids.rows(ids)
            for number, (image_id, payload, label) in enumerate(zip(ids, payloads, labels.tolist(), strict=bool(ids))):
                if self.content.name_bytes:
                    name = self._file_of(image_id, rows[number])
                    self._replace(name, image_id, rows[number], payload, named_row(name, label, width))
                    continue
                extension = reader.extension or extension_of(payload, self.content.codec)
                name = f"{name_of(image_id, reader.fanout)}.{extension}"
                if appends:
                    self._added.append((name, row_of(name, label, width)))
                    self._add(name, payload)
                else:
                    self._replace(name, image_id, rows[number], payload, row_of(name, label, width))
            if appends:
                self._live_ids.grow(len(payloads))
            if self._sync_each_batch:
                self._commit()
        except OSError as error:
            self.abort()
            raise file_error(self._location / name, error) from None

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Take the paths of the files of the next batch; existing files keep theirs."""
        encode_names(self._location, self.content, names)
        self._names = list(names)

    def _add_named(self, name: str, payload: bytes, label: int) -> None:
        path = name.rpartition("/")[0]
        if path not in self._folders:
            os.close(open_folder(path, self._root, make=True))
            self._folders.update(path.rsplit("/", depth)[0] for depth in range(path.count("/") + 1))
        self._added.append((name, named_row(name, label, self._reader.row)))
        self._write(name, payload)

    def _add(self, name: str, payload: bytes) -> None:
        folder = name.rpartition("/")[0]
        if folder and folder not in self._folders:
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, dir_fd=self._root)
        self._folders.add(folder)
        self._write(name, payload)

    def _replace(self, name: str, image_id: int, index: int, payload: bytes, row: bytes) -> None:
        before = self._file_of(image_id, index)
        self._folders.add(name.rpartition("/")[0])
        # A concurrent reader gets the old picture or the new one, never a part.
        self._swap(name, payload)
        os.pwrite(self._table, row, len(HEADER) + index * len(row))
        if before != name:
            os.unlink(before, dir_fd=self._root)
            self._changed_names.add(before)

    def _file_of(self, image_id: int, index: int) -> str:
        reader = self._reader
        row = b"" if reader.extension and not self.content.name_bytes else reader.rows(index, index + 1)
        return reader.file_in(row, image_id)

    def delete(self, ids: Sequence[int]) -> None:
        """Record the deletion; rows and files are removed together, at the end."""
        if self.content.name_bytes:
            raise UnsupportedError(
                "Backend disk deletes no single images of a store whose files have names: its table has no ids."
            )
        if self._added:
            self._commit_or_fail()
        self._live_ids.check_each_once(self._location, ids)
        for image_id in ids:
            if image_id in self._deleted:
                raise StoreError(f"{self._location} holds no image {image_id} any more: it was deleted.")
        self._deleted.update(dict.fromkeys(ids))
        if self._sync_each_batch:
            self._commit_or_fail()

    def _commit_or_fail(self) -> None:
        try:
            self._commit()
        except OSError as error:
            self.abort()
            raise file_error(self._location / LABELS, error) from None

    def _commit(self) -> None:
        """Update the table and the manifest, then remove the files of deleted images."""
        lost = self._cut_rows() if self._deleted else []
        if self._added:
            os.lseek(self._table, 0, os.SEEK_END)
            write_all(self._table, b"".join(row for _, row in self._added))
        if self._sync_each_batch:
            self._force(self._table)
        if self._added or lost:
            self.content = self._reader.content = replace(self.content, count=self._live_ids.count)
            reader = self._reader
            layout = {"fanout": reader.fanout, "row": reader.row, "extension": reader.extension}
            manifest = write_manifest("disk", self.content, **layout, next=self._live_ids.next_id)
            self._swap(MANIFEST, manifest.encode("utf-8"))
            self._reader.open_table()
            self._added = []
        for name in lost:
            os.unlink(name, dir_fd=self._root)
        for folder in {name.rpartition("/")[0] for name in lost} - {""}:
            self._changed_names.add(folder)
            with contextlib.suppress(OSError):  # most are not empty
                os.rmdir(folder, dir_fd=self._root)
                self._folders.discard(folder)
        if self._sync_each_batch:
            self._force_folders()

    def _cut_rows(self) -> list[str]:
        """Replace the table by one without the rows of deleted images; return the names of their files."""
        lost = list(self._deleted)
        indices = self._live_ids.rows(lost)
        names = [self._file_of(image_id, index) for image_id, index in zip(lost, indices, strict=True)]
        deleted, count, width = np.sort(np.array(indices)), self._live_ids.count, self._reader.row
        table = self._open(LABELS + PARTIAL)
        try:
            write_all(table, HEADER)
            for start in range(0, count, _ROWS):
                stop = min(start + _ROWS, count)
                rows = np.frombuffer(self._reader.rows(start, stop), np.uint8).reshape(-1, width)
                deleted_here = deleted[np.searchsorted(deleted, start) : np.searchsorted(deleted, stop)] - start
                write_all(table, np.delete(rows, deleted_here, axis=0).tobytes())
            if self._sync_each_batch:
                self._force(table)
        finally:
            os.close(table)
        os.rename(LABELS + PARTIAL, LABELS, src_dir_fd=self._root, dst_dir_fd=self._root)
        self._open_table()
        self._live_ids.delete(lost)
        self._deleted.clear()
        return names

    def _swap(self, name: str, data: bytes) -> None:
        """Write a file under a temporary name, and rename it over the existing one."""
        self._write(name + PARTIAL, data)
        os.rename(name + PARTIAL, name, src_dir_fd=self._root, dst_dir_fd=self._root)

    def _write(self, name: str, data: bytes) -> None:
        self._changed_names.add(name.removesuffix(PARTIAL))
        file = self._open(name)
        try:
            write_all(file, data)
            if self._sync_each_batch:
                self._force(file)
        finally:
            os.close(file)

    def _open(self, name: str) -> int:
        """Open a file for writing, empty: what a crash left under its name is of no use."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(name, flags, 0o666, dir_fd=self._root)

    def _force(self, descriptor: int) -> None:
        os.fsync(descriptor)
        self.syncs += 1

    def _force_folders(self) -> None:
        for folder in sorted(self._folders - {""}):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._root)
            try:
                self._force(descriptor)
            finally:
                os.close(descriptor)
        self._folders.clear()
        self._force(self._root)

    def changed_paths(self) -> Iterable[Path]:
        """Return the files that were written and exist, and the folders from which files were removed."""
        return [path for name in sorted(self._changed_names) if (path := self._location / name).exists()]

    def close(self) -> None:
        """Update the table and the manifest, and close the store."""
        if self._table < 0:
            return
        try:
            self._commit_or_fail()
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the store; added files that are not in the table are removed."""
        if self._table < 0:
            return
        os.close(self._table)
        self._table = -1
        for name, _ in self._added:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=self._root)
        self._reader.close()
