"""Reads .npy, .npz and idx files of other programs (NumPy, MNIST); nothing is unpickled, and nothing executed.

Sources: NumPy's format description (numpy.lib.format), the description of the idx format on the page of MNIST.
"""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes
from imgstore_tui.images import raw
from imgstore_tui.images.decode import MAX_PIXELS, sniff
from imgstore_tui.storekit.array_container import ArrayContainer, PictureFunctions
from imgstore_tui.storekit.array_facts import ArrayFacts
from imgstore_tui.storekit.foreign_containers import open_containers
from imgstore_tui.storekit.unpacked_file import UnpackedFile, open_unpacked

_NPY, _ZIP = b"\x93NUMPY", (b"PK\3\4", b"PK\5\6")
_IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_LABEL_WORDS = frozenset({"y", "label", "labels", "lbl", "lbls", "target", "targets", "class", "classes"})
_WORD = re.compile("[^a-z]+")
_MOST_HEADER = 10_000
_MOST_SHRUNK, _FREE_BYTES, _MOST_BYTES = 1100, 2**26, 2**32
"""No pictures shrink by more; what claims so, or takes more than 4 GiB, is not unpacked."""
_CACHED_ARRAYS = 2
"""Arrays of a compressed file that stay in memory: images and labels."""
_FUNCTIONS = PictureFunctions(sniff, raw.pack, MAX_PIXELS)
_OBJECTS = "holds Python objects, which are a pickle and are never loaded; save it again as an array of numbers"


class NpyHeader:
    """The header of an array in NumPy's format, and where its values begin."""

    def __init__(self, data: bytes) -> None:
        """Parse a header.

        Raises:
            ValueError: If it makes no sense.
        """
        file = io.BytesIO(data)
        version = npy_format.read_magic(file)
        if version not in {(1, 0), (2, 0), (3, 0)}:
            raise ValueError("it is of a version of the format that is not known")
        read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        try:
            self.shape, self.fortran, self.dtype = read(file, _MOST_HEADER)
        except (SyntaxError, RecursionError, TypeError, KeyError):
            raise ValueError("its header makes no sense") from None
        if any(side < 0 for side in self.shape):
            raise ValueError("its header makes no sense")
        self.start = file.tell()

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize

    def facts(self, name: str) -> ArrayFacts:
        """Return what is known of the array."""
        if self.dtype.hasobject:
            return ArrayFacts(name, self.shape, None, False, _OBJECTS)
        refusal = "has fields of several types" if self.dtype.names is not None else ""
        return ArrayFacts(name, self.shape, self.dtype, False, refusal)

    def shaped(self, values: Any) -> Any:
        """Return values as an array of the shape of the header."""
        return values.reshape(self.shape, order="F" if self.fortran else "C")


class PlainArray(ArrayContainer):
    """One array in a file, with its header in front: .npy or idx, compressed as a whole or not."""

    format_name = "npy or idx file"
    functions = _FUNCTIONS

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._values: Any = None

    def _header(self) -> tuple[NpyHeader | None, tuple[int, ...], np.dtype[Any], int, bytes | None]:
        """Return the header, shape, type, start of the values, and the whole file if it was compressed."""
        file = open_unpacked(self.path.resolve())
        try:
            packed = isinstance(file, UnpackedFile)
            if packed and file.size > _MOST_BYTES:
                raise StoreError(f"{self.path} unpacks to {format_bytes(file.size)}; unpack it first: gunzip -k.")
            head = file.read_at(0, min(file.size, _MOST_HEADER + 16))
            header, shape, dtype, start = _plain_header(head)
            size = 0 if dtype.hasobject else math.prod(shape) * dtype.itemsize
            if file.size < start + size:
                raise ValueError("it is shorter than its header says")
            if header is None and file.size > start + size:
                raise ValueError("it is longer than its header says")
            return header, shape, dtype, start, file.read_at(0, start + size) if packed else None
        finally:
            file.close()

    def arrays(self) -> list[ArrayFacts]:
        """Return the one array, by the name of the file."""
        self.check_unchanged()
        header, shape, dtype, *_ = self._header()
        stem = self.path.name.partition(".")[0]
        is_labels = len(shape) <= 2 and _LABEL_WORDS.intersection(_WORD.split(stem.lower()))
        name = "labels" if is_labels else stem or "array"  # y_train.npy, train-labels-idx1-ubyte
        if header is not None:
            return [header.facts(name)]
        # The first size of idx is the number of items.
        return [ArrayFacts(name, shape, dtype, False, "", "NHW" if len(shape) == 3 else "")]

    def values(self, path: str) -> Any:
        """Return a memory map of the values, or what is unpacked of a compressed file."""
        self.check_unchanged()
        if self._values is None:
            header, shape, dtype, start, whole = self._header()
            if dtype.hasobject:
                raise StoreError(f"{self.path} {_OBJECTS}.")
            count = math.prod(shape)
            if whole is not None:
                flat: Any = np.frombuffer(whole, dtype, count, start)
            elif count:
                flat = np.memmap(self.path.resolve(), dtype, "r", start, (count,))
            else:
                flat = np.zeros(0, dtype)
            self._values = header.shaped(flat) if header is not None else flat.reshape(shape)
        return self._values

    def close(self) -> None:
        """Drop the map until it is read again."""
        self._values = None


