"""Writes a store of files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.backends.disk.layout import (
    HEADER,
    LABELS,
    MANIFEST,
    extension_of,
    file_error,
    file_name,
    name_of,
    named_row,
    named_row_width,
    new_file,
    open_folder,
    row_of,
    row_width,
    write_all,
)
from imgstore_tui.core.backend import Content, Writer
from imgstore_tui.core.content import ORIGINAL_CODEC
from imgstore_tui.core.manifest import check_complete, check_put, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.names_file import encode_names, missing_names

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels


class DiskWriter(Writer):
    """Creates one file per image, and appends the rows of each batch to the table."""

    def __init__(self, location: Path, content: Content, fanout: int, sync: SyncLevel) -> None:
        self._location, self._content, self._fanout = location, content, fanout
        self._sync_each_batch = sync is SyncLevel.BATCH
        self._put = 0
        self._open = True
        self._keeps_extensions = content.codec == ORIGINAL_CODEC
        self._extension: str | None = None
        self._width = named_row_width(content.name_bytes) if content.name_bytes else row_width(fanout)
        self._names: list[str] = []
        """Names of the next batch."""
        self._folder: tuple[str, int] | None = None
        self._root = os.open(location, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._labels = new_file(LABELS, self._root)
            write_all(self._labels, HEADER)
        except OSError as error:
            os.close(self._root)
            raise file_error(location / LABELS, error) from None

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Create one file per payload, then append the rows of the batch to the CSV."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        rows = []
        image_names, self._names = self._names, []
        if self._content.name_bytes and len(image_names) != len(ids):
            raise missing_names(self._location, len(ids) - len(image_names))
        width, fanout = self._width, self._fanout
        name = LABELS
        try:
            for image_name, payload, label in zip(image_names, payloads, labels.tolist(), strict=bool(image_names)):
                name = file_name(image_name, payload, self._content.codec)
                self._put_file(name, payload)
                rows.append(named_row(name, label, width))
            for image_id, payload, label in () if image_names else zip(ids, payloads, labels.tolist(), strict=True):
                if self._extension is None or self._keeps_extensions:
                    self._extension = extension_of(payload, self._content.codec)
                name = f"{name_of(image_id, fanout)}.{self._extension}"
                self._put_file(name, payload)
                rows.append(row_of(name, label, width))
            write_all(self._labels, b"".join(rows))
            self._put += len(rows)
            if self._sync_each_batch:
                self._sync(self._labels)
                if self._folder is not None:
                    self._sync(self._folder[1])
                self._sync(self._root)
        except OSError as error:
            raise file_error(self._location / name, error) from None

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Take the paths of the files of the next batch."""
        encode_names(self._location, self._content, names)
        self._names = list(names)

    def _put_file(self, name: str, payload: bytes) -> None:
        folder, slash, leaf = name.rpartition("/")
        descriptor = self._root
        if slash:
            if self._folder is None or self._folder[0] != folder:
                self._leave_folder()
                self._folder = folder, open_folder(folder, self._root, make=True)
            descriptor = self._folder[1]
        file = new_file(leaf, descriptor)
        try:
            write_all(file, payload)
            if self._sync_each_batch:
                self._sync(file)
        finally:
            os.close(file)

    def _sync(self, descriptor: int) -> None:
        os.fsync(descriptor)
        self.syncs += 1

    def _leave_folder(self) -> None:
        if self._folder is not None:
            _, descriptor = self._folder
            self._folder = None
            try:
                if self._sync_each_batch:
                    self._sync(descriptor)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        """Write the manifest, without which the folder is not a store, and close the store."""
        if not self._open:
            return
        try:
            check_complete(self._location, self._content, self._put)
            manifest = write_manifest(
                "disk",
                self._content,
                fanout=self._fanout,
                row=self._width,
                extension=None if self._keeps_extensions or self._content.name_bytes else self._extension,
            )
            file = new_file(MANIFEST, self._root)
            try:
                write_all(file, manifest.encode("utf-8"))
                if self._sync_each_batch:
                    self._sync(file)
            finally:
                os.close(file)
            self._leave_folder()
            if self._sync_each_batch:
                self._sync(self._root)
        except OSError as error:
            raise file_error(self._location / MANIFEST, error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the store; without a manifest the folder does not open as one."""
        if self._open:
            self._open = False
            self._sync_each_batch = False
            self._leave_folder()
            os.close(self._labels)
            os.close(self._root)
