"""A page of values of one length where it lies in the file, so that single values can be read without the library.

A page is a header in Thrift's compact protocol, then levels that say which rows have a value, then the values one
behind the other. Only what we write is understood: one page a row group, not compressed, and every row has its value.
"""

from __future__ import annotations

from dataclasses import dataclass

from imgstore_tui.storekit.raw_file import RawFile

_MOST_HEADER = 4096
_DATA_PAGE, _PLAIN, _RLE = 0, 0, 3
_TRUE, _FALSE, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _STRUCT = 1, 2, 3, (4, 5, 6), 7, 8, 12
"""Kinds of fields in Thrift's compact protocol."""

Fields = dict[int, "int | Fields"]


@dataclass(frozen=True, slots=True)
class DataPage:
    """Where a page lies."""

    start: int
    """Place of what the checksum is made of: levels and values."""
    length: int
    values: int
    """Place of the first value."""
    checksum: int | None
    """CRC32, None where the file has none."""


def page_at(file: RawFile, place: int, rows: int, size: int) -> DataPage | None:
    """Return the page that begins at a place, if it holds so many values of one size and nothing else."""
    head = _Compact(file.piece(place, min(_MOST_HEADER, max(0, file.size - place))))
    try:
        facts = head.fields()
        data, length, checksum = facts[5], facts[3], facts.get(4)
        if not isinstance(data, dict) or not isinstance(length, int) or isinstance(checksum, dict):
            return None
        plain = (facts[1], facts[2], data[1], data[2], data[3]) == (_DATA_PAGE, length, rows, _PLAIN, _RLE)
        start = place + head.at
        found = file.piece(start, 16) if plain and start + length <= file.size and length >= 16 else b""
        levels = int.from_bytes(found[:4], "little")
        run = _Compact(found[4:])
        # One run of rows that all have a value.
        whole = bool(found) and run.number() == rows << 1 and found[4 + run.at] == 1 and run.at + 1 == levels
    except (KeyError, IndexError, ValueError):
        return None
    if not whole or length != 4 + levels + rows * size:
        return None
    return DataPage(start, length, start + 4 + levels, None if checksum is None else checksum & 0xFFFFFFFF)


class _Compact:
    """Thrift's compact protocol, as far as the header of a page needs it."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def number(self) -> int:
        """Read a whole number of any length."""
        found = shift = 0
        while shift < 70:
            byte = self._data[self.at]
            self.at += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return found
            shift += 7
        raise ValueError("a number is too long")

    def _signed(self) -> int:
        found = self.number()
        return found >> 1 ^ -(found & 1)

    def fields(self, depth: int = 4) -> Fields:
        """Read a structure: its numbers and its structures by their ids, other fields left out."""
        found: Fields = {}
        field = 0
        while True:
            byte = self._data[self.at]
            self.at += 1
            if not byte:
                return found
            field = field + (byte >> 4) if byte >> 4 else self._signed()
            kind = byte & 15
            if kind in _INTEGERS:
                found[field] = self._signed()
            elif kind == _STRUCT and depth:
                found[field] = self.fields(depth - 1)
            elif kind in {_BINARY, _BYTE, _DOUBLE}:
                length = self.number() if kind == _BINARY else 1 if kind == _BYTE else 8
                self.at += length
            elif kind not in {_TRUE, _FALSE}:
                raise ValueError("no field of a page's header")