def _plain_header(head: bytes) -> tuple[NpyHeader | None, tuple[int, ...], np.dtype[Any], int]:
    """Return the header of .npy or None for idx, the shape, the type, and where the values begin."""
    if head.startswith(_NPY):
        header = NpyHeader(head)
        return header, header.shape, header.dtype, header.start
    try:
        zero, kind, sides = struct.unpack_from(">HBB", head)
        shape = struct.unpack_from(f">{sides}I", head, 4)
    except struct.error:
        raise ValueError("it is shorter than a header") from None
    if zero or kind not in _IDX_TYPES or not sides:
        raise ValueError("it begins with no header that is known")
    return None, shape, np.dtype(_IDX_TYPES[kind]), 4 + 4 * sides


class NpzArrays(ArrayContainer):
    """The arrays in a zip archive that ``numpy.savez`` wrote; two that were read last stay in memory."""

    format_name = "npz file"
    functions = _FUNCTIONS

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._archive: zipfile.ZipFile | None = None
        self._cache: dict[str, Any] = {}

    @property
    def archive(self) -> zipfile.ZipFile:
        """The open archive."""
        if self._archive is None:
            self.check_unchanged()
            self._archive = zipfile.ZipFile(self.path.resolve())
        return self._archive

    def arrays(self) -> list[ArrayFacts]:
        """Return the arrays by the names that ``numpy.load`` gives them."""
        facts = []
        for entry in self.archive.infolist():
            name = entry.filename.removesuffix(".npy")
            if entry.is_dir() or not entry.filename.endswith(".npy"):
                facts.append(ArrayFacts(name, None, None, False, "is no array"))
                continue
            if reason := _reason_against(entry):
                facts.append(ArrayFacts(name, (), None, False, reason))
                continue
            header = self._header(entry)
            if not header.dtype.hasobject and header.start + header.size != entry.file_size:
                raise ValueError(f"{safe_text(entry.filename)} is not as long as its header says")
            facts.append(header.facts(name))
        return facts

    def _header(self, entry: zipfile.ZipInfo) -> NpyHeader:
        with self.archive.open(entry) as member:
            return NpyHeader(member.read(_MOST_HEADER + 16))

    def values(self, path: str) -> Any:
        """Return an array, unpacked."""
        if path not in self._cache:
            entry = self.archive.getinfo(f"{path}.npy")
            header = self._header(entry)
            if header.dtype.hasobject or _reason_against(entry):
                raise StoreError(f"{self.path}: {safe_text(path)} {_reason_against(entry) or _OBJECTS}.")
            data = self.archive.read(entry)  # no more than the archive says, and verified by its checksum
            while len(self._cache) >= _CACHED_ARRAYS:
                del self._cache[next(iter(self._cache))]
            self._cache[path] = header.shaped(np.frombuffer(data, header.dtype, math.prod(header.shape), header.start))
        return self._cache[path]

    def close(self) -> None:
        """Close the archive until it is read again."""
        self._cache = {}
        archive, self._archive = self._archive, None
        if archive is not None:
            archive.close()


def _reason_against(entry: zipfile.ZipInfo) -> str:
    """Return why an entry is not unpacked; empty if it is."""
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return f"is packed by method {entry.compress_type}, which numpy.savez does not use"
    if entry.file_size > min(_MOST_BYTES, max(_FREE_BYTES, _MOST_SHRUNK * entry.compress_size)):
        packed, size = format_bytes(entry.compress_size), format_bytes(entry.file_size)
        return f"would unpack from {packed} to {size}, which no pictures do"
    return ""


def _container(path: Path) -> ArrayContainer:
    with path.open("rb") as file:
        return NpzArrays(path) if file.read(4) in _ZIP else PlainArray(path)


def open_files(location: Path, paths: Sequence[Path], layout: ForeignLayout) -> Reader:
    """Open files as one store.

    Args:
        location: What the user names, for messages.
        paths: The files, in the order in which their pictures are numbered.
        layout: What the user names in them.

    Raises:
        StoreError: If a file is damaged, or it is not plain to see which arrays hold pictures.
    """
    return open_containers(location, paths, layout, _container)
