"""Reads the pictures in zip archives in place; nothing is unpacked to disk, and no name in an archive is a path here.

The folders in the archive give the classes, or a table in it that the user names. Sources: the .ZIP file format
specification (APPNOTE), zlib(3).
"""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from array import array
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from imgstore_tui.core.dataset import Excluded
from imgstore_tui.core.errors import DataError, StoreError
from imgstore_tui.core.foreign_layout import NOTHING_NAMED, ForeignLayout
from imgstore_tui.core.text import first_line, safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.images import decode
from imgstore_tui.storekit import dataset_json, label_table
from imgstore_tui.storekit.class_folders import class_folders, is_in_folder
from imgstore_tui.storekit.foreign_files import ByteRangeFile
from imgstore_tui.storekit.label_column import LabelColumn, no_labels, parse_labels
from imgstore_tui.storekit.store_errors import damaged_error

_LARGEST_FILE = 2**30
"""Larger pictures are left out, because files are read into memory whole."""
_LARGEST_DIRECTORY = 2**28
"""Bytes of the largest list of files that is read, which stands for some million files."""
_MOST_SHRUNK, _FREE_BYTES = 1100, 2**16
"""No picture shrinks by more, but for small ones; an entry that claims so would exhaust the memory."""
_TAIL = 2**16 + 22 + 76
_END, _END_64 = b"PK\5\6", b"PK\6\6"
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED = 1
_HEAD = 32
_TABLES = (".csv", ".tsv", ".json")
"""Endings of files that may hold labels."""


