"""Recognises what a file is by its first bytes, whatever it is called."""

from __future__ import annotations

import bz2
import lzma
import os
import stat
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line
from imgstore_tui.images import decode

_HEAD = 2**13
_INNER = 2**12
"""Bytes of a compressed file that are unpacked to see what is in it."""
_BLOCK = 512
_POINTER = b"version https://git-lfs.github.com/spec/"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_LMDB = 0xBEEFC0DE
_PACKERS = {
    b"\x1f\x8b\x08": ("gzip", "gunzip -k"),
    b"BZh": ("bzip2", "bunzip2 -k"),
    b"\xfd7zXZ\0": ("xz", "unxz -k"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
    b"\x04\x22\x4d\x18": ("lz4", "unlz4"),
}
_STARTS = (
    (b"PAR1", "Parquet"),
    (b"ARROW1", "Arrow file"),
    (b"\xff\xff\xff\xff", "Arrow stream"),
    (_HDF5, "HDF5"),
    (b"\x93NUMPY", "npy"),
    (b"SQLite format 3\0", "SQLite"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"%PDF-", "PDF"),
    (b"GIF8", "GIF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
)
_ADVICE = {
    "git-lfs": "is a pointer of git-lfs, not the file itself; get that first: git lfs pull",
    "pickle": "is a pickle, which runs code when it is loaded and is never loaded here; save its arrays as npz or HDF5",
    "SQLite": "is a SQLite database, but no store of this program",
    "empty": "is empty",
    "text": "is text",
}


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is."""

    name: str
    """A format such as ``tar`` or ``Parquet``, ``picture``, ``text``, ``empty``; empty if nothing is recognised."""
    packed: str = ""
    """What compresses the file as a whole, such as ``gzip``; empty if nothing does."""
    detail: str = ""
    """Which picture it is."""

    def sentence(self, path: Path, readable: str) -> str:
        """Return what the file is, and what could be read instead.

        Args:
            path: The file.
            readable: The formats that are read.
        """
        if self.packed:
            command = next(command for name, command in _PACKERS.values() if name == self.packed)
            what = f"{_with_article(self.name)} file" if self.name else "a file"
            return f"{path} is {what} compressed by {self.packed}; unpack it first: {command} {path.name}."
        if self.name == "picture":
            what = f"{_with_article(self.detail)} picture"
            return f"{path} is {what}; name the folder that it lies in: folder:{path.parent}."
        what = _ADVICE.get(self.name, f"is {_with_article(self.name)} file" if self.name else "is of an unknown format")
        return f"{path} {what}. Read are stores of this program, {readable}; folders of pictures as folder:PATH."


def kind_of_file(path: Path) -> FileKind:
    """Return what a file is, by its first 8 KiB.

    Raises:
        StoreError: If it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe is not waited for
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return FileKind("special file")
            head = file.read(_HEAD)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {first_line(error)}.") from None
    for magic, (packer, _) in _PACKERS.items():
        if head.startswith(magic):
            inner = _unpacked(head, packer)
            return FileKind(_name_of(inner) if inner else "", packer)
    name = _name_of(head)
    return (
        FileKind(name, detail=decode.sniff(head) or name) if name in {"picture", "GIF", "JPEG 2000"} else FileKind(name)
    )


def _with_article(name: str) -> str:
    spoken_vowel = name[:1] in "AEIOaeio" or name in {"HDF5", "HEIF", "LMDB", "npz", "npy", "RAR"}
    return f"{'an' if spoken_vowel else 'a'} {name}"


def _unpacked(head: bytes, packer: str) -> bytes:
    """Return the first bytes of what a compressed file holds; none if they cannot be seen here."""
    try:
        if packer == "gzip":
            return zlib.decompressobj(31).decompress(head, _INNER)
        if packer == "bzip2":
            return bz2.BZ2Decompressor().decompress(head, _INNER)
        if packer == "xz":
            return lzma.LZMADecompressor(memlimit=2**27).decompress(head, _INNER)
    except (zlib.error, OSError, lzma.LZMAError, EOFError):
        pass
    return b""


def _name_of(head: bytes) -> str:
    if not head:
        return "empty"
    if _is_tar(head[:_BLOCK]):
        return "tar"
    for start, name in _STARTS:
        if head.startswith(start):
            return name
    if any(head[offset : offset + 8] == _HDF5 for offset in (512, 1024, 2048, 4096)):  # behind a user block
        return "HDF5"
    if head.startswith((b"PK\3\4", b"PK\5\6")):
        first = head[30 : 30 + int.from_bytes(head[26:28], "little")]  # the name of the first entry
        return "npz" if first.endswith(b".npy") else "zip"
    if head.startswith(_POINTER):
        return "git-lfs"
    if len(head) >= 12 and struct.unpack("<I", head[8:12])[0] == _masked(_crc32c(head[:8])):
        return "TFRecord"
    if len(head) >= 24 and _LMDB in struct.unpack("<II", head[16:24]):
        return "LMDB"
    if head[8:12] == b"DUCK":
        return "DuckDB"
    if len(head) >= 8 and head[:2] == b"\0\0" and head[2] in (8, 9, 11, 12, 13, 14) and 1 <= head[3] <= 4:
        return "idx"
    if head[0] == 0x80 and head[1:2] in {b"\2", b"\3", b"\4", b"\5"}:
        return "pickle"
    if decode.sniff(head) is not None:
        return "picture"
    return "text" if _is_text(head[:_BLOCK]) else ""


def _is_tar(block: bytes) -> bool:
    """Whether a block is the header of a member of a tar: its checksum is right, of bytes with or without a sign."""
    digits = block[148:156].split(b"\0", 1)[0].strip()
    if len(block) < _BLOCK or not block[0] or not digits or digits.strip(b"01234567"):
        return False
    total = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    high = sum(byte > 127 for byte in block[:148] + block[156:])
    return int(digits, 8) in {total, total - 256 * high}


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(data) - 3:
            return False
        text = data[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\t\r\n\ufeff" for character in text)


def _crc32c(data: bytes) -> int:
    """Return the checksum of a few bytes, which TFRecord uses (Castagnoli's polynomial)."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def _masked(value: int) -> int:
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF
