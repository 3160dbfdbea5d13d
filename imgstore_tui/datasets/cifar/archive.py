"""Reads the files of CIFAR from a folder, from one file, or from an archive that is never unpacked to disk."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import tarfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from imgstore_tui.core.errors import DataError
from imgstore_tui.core.text import safe_text

_LARGEST_ARCHIVE = 1 << 30
"""Most unpacked bytes of an archive; the published ones have less than 200 MB, and more is a decompression bomb."""
_PIECE = 1 << 20
_MOST_MEMBERS = 1_000
_CUT_SHORT = (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError)


class CifarFiles(ABC):
    """Named files that can be read at any offset."""

    random_access: bool
    """Whether a read takes the same time at any offset."""
    single = False
    """Whether there is one file only, which may have any name."""

    @abstractmethod
    def find(self, names: frozenset[str]) -> Iterator[tuple[str, int]]:
        """Yield name and size of the files among ``names`` that exist, in the order that is fastest to read.

        Raises:
            DataError: If the archive is damaged; files yielded before can still be read.
        """

    @abstractmethod
    def read(self, name: str, offset: int, count: int) -> bytes:
        """Return exactly ``count`` bytes of a file that was found.

        Raises:
            DataError: If there are fewer, or the file has changed or is gone since ``find``.
        """

    @abstractmethod
    def checksum(self, name: str) -> str | None:
        """Return a file's MD5, or None if only the archive as a whole has a published one."""

    def archive_checksum(self) -> str | None:
        """Return the archive's MD5; None if there is no archive."""
        return None


def open_files(path: Path, folders: tuple[str, ...], archives: tuple[str, ...]) -> CifarFiles:
    """Return the files at ``path``: a folder, an archive, or one file.

    Args:
        path: The path that the user gives.
        folders: Names of subfolders that are searched as well.
        archives: Names of archives in that folder that are read if there is no such subfolder.

    Raises:
        DataError: If it is missing or cannot be read.
    """
    where = f"'{safe_text(str(path))}'"
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            inside = set(os.listdir(path))  # noqa: PTH208 - Path's says less about what went wrong
            for name in archives:
                if name in inside and not inside.intersection(folders):
                    return open_files(path / name, (), ())
            return FolderFiles(path, [path, *(path / name for name in folders)])
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{where} is neither a file nor a folder.")
        with path.open("rb") as file:
            head = file.read(512)
    except FileNotFoundError:
        raise DataError(f"There is nothing at {where}. Check the path.") from None
    except PermissionError:
        raise DataError(f"{where} may not be read. Ask its owner for the permission to.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{where} cannot be read: {_reason(error)}.") from None
    if head.startswith(b"\x1f\x8b") or head[257:262] == b"ustar":
        return ArchiveFiles(path, packed=head.startswith(b"\x1f\x8b"))
    return FolderFiles(path, [])


class FolderFiles(CifarFiles):
    """Files on a file system; opened for every read, so that truncation meanwhile is an error and not a crash."""

    random_access = True

    def __init__(self, path: Path, folders: list[Path]) -> None:
        self._path, self._folders = path, folders
        self.single = not folders
        self._files: dict[str, Path] = {}
        self._stat: dict[str, tuple[int, int]] = {}

    def find(self, names: frozenset[str]) -> Iterator[tuple[str, int]]:
        """Yield the one file, whatever its name, or the files of the folders."""
        paths = [folder / name for folder in self._folders for name in sorted(names)] or [self._path]
        for path in paths:
            try:
                status = path.stat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and path.name not in self._files:
                self._files[path.name] = path
                self._stat[path.name] = (status.st_size, status.st_mtime_ns)
                yield path.name, status.st_size

    def read(self, name: str, offset: int, count: int) -> bytes:
        """Return bytes of a file that has not changed since ``find``."""
        path = self._files[name]
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode) or self._stat[name] != (status.st_size, status.st_mtime_ns):
                    raise DataError(f"'{safe_text(str(path))}' has changed since it was looked at.")
                data = os.pread(descriptor, count, offset)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise DataError(f"'{safe_text(str(path))}' cannot be read: {_reason(error)}.") from None
        if len(data) != count:
            raise DataError(f"'{safe_text(str(path))}' ends too early.")
        return data

    def checksum(self, name: str) -> str:
        """Return the MD5 of a file."""
        digest = hashlib.md5(usedforsecurity=False)
        size = self._stat[name][0]
        for offset in range(0, size, _PIECE):
            digest.update(self.read(name, offset, min(_PIECE, size - offset)))
        return digest.hexdigest()


