"""Lists the members of tar files of any dialect: ustar, the former one, GNU, PAX; with the holes that ``tar -S`` keeps.

Nothing is kept but what is needed for the next member, so that a tar of millions of members takes no memory.
Sources: POSIX.1-2017 (pax), the manual of GNU tar, "Basic Tar Format" and "Storing Sparse Files".
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from imgstore_tui.backends.webdataset.tar import BLOCK, padded
from imgstore_tui.core.errors import StoreError

_MOST_EXTENSION = 2**20
"""Bytes of the largest extended header or long name that is read; real ones have some hundred."""
_MOST_PIECES = 100_000
"""Most pieces of a member with holes."""
_WINDOW = 2**16
_SKIPPED_PADDING = 2**26
"""Zeros behind the end mark that are read to look for another archive."""

_REGULAR = frozenset(b"\x0007")
_SPARSE, _HARD, _SYMBOLIC, _FOLDER = map(ord, "S125")
_WITHOUT_DATA = frozenset(b"123456")
_LONG_NAME, _LONG_LINK = ord("L"), ord("K")
_GLOBAL = ord("g")
_EXTENSIONS = frozenset(b"xXgLK")
"""Headers that say more of the member behind them: of PAX, of Solaris, global ones, and long names of GNU."""
_PIECE = 24
"""Bytes of a piece in a header of GNU: its offset in the file, and its length."""


class Source(Protocol):
    """Bytes of which ranges can be read."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from an offset on."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a tar."""

    name: str
    kind: str
    """``file``, ``hard link``, ``link``, ``folder`` or ``special``."""
    link: str
    """What a link leads to."""
    start: int
    """Offset of its data in the archive."""
    stored: int
    """Bytes of its data in the archive."""
    size: int
    """Bytes of the file, holes included."""
    pieces: tuple[tuple[int, int], ...] | None
    """Offset in the file, and length, of each piece that is stored; None for a file without holes."""
    behind_end: bool
    """Whether it lies behind an end mark, where tar does not read."""


@dataclass(slots=True)
class _Extensions:
    """What extended headers say of the member behind them."""

    records: dict[str, str]
    """PAX records by key, those of global headers included."""
    sparse: list[tuple[int, int]] = field(default_factory=list)
    """Pieces of a file with holes, in version 0.0."""
    long_name: str | None = None
    long_link: str | None = None
    header: bool = False
    """Whether a header that belongs to one member has been read."""


class TarMembers:
    """Iterates over the members of a tar, and over those of archives behind its end mark."""

    def __init__(self, source: Source, path: object) -> None:
        self._source, self._path = source, path
        self._window, self._window_at = b"", 0
        self.trailing = 0
        """Bytes behind the end mark that are no archive."""

    def __iter__(self) -> Iterator[Member]:
        """Yield members in order.

        Raises:
            StoreError: If the archive is damaged or cut short.
        """
        at, behind_end = 0, False
        defaults: dict[str, str] = {}
        while True:
            ends = yield from self._archive(at, behind_end, defaults)
            follows = self._next_archive(ends)
            if follows is None:
                return
            at, behind_end = follows, True

    def _archive(self, at: int, behind_end: bool, defaults: dict[str, str]) -> Generator[Member, None, int]:
        """Yield the members of one archive, and return the offset behind the first block of its end mark.

        Args:
            at: Offset of the archive.
            behind_end: Whether it lies behind the end mark of another.
            defaults: Records of all global headers so far; those of this archive are added.
        """
        extensions = _Extensions(dict(defaults))
        while True:
            block = self._block(at, extensions.header)
            if not any(block):
                if extensions.header:
                    raise self._damaged("an extended header has no member")
                return at + BLOCK
            _check_sum(block, self._path, at)
            if block[156] in _EXTENSIONS:
                at = self._extend(extensions, block, at, defaults)
                continue
            member, at = self._member(block, at, extensions, behind_end)
            yield member
            extensions = _Extensions(dict(defaults))

    def _extend(self, extensions: _Extensions, block: bytes, at: int, defaults: dict[str, str]) -> int:
        """Read an extended header or a long name; return the offset of the header behind it."""
        kind, length = block[156], self._number(block[124:136])
        if length > _MOST_EXTENSION:
            raise self._damaged(f"an extended header says that it has {length:,} bytes")
        data = self._read(at + BLOCK, length)
        if kind == _GLOBAL:
            defaults.update(self._records(data, []))
            extensions.records = {**defaults, **extensions.records}
        elif kind == _LONG_NAME:
            extensions.long_name = _text(data.split(b"\0", 1)[0])
        elif kind == _LONG_LINK:
            extensions.long_link = _text(data.split(b"\0", 1)[0])
        else:
            extensions.records.update(self._records(data, extensions.sparse))
        extensions.header = kind != _GLOBAL or extensions.header
        return at + BLOCK + padded(length)

    def _member(self, block: bytes, at: int, extensions: _Extensions, behind_end: bool) -> tuple[Member, int]:
        """Return the member of a header, and the offset of the header behind its data."""
        kind, records = block[156], extensions.records
        length = self._number(block[124:136])
        if "size" in records:
            length = self._whole(records["size"])
        name = _member_name(block, extensions)
        link = records.get("linkpath", extensions.long_link or _text(block[157:257].split(b"\0", 1)[0]))
        start = at + BLOCK
        pieces, real = self._sparse_map(records, extensions.sparse)
        if kind == _SPARSE:
            start, pieces, real = self._old_sparse(block, start)
        stored = 0 if kind in _WITHOUT_DATA else length
        if stored and start + stored > self._source.size:
            raise self._cut_short()
        end = start + padded(stored)
        if records.get("GNU.sparse.major") == "1":
            pieces, map_bytes = self._map_before_data(start, stored)
            start, stored = start + map_bytes, stored - map_bytes
        file_size = stored if real is None else real
        if pieces is not None:
            self._check_pieces(pieces, stored, file_size)
        shown = name.removesuffix("/") if kind == _FOLDER else name
        return Member(shown, _kind_of(kind, name), link, start, stored, file_size, pieces, behind_end), end

    def _next_archive(self, at: int) -> int | None:
        """Return where an archive begins behind an end mark, after padding; None if there is none."""
        stop = min(self._source.size, at + _SKIPPED_PADDING)
        while at < stop:
            block = self._source.read_at(at, min(_WINDOW, self._source.size - at))
            if not any(block):
                at += len(block)
                continue
            first = next(number for number in range(0, len(block), BLOCK) if any(block[number : number + BLOCK]))
            at += first
            head = block[first : first + BLOCK]
            if len(head) == BLOCK and _sum_is_right(head):
                return at
            self.trailing = self._source.size - at
            return None
        return None

    def _block(self, at: int, extended: bool) -> bytes:
        """Return a header, by reads of a window, since members are often small."""
        if not self._window_at <= at <= self._window_at + len(self._window) - BLOCK:
            length = min(_WINDOW, self._source.size - at)
            if length < BLOCK:
                raise self._cut_short()
            self._window, self._window_at = self._source.read_at(at, length), at
        offset = at - self._window_at
        return self._window[offset : offset + BLOCK]

    def _read(self, at: int, length: int) -> bytes:
        if at + length > self._source.size:
            raise self._cut_short()
        return self._source.read_at(at, length)

    def _old_sparse(self, block: bytes, start: int) -> tuple[int, tuple[tuple[int, int], ...], int]:
        """Return where the data begins, the pieces and the size of a member of the former format of GNU."""
        pieces = self._pieces_in(block[386:482])
        real, more = self._number(block[483:495]), block[482]
        while more:
            block = self._read(start, BLOCK)
            pieces += self._pieces_in(block[: 21 * _PIECE])
            more = block[21 * _PIECE]
            start += BLOCK
            if len(pieces) > _MOST_PIECES:
                raise self._damaged("a member has too many holes")
        return start, tuple(pieces), real

    def _pieces_in(self, data: bytes) -> list[tuple[int, int]]:
        entries = [data[number : number + _PIECE] for number in range(0, len(data), _PIECE)]
        return [(self._number(entry[:12]), self._number(entry[12:])) for entry in entries if entry[0]]

    def _sparse_map(
        self, records: dict[str, str], sparse: list[tuple[int, int]]
    ) -> tuple[tuple[tuple[int, int], ...] | None, int | None]:
        """Return the pieces and the size that PAX records of the versions 0.0 and 0.1 tell; of 1.0 only the size."""
        real = records.get("GNU.sparse.realsize", records.get("GNU.sparse.size"))
        if real is None:
            return None, None
        if "GNU.sparse.map" in records:
            numbers = [self._whole(number) for number in records["GNU.sparse.map"].split(",") if number]
            sparse = list(zip(numbers[::2], numbers[1::2], strict=False))
        return tuple(sparse), self._whole(real)

    def _map_before_data(self, start: int, stored: int) -> tuple[tuple[tuple[int, int], ...], int]:
        """Return the pieces that stand before the data in version 1.0, and the bytes that they take there."""
        text, size = b"", 0
        lines = None
        while lines is None or text.count(b"\n") < lines:
            if size + BLOCK > stored or size > 40 * _MOST_PIECES:
                raise self._damaged("the map of a member with holes has no end")
            text += self._read(start + size, BLOCK)
            size += BLOCK
            if lines is None and b"\n" in text:
                count = self._whole(text.split(b"\n", 1)[0].decode("ascii", "replace"))
                if count > _MOST_PIECES:
                    raise self._damaged("a member has too many holes")
                lines = 1 + 2 * count
        numbers = [self._whole(number.decode("ascii", "replace")) for number in text.split(b"\n")[1:lines]]
        return tuple(zip(numbers[::2], numbers[1::2], strict=True)), size

    def _check_pieces(self, pieces: tuple[tuple[int, int], ...], stored: int, size: int) -> None:
        end = 0
        for offset, length in pieces:
            if offset < end or offset + length > size:
                raise self._damaged("the pieces of a member with holes do not fit")
            end = offset + length
        if sum(length for _, length in pieces) != stored:
            raise self._damaged("the pieces of a member with holes are not what is stored")

    def _records(self, data: bytes, sparse: list[tuple[int, int]]) -> dict[str, str]:
        """Return the records of an extended header; pieces of version 0.0, whose keys repeat, go to ``sparse``."""
        records: dict[str, str] = {}
        at = 0
        while at < len(data) and data[at]:
            digits, space, _ = data[at : at + 20].partition(b" ")
            length = int(digits) if space and digits.isdigit() else 0
            record = data[at : at + length]
            key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
            if length < 5 or len(record) < length or not equals or not record.endswith(b"\n"):
                raise self._damaged("an extended header makes no sense")
            name, text = _text(key), _text(value)
            if name == "GNU.sparse.offset":
                sparse.append((self._whole(text), 0))
            elif name == "GNU.sparse.numbytes" and sparse:
                sparse[-1] = sparse[-1][0], self._whole(text)
            records[name] = text
            at += length
        return records

    def _number(self, field: bytes) -> int:
        """Return a number in octal digits, or in 8-bit bytes where it has no room."""
        if field[0] & 0x80:
            number = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
            if field[0] == 0xFF or number >= 2**63:
                raise self._damaged("a member has no size that can be")
            return number
        digits = field.split(b"\0", 1)[0].strip()
        if not digits:
            return 0
        if any(digit not in b"01234567" for digit in digits):
            raise self._damaged("a member has no size that can be")
        return int(digits, 8)

    def _whole(self, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise self._damaged("a member has no size that can be")
        return int(text)

    def _damaged(self, why: str) -> StoreError:
        return StoreError(f"{self._path} is damaged: {why}.")

    def _cut_short(self) -> StoreError:
        return StoreError(f"{self._path} has been cut short.")


def _sum_is_right(block: bytes) -> bool:
    """Whether a header has its checksum, of bytes with or without a sign."""
    digits = block[148:156].split(b"\0", 1)[0].strip()
    if not digits or any(digit not in b"01234567" for digit in digits):
        return False
    rest = block[:148] + b" " * 8 + block[156:]
    total = sum(rest)
    return int(digits, 8) in {total, total - 256 * sum(byte > 127 for byte in rest)}


def _check_sum(block: bytes, path: object, at: int) -> None:
    if not _sum_is_right(block):
        raise StoreError(f"{path} is damaged or no tar: there is no header of a member at byte {at:,}.")


def _member_name(block: bytes, extensions: _Extensions) -> str:
    """Return the name of a member from its header, or from the headers before it, which win."""
    name = extensions.long_name or _text(block[:100].split(b"\0", 1)[0])
    prefix = block[345:500].split(b"\0", 1)[0]
    if extensions.long_name is None and prefix and block[257:265] == b"ustar\x0000":
        name = f"{_text(prefix)}/{name}"
    return extensions.records.get("GNU.sparse.name", extensions.records.get("path", name))


def _kind_of(kind: int, name: str) -> str:
    if kind in _REGULAR and name.endswith("/") and kind == 0:
        return "folder"  # as the former format marks them
    if kind in _REGULAR or kind == _SPARSE:
        return "file"
    return {_HARD: "hard link", _SYMBOLIC: "link", _FOLDER: "folder"}.get(kind, "special")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
