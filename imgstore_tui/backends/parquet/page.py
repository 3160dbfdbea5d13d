"""Locates a page of values of one length in a Parquet file, so that single values are read without the library.

A page is a header in Thrift's compact protocol, then levels that say which rows have a value, then the values in a
row. Only what our writer makes is understood: one uncompressed page per row group, with a value in every row.
"""

from __future__ import annotations

from dataclasses import dataclass

from imgstore_tui.storekit.raw_file import RawFile

MOST_HEADER = 4096
"""Bytes in which the headers that we write fit."""

_DATA_PAGE, _PLAIN, _RLE = 0, 0, 3
_TRUE, _FALSE, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _STRUCT = 1, 2, 3, (4, 5, 6), 7, 8, 12
"""Types of fields in Thrift's compact protocol."""

Fields = dict[int, "int | Fields"]


@dataclass(frozen=True, slots=True)
class DataPage:
    """Location of a page in its file, in bytes."""

    start: int
    """Offset of the data under the checksum: levels and values."""
    length: int
    values: int
    """Offset of the first value."""
    checksum: int | None
    """CRC32; None if the file has none."""


def page_at(file: RawFile, offset: int, rows: int, size: int) -> DataPage | None:
    """Return the page at an offset, or None unless it holds exactly ``rows`` values of ``size`` bytes, uncompressed."""
    head = CompactReader(file.read_at(offset, min(MOST_HEADER, max(0, file.size - offset))))
    try:
        facts = head.fields()
        header, length, checksum = facts[5], facts[3], facts.get(4)
        if not isinstance(header, dict) or not isinstance(length, int) or isinstance(checksum, dict):
            return None
        plain = (facts[1], facts[2], header[1], header[2], header[3]) == (_DATA_PAGE, length, rows, _PLAIN, _RLE)
        start = offset + head.at
        data = file.read_at(start, 16) if plain and start + length <= file.size and length >= 16 else b""
        levels = int.from_bytes(data[:4], "little")
        run = CompactReader(data[4:])
        # One run of levels, which says that all rows have a value.
        whole = bool(data) and run.number() == rows << 1 and data[4 + run.at] == 1 and run.at + 1 == levels
    except (KeyError, IndexError, ValueError):
        return None
    if not whole or length != 4 + levels + rows * size:
        return None
    return DataPage(start, length, start + 4 + levels, None if checksum is None else checksum & 0xFFFFFFFF)


class CompactReader:
    """Decodes Thrift's compact protocol, as far as the header of a page needs it."""

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def number(self) -> int:
        """Read a variable-length whole number."""
        value = shift = 0
        while shift < 70:
            byte = self._data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ValueError("a number is too long")

    def _signed(self) -> int:
        value = self.number()
        return value >> 1 ^ -(value & 1)

    def fields(self, depth: int = 4) -> Fields:
        """Read a structure: its numbers and structures by field id; other fields are skipped."""
        fields: Fields = {}
        field = 0
        while True:
            byte = self._data[self.at]
            self.at += 1
            if not byte:
                return fields
            field = field + (byte >> 4) if byte >> 4 else self._signed()
            kind = byte & 15
            if kind in _INTEGERS:
                fields[field] = self._signed()
            elif kind == _STRUCT and depth:
                fields[field] = self.fields(depth - 1)
            elif kind in {_BINARY, _BYTE, _DOUBLE}:
                length = self.number() if kind == _BINARY else 1 if kind == _BYTE else 8
                self.at += length
            elif kind not in {_TRUE, _FALSE}:
                raise ValueError("no field of a page's header")
