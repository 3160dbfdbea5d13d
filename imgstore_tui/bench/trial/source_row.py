"""Reads the user's files in place, as they are, as if they were a store: the source row. It never writes.

In place of a store there is a list of the files that take part, kept in the pixel cache, never near the data: a table
of rows of one length, then the paths that the rows point to.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from imgstore_tui.core.backend import Backend, Content, DiskUsage, Family, PayloadKind, Preset, Reader, Writer
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.manifest import check_ids
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.spec import IN_PLACE, Spec
from imgstore_tui.core.text import safe_text
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.local import LocalBackend

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels

LIST_NAME = "files.bin"
_ROW = struct.Struct("<qqqqq")  # offset and length of the path, size of the file, modification time in ns, label
# No link is followed, a pipe or device does not block, nothing can be written.
_READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file as it was when the data was scanned."""

    path: Path
    """Absolute, and not a link."""
    size: int
    modified_ns: int
    label: int

    @classmethod
    def of(cls, path: Path, label: int) -> ListedFile:
        """Return the state of a file now."""
        status = path.lstat()
        return cls(path, status.st_size, status.st_mtime_ns, label)


def write_list(folder: Path, files: Sequence[ListedFile]) -> None:
    """Write the list of the files that take part, in their order, into the pixel cache."""
    start = _ROW.size * len(files)
    with (folder / LIST_NAME).open("wb") as stream:
        for file in files:
            length = len(os.fsencode(file.path))
            stream.write(_ROW.pack(start, length, file.size, file.modified_ns, file.label))
            start += length
        for file in files:
            stream.write(os.fsencode(file.path))


def backend_class(spec: Spec) -> type[Backend]:
    """Return the backend of a spec, that of the source row included."""
    return SourceRow if spec == IN_PLACE else registry.backends.get(spec.backend)


class SourceRow(LocalBackend):
    """The user's own files as a store that can only be read and measured."""

    name = IN_PLACE.backend
    title = "Your files as they are"
    opened_by = "whatever opens them now"
    family = Family.FILES
    payloads = frozenset({PayloadKind.BYTES})
    default_codec = IN_PLACE.codec
    presets = (Preset("", "read in place"),)
    caveats = "The list of names and labels is ours and is held ready: finding the files is not on the clock."
    when_to_choose = "It is what you have: what does not beat it is not worth the trouble of converting."

    def __init__(self, images: int) -> None:
        """Create the backend for the first ``images`` images; those beyond the data repeat it."""
        super().__init__({})
        self._images = images

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Raise UnsupportedError: the user's files are only read."""
        self._refuse()

    def open(self, location: Path) -> Reader:
        """Open the list of files."""
        return _SourceRowReader(location, self._images)

    def files(self, location: Path) -> Iterator[Path]:
        """Yield the user's files that take part."""
        with _SourceRowReader(location, self._images) as reader:
            yield from (Path(os.fsdecode(reader.row(index)[0])) for index in range(min(self._images, reader.distinct)))

    def disk_usage(self, location: Path) -> DiskUsage:
        """Return the disk usage of the files, folders excluded; unknown if images repeat, which no disk stores."""
        with _SourceRowReader(location, self._images) as reader:
            if self._images > reader.distinct:
                return DiskUsage(None, None, None)
        # As du counts: a file with two names once.
        statuses = {(status.st_dev, status.st_ino): status for status in map(Path.lstat, self.files(location))}
        return DiskUsage(
            sum(status.st_size for status in statuses.values()),
            sum(status.st_blocks * 512 for status in statuses.values()),
            len(statuses),
        )

    def make_durable(self, location: Path, changed: Iterable[Path] | None = None) -> int:
        """Do nothing: nothing was written."""
        return 0

    def destroy(self, location: Path) -> None:
        """Raise UnsupportedError: the user's files are only read."""
        self._refuse()

    @staticmethod
    def _refuse() -> NoReturn:
        raise UnsupportedError("The source row is your own data, which is only read.")


class _SourceRowReader(Reader):
    def __init__(self, folder: Path, images: int) -> None:
        self._map: mmap.mmap | None = None
        try:
            descriptor = os.open(folder / LIST_NAME, os.O_RDONLY | os.O_CLOEXEC)
            try:
                self._map = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StoreError(f"{folder / LIST_NAME}: {error.strerror or error}.") from None
        self._folder = folder
        # The first path begins where the rows end.
        self.distinct = _ROW.unpack_from(self._map)[0] // _ROW.size
        self.content = Content(images, PayloadKind.BYTES, IN_PLACE.codec)

    def row(self, image_id: int) -> tuple[bytes, int, int, int]:
        """Return path, size, modification time in ns and label of an image."""
        if self._map is None:
            raise StoreError(f"{self._folder} is closed.")
        start, length, size, modified_ns, label = _ROW.unpack_from(self._map, image_id % self.distinct * _ROW.size)
        return self._map[start : start + length], size, modified_ns, label

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Read one file per id."""
        check_ids(self._folder, self.content.count, ids)
        payloads = []
        for position, image_id in enumerate(ids):
            path, size, modified_ns, labels[position] = self.row(image_id)
            payloads.append(_read(path, size, modified_ns))
        return payloads

    def read_labels(self) -> Labels:
        """Return the labels of the list."""
        labels = np.fromiter((self.row(index)[3] for index in range(self.distinct)), np.int64, self.distinct)
        return np.resize(labels, self.content.count)

    def close(self) -> None:
        if self._map is not None:
            self._map.close()
            self._map = None


def _read(path: bytes, size: int, modified_ns: int) -> bytes:
    """Return a file's bytes, if it is unchanged since the scan."""
    try:
        descriptor = os.open(path, _READ_ONLY)
        try:
            status = os.fstat(descriptor)
            if status.st_size != size or status.st_mtime_ns != modified_ns or not stat.S_ISREG(status.st_mode):
                raise _changed(path, "has changed")
            data = os.read(descriptor, size)
            while len(data) < size:  # truncated meanwhile, or more than the 2 GiB of one read
                more = os.read(descriptor, size - len(data))
                if not more:
                    raise _changed(path, "has changed")
                data += more
            return data
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR}:
            raise _changed(path, "is gone") from None
        if error.errno == errno.ELOOP:
            raise _changed(path, "has become a link") from None
        raise StoreError(f"Picture '{safe_text(os.fsdecode(path))}' cannot be read: {error.strerror}.") from None


def _changed(path: bytes, change: str) -> StoreError:
    return StoreError(f"Picture '{safe_text(os.fsdecode(path))}' {change} since the run began.")
