"""One file an image, and one CSV of labels: what everybody starts with."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui import pictures
from imgstore_tui.core.backend import Backend, Content, Family, PayloadKind, Preset, Reader, Writer
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.manifest import (
    check_complete,
    check_ids,
    check_put,
    claim,
    foreign,
    read_manifest,
    write_manifest,
)
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

_MANIFEST = "store.json"
_LABELS = "labels.csv"
_HEADER = b"filename,label\n"
_DIGITS = 8
_LABEL_WIDTH = 20  # as wide as the smallest int64
_MAX_EXTENSION = 8
_EXTENSION = re.compile(rf"^[a-z0-9]{{1,{_MAX_EXTENSION}}}$")


class DiskBackend(Backend):
    """A folder of files named by id, and ``labels.csv``, whose rows are of one length so that each can be found."""

    name = "disk"
    title = "Files on disk"
    family = Family.FILES
    payloads = frozenset({PayloadKind.BYTES})
    default_codec = "png"
    presets = (
        Preset("tuned", "subfolders of 1,000 files, so that listing stays quick"),
        Preset(
            "article",
            "one PNG an image in one folder with Pillow's own settings, one CSV of labels; a small store.json beside "
            "them is ours",
            options={"fanout": 0},
            codec_options={"level": 6, "strategy": "default"},
        ),
    )
    options = (
        Option(
            "fanout",
            1000,
            "Files in a subfolder, 0 for one flat folder; 1000, which costs nothing and keeps listings usable.",
            minimum=0,
            maximum=1_000_000,
        ),
    )
    caveats = (
        "Slowest by far for many small images: each costs the file system an open, a name and at least one block, and "
        "copying, backing up or deleting millions of files is slow too."
    )
    when_to_choose = (
        "Choose it when people or other tools must see single images, when images are large, or when there are few: "
        "nothing needs a library, and one damaged file is one lost image."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Make the folder; the manifest that makes it a store comes last, at ``close``."""
        if content.count > 10**_DIGITS:
            raise UnsupportedError(f"Backend disk numbers its files with {_DIGITS} digits: at most 100,000,000 images.")
        claim(self, location, content)
        return _DiskWriter(location, content, int(self.values["fanout"]), sync)

    def open(self, location: Path) -> Reader:
        """Read the manifest and open the labels."""
        return _DiskReader(location)