class ZipPictures(ByteRangeFile):
    """One archive: its pictures in order, with the folders in it as classes."""

    def __init__(self, path: Path, layout: ForeignLayout = NOTHING_NAMED) -> None:
        """Index an archive; ``image`` of the layout is the folder of its pictures, ``label`` a table in it."""
        super().__init__(path)
        self._folder, self._table = layout.image.strip("/"), layout.label
        self.beside = Counter()
        self.names: list[str] = []
        """Name of each picture, as the archive has it."""
        self._sizes, self._sums, self._methods = array("q"), array("Q"), array("b")
        try:
            self._check_directory()
            with zipfile.ZipFile(path.resolve()) as archive:
                self._index(archive)
                self.labels = self._labels_in(archive)
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, UnicodeDecodeError) as error:
            self.close()
            raise damaged_error(path, first_line(error), "zip archive") from None
        except BaseException:
            self.close()
            raise

    def _labels_in(self, archive: zipfile.ZipFile) -> LabelColumn:
        """Return the labels of the named table, those that StyleGAN's ``dataset.json`` gives, or folders as classes."""
        if self._table:
            return self._labels_in_table(archive)
        try:
            entry = archive.getinfo(dataset_json.NAME)
        except KeyError:
            entry = None
        if entry is not None and not _reason_against(entry) and entry.file_size <= dataset_json.LARGEST:
            column = dataset_json.labels_in(archive.read(entry), self.names)
            if column is not None:
                return column
        classes, note = class_folders(self.names)
        if classes:
            return replace(parse_labels(classes, len(classes), "the folder"), note=note)
        tables = [name for name in archive.namelist() if name.lower().endswith(_TABLES)]
        if tables and not note:
            note = f"the archive has no class folders, but {safe_text(tables[0])}, which label= may name"
        return no_labels(note or "the archive has no folders that tell classes apart")

    def _labels_in_table(self, archive: zipfile.ZipFile) -> LabelColumn:
        """Return the labels of a table in the archive: a CSV, or a file like ``dataset.json``.

        Raises:
            StoreError: If there is no such file, or it does not match the pictures.
        """
        shown = safe_text(self._table)
        try:
            entry = archive.getinfo(self._table)
        except KeyError:
            tables = ", ".join(safe_text(name) for name in archive.namelist() if name.lower().endswith(_TABLES))
            raise StoreError(f"{self.path} has no file {shown}; its tables: {tables or 'none'}.") from None
        if reason := _reason_against(entry):
            raise StoreError(f"{self.path}: {shown} is not read. {reason}")
        data, below = archive.read(entry), self._table.rpartition("/")[0] + "/"
        # Names in a table are paths below its folder, if all pictures are there.
        in_folder = below != "/" and all(name.startswith(below) for name in self.names)
        names = [name.removeprefix(below) for name in self.names] if in_folder else self.names
        if self._table.lower().endswith(".json"):
            column = dataset_json.labels_in(data, names)
            if column is None:
                raise StoreError(f"{self.path}: {shown} is no list of labels as in StyleGAN's dataset.json.")
            return column
        try:
            labels = label_table.parse_table(data, self._table, names)
        except DataError as error:
            raise StoreError(f"{self.path}: {error}") from None
        return LabelColumn(np.frombuffer(labels.numbers, np.int64), labels.names)

    def _check_directory(self) -> None:
        """Refuse a list of files that no memory should hold, before it is read."""
        tail = self.file.read_at(max(0, self.file.size - _TAIL), min(_TAIL, self.file.size))
        end, end_64 = tail.rfind(_END), tail.rfind(_END_64)
        size = struct.unpack_from("<L", tail, end + 12)[0] if 0 <= end <= len(tail) - 22 else 0
        if size == 0xFFFFFFFF and 0 <= end_64 <= len(tail) - 56:
            size = struct.unpack_from("<Q", tail, end_64 + 40)[0]
        if size > _LARGEST_DIRECTORY:
            raise StoreError(f"{self.path} has a list of files of more than 256 MiB, which is not read; split it.")

    def _index(self, archive: zipfile.ZipFile) -> None:
        entries = archive.infolist()
        last = {entry.filename: entry.header_offset for entry in entries}
        for entry in entries:
            folder, _, leaf = entry.filename.rpartition("/")
            kind = f".{leaf.rpartition('.')[2].lower()}" if "." in leaf else ""
            if entry.is_dir():
                self.beside["folders"] += 1
            elif leaf.startswith(".") or "__MACOSX" in folder.split("/"):
                self.beside["hidden files"] += 1
            elif kind in decode.UNDECODED_SUFFIXES:
                self.excluded.append(Excluded(entry.filename, decode.undecoded_reason(kind)))
            elif kind not in decode.SUFFIXES and (kind or not _begins_like_a_picture(archive, entry)):
                self.beside[kind or "without an ending"] += 1
            elif self._folder and not is_in_folder(entry.filename, self._folder):
                self.excluded.append(Excluded(entry.filename, f"It is not in the folder {safe_text(self._folder)}."))
            elif last[entry.filename] != entry.header_offset:
                self.excluded.append(Excluded(entry.filename, "A later entry has the same name."))
            elif reason := _reason_against(entry):
                self.excluded.append(Excluded(entry.filename, reason))
            else:
                self.names.append(entry.filename)
                self.ranges.append((entry.header_offset, entry.compress_size))
                self._sizes.append(entry.file_size)
                self._sums.append(entry.CRC)
                self._methods.append(entry.compress_type)

    def payload(self, number: int) -> bytes:
        """Return the bytes of a picture, unpacked into no more memory than the archive says, and verified.

        Raises:
            StoreError: If the entry is damaged, or the file is another than the one that was indexed.
        """
        self.check_unchanged()
        offset, packed = self.ranges[number]
        size = self._sizes[number]
        damaged = StoreError(f"{self.path} is damaged: the entry {self.names[number]!r} is not what its list says.")
        head = self.file.read_at(offset, _LOCAL.size)
        magic, *_, name_length, extra_length = _LOCAL.unpack(head)
        if magic != b"PK\3\4":
            raise damaged
        data = self.file.read_at(offset + _LOCAL.size + name_length + extra_length, packed)
        if self._methods[number] == zipfile.ZIP_DEFLATED:
            try:
                data = zlib.decompressobj(-15).decompress(data, size + 1)
            except zlib.error:
                raise damaged from None
        if len(data) != size or zlib.crc32(data) != self._sums[number]:
            raise damaged
        return data


def _begins_like_a_picture(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Whether the first bytes of an entry are those of a picture."""
    if _reason_against(entry):
        return False
    try:
        with archive.open(entry) as file:
            return decode.sniff(file.read(_HEAD).ljust(_HEAD, b"\0")) is not None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        return False


def _reason_against(entry: zipfile.ZipInfo) -> str:
    """Return why an entry is left out; empty if it is taken."""
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "It is a link, which is not followed."
    if entry.flag_bits & _ENCRYPTED:
        return "It is encrypted."
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return f"It is packed by method {entry.compress_type}, which is not read; pack it again with deflate."
    if not entry.file_size:
        return "The file is empty."
    if entry.file_size > _LARGEST_FILE:
        return f"The file has {format_count(entry.file_size)} bytes, more than 1 GiB."
    if entry.file_size > _FREE_BYTES + _MOST_SHRUNK * entry.compress_size:
        return f"It would unpack from {format_count(entry.compress_size)} to {format_count(entry.file_size)} bytes."
    return ""