class _Bounded(io.RawIOBase):
    """A stream that raises DataError if it unpacks to far more than it may, before time or memory run out."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET or not 0 <= offset <= _LARGEST_ARCHIVE:
            raise DataError("The archive unpacks to more than a gigabyte, which no CIFAR archive does.")
        return self._stream.seek(offset)

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _PIECE:  # a header that claims gigabytes
            raise DataError("The archive holds a header that no CIFAR archive has.")
        return self._stream.read(size)


class ArchiveFiles(CifarFiles):
    """Files in a tar archive, gzipped or not. Reading backwards in a gzipped one unpacks it from the start."""

    random_access = False

    def __init__(self, path: Path, *, packed: bool) -> None:
        self._path = path
        self._where = f"'{safe_text(str(path))}'"
        self._members: dict[str, tuple[int, int]] = {}
        file = path.open("rb")
        status = os.fstat(file.fileno())
        self._file, self._stat = file, (status.st_size, status.st_mtime_ns)
        unpacked = gzip.GzipFile(fileobj=file, mode="rb") if packed else file
        self._stream = _Bounded(unpacked)  # type: ignore[arg-type]  # a GzipFile is an IO[bytes] in all that counts

    def find(self, names: frozenset[str]) -> Iterator[tuple[str, int]]:
        """Yield the files in the order of the archive; names of folders are ignored."""
        try:
            with tarfile.open(fileobj=self._stream, mode="r:") as archive:
                for number, member in enumerate(archive):
                    if number >= _MOST_MEMBERS:
                        raise DataError(f"The archive {self._where} holds more files than CIFAR has.")
                    name = PurePosixPath(member.name).name
                    if name in names and member.isreg() and not member.issparse() and name not in self._members:
                        self._members[name] = (member.offset_data, member.size)
                        yield name, member.size
        except DataError:
            raise
        except Exception as error:  # the exceptions of tarfile for hostile headers are not documented
            raise DataError(f"The archive {self._where} is cut short or damaged: {_reason(error)}.") from None

    def read(self, name: str, offset: int, count: int) -> bytes:
        """Return bytes of a member."""
        start, size = self._members[name]
        pieces: list[bytes] = []
        try:
            status = os.fstat(self._file.fileno())
            if self._stat != (status.st_size, status.st_mtime_ns):
                raise DataError(f"The archive {self._where} has changed since it was looked at.")
            if offset + count > size:
                raise EOFError
            self._stream.seek(start + offset)
            while count:
                piece = self._stream.read(min(count, _PIECE))
                if not piece:
                    raise EOFError
                pieces.append(piece)
                count -= len(piece)
        except _CUT_SHORT:
            raise DataError(f"The archive {self._where} is cut short or damaged within it.") from None
        except OSError as error:
            raise DataError(f"The archive {self._where} cannot be read: {_reason(error)}.") from None
        return b"".join(pieces)

    def checksum(self, name: str) -> None:
        """Return None: the checksum of the archive covers the file."""
        return

    def archive_checksum(self) -> str:
        """Return the archive's MD5."""
        digest = hashlib.md5(usedforsecurity=False)
        with self._path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        return digest.hexdigest()

    def __del__(self) -> None:
        # A dataset is never closed; the archive stays open between reads because seeking back in it is expensive.
        self._file.close()


def _reason(error: Exception) -> str:
    return safe_text(str(getattr(error, "strerror", None) or "") or str(error) or type(error).__name__)