class _DiskWriter(Writer):
    def __init__(self, location: Path, content: Content, fanout: int, sync: SyncLevel) -> None:
        self._location, self._content, self._fanout = location, content, fanout
        self._each = sync is SyncLevel.BATCH
        self._put = 0
        self._open = True
        self._mixed = content.codec == "original"
        self._extension: str | None = None
        self._width = len(_name(0, fanout)) + 1 + _MAX_EXTENSION + 1 + _LABEL_WIDTH + 1
        self._folder: tuple[str, int] | None = None
        self._root = os.open(location, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._labels = self._new_file(_LABELS, self._root)
            _write(self._labels, _HEADER)
        except OSError as error:
            os.close(self._root)
            raise _failed(location / _LABELS, error) from None

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Create one file a payload, then add the batch's rows to the CSV."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        rows = []
        width, fanout = self._width, self._fanout
        name = _LABELS
        try:
            for image_id, payload, label in zip(ids, payloads, labels.tolist(), strict=True):
                if self._extension is None or self._mixed:
                    self._extension = _extension_of(payload, self._content.codec)
                name = f"{_name(image_id, fanout)}.{self._extension}"
                self._put_file(name, payload)
                rows.append(f"{name},{label:>{width - len(name) - 2}}\n")
            _write(self._labels, "".join(rows).encode("ascii"))
            self._put += len(rows)
            if self._each:
                self._sync(self._labels)
                if self._folder is not None:
                    self._sync(self._folder[1])
                self._sync(self._root)
        except OSError as error:
            raise _failed(self._location / name, error) from None

    def _put_file(self, name: str, payload: bytes) -> None:
        folder, slash, leaf = name.rpartition("/")
        descriptor = self._root
        if slash:
            if self._folder is None or self._folder[0] != folder:
                self._leave_folder()
                os.mkdir(folder, dir_fd=self._root)
                self._folder = (folder, os.open(folder, os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._root))
            descriptor = self._folder[1]
        file = self._new_file(leaf, descriptor)
        try:
            _write(file, payload)
            if self._each:
                self._sync(file)
        finally:
            os.close(file)

    @staticmethod
    def _new_file(name: str, folder: int) -> int:
        return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder)

    def _sync(self, descriptor: int) -> None:
        os.fsync(descriptor)
        self.syncs += 1

    def _leave_folder(self) -> None:
        if self._folder is not None:
            _, descriptor = self._folder
            self._folder = None
            try:
                if self._each:
                    self._sync(descriptor)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        """Write the manifest, last: a folder without it is no store."""
        if not self._open:
            return
        try:
            check_complete(self._location, self._content, self._put)
            manifest = write_manifest(
                "disk",
                self._content,
                fanout=self._fanout,
                row=self._width,
                extension=None if self._mixed else self._extension,
            )
            file = self._new_file(_MANIFEST, self._root)
            try:
                _write(file, manifest.encode("utf-8"))
                if self._each:
                    self._sync(file)
            finally:
                os.close(file)
            self._leave_folder()
            if self._each:
                self._sync(self._root)
        except OSError as error:
            raise _failed(self._location / _MANIFEST, error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Close what is open; without a manifest the folder does not open as a store."""
        if self._open:
            self._open = False
            self._each = False
            self._leave_folder()
            os.close(self._labels)
            os.close(self._root)


class _DiskReader(Reader):
    def __init__(self, location: Path) -> None:
        self._location = location
        self._folder = -1
        self._labels = -1
        try:
            self._folder = os.open(location, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            manifest = self._read_file(_MANIFEST)
        except FileNotFoundError:
            self.close()
            if location.is_dir():
                raise foreign("disk", location) from None
            raise StoreError(f"{location} does not exist.") from None
        except NotADirectoryError:
            raise foreign("disk", location) from None
        except OSError as error:
            self.close()
            raise _failed(location / _MANIFEST, error) from None
        try:
            self.content, found = read_manifest(manifest, "disk", location)
            self._layout(found)
            self._open_labels()
        except BaseException:
            self.close()
            raise

    def _layout(self, found: Any) -> None:
        fanout, row, extension = found.get("fanout"), found.get("row"), found.get("extension")
        sound = isinstance(fanout, int) and 0 <= fanout <= 10**6 and isinstance(row, int) and 32 <= row <= 256
        sound = sound and (extension is None or (isinstance(extension, str) and bool(_EXTENSION.match(extension))))
        if not sound or self.content.kind is not PayloadKind.BYTES:
            raise StoreError(f"{self._location} is damaged: what it says of its layout makes no sense.")
        self._fanout, self._row, self._extension = fanout, row, extension

    def _open_labels(self) -> None:
        path = self._location / _LABELS
        try:
            self._labels = os.open(_LABELS, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._folder)
            size = os.fstat(self._labels).st_size
        except OSError as error:
            raise _failed(path, error) from None
        if size != len(_HEADER) + self.content.count * self._row:
            raise StoreError(f"{path} is damaged: it does not hold {self.content.count} rows of {self._row} bytes.")

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Read one file an id, and its row of the CSV."""
        run = check_ids(self._location, self.content.count, ids)
        if run is not None:
            rows = self._rows(*run)
            labels[:] = self._parse(rows)
            names = [rows[at : at + self._row] for at in range(0, len(rows), self._row)]
        else:
            names = [self._rows(image_id, image_id + 1) for image_id in ids]
            labels[:] = self._parse(b"".join(names))
        payloads = []
        for image_id, row in zip(ids, names, strict=True):
            name = f"{_name(image_id, self._fanout)}.{self._extension or self._extension_in(row, image_id)}"
            try:
                payloads.append(self._read_file(name))
            except OSError as error:
                raise _failed(self._location / name, error) from None
        return payloads

    def read_labels(self) -> Labels:
        """Read the CSV alone."""
        return self._parse(self._rows(0, self.content.count))

    def _rows(self, start: int, stop: int) -> bytes:
        length = (stop - start) * self._row
        try:
            rows = os.pread(self._labels, length, len(_HEADER) + start * self._row)
            while len(rows) < length:  # a read of more than 2 GiB comes in parts
                more = os.pread(self._labels, length - len(rows), len(_HEADER) + start * self._row + len(rows))
                if not more:
                    raise StoreError(f"{self._location / _LABELS} has been cut short.")
                rows += more
        except OSError as error:
            raise _failed(self._location / _LABELS, error) from None
        return rows

    def _parse(self, rows: bytes) -> Labels:
        if not rows:
            return np.zeros(0, np.int64)
        table = np.frombuffer(rows, np.uint8).reshape(-1, self._row)
        fields = np.ascontiguousarray(table[:, -1 - _LABEL_WIDTH : -1]).view(f"S{_LABEL_WIDTH}")[:, 0]
        try:
            return fields.astype(np.int64)
        except (ValueError, OverflowError):
            raise StoreError(f"{self._location / _LABELS} is damaged: a label in it is no number.") from None

    def _extension_in(self, row: bytes, image_id: int) -> str:
        """Return what stands behind the dot in a row; nothing else of it is believed."""
        extension = row.partition(b",")[0].rpartition(b".")[2].decode("ascii", "replace")
        if not _EXTENSION.match(extension):
            raise StoreError(f"{self._location / _LABELS} is damaged: the row of image {image_id} names no file.")
        return extension

    def _read_file(self, name: str) -> bytes:
        # No link is followed out of the store, and nothing that is no file is waited for.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.open(name, flags, dir_fd=self._folder)
        try:
            size = os.fstat(file).st_size
            data = os.read(file, size)
            while len(data) < size:
                more = os.read(file, size - len(data))
                if not more:
                    break
                data += more
            return data
        finally:
            os.close(file)

    def close(self) -> None:
        """Close the folder and the labels."""
        for descriptor in (self._folder, self._labels):
            if descriptor >= 0:
                os.close(descriptor)
        self._folder = self._labels = -1


def _name(image_id: int, fanout: int) -> str:
    """Return the path of an image's file below the store, without its extension."""
    leaf = f"{image_id:0{_DIGITS}d}"
    return f"{image_id // fanout:0{_DIGITS}d}/{leaf}" if fanout else leaf


def _extension_of(payload: bytes, codec: str) -> str:
    """Return the extension that a payload's first bytes call for, else the codec's name."""
    return pictures.EXTENSIONS.get(pictures.sniff(payload) or "", codec if _EXTENSION.match(codec) else "bin")


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _failed(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path}: {error.strerror or error}.")
