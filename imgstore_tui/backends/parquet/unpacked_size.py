"""Bounds the memory that a column chunk takes when it is unpacked, before it is and while it is.

A few kilobytes of Parquet can stand for gigabytes: pages of zeros that were compressed, one value of a dictionary that
many rows point to, values that repeat the one before them. The footer says how large pages are when decompressed, and
so does the header of each page, which is what Arrow believes. How large the values are then is not said anywhere.
"""

from __future__ import annotations

from typing import Any

from imgstore_tui.backends.parquet.page import MOST_HEADER, CompactReader
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.units import format_bytes
from imgstore_tui.storekit.raw_file import RawFile

FREE_BYTES = 1 << 26
"""So much may always be unpacked."""
MOST_SHRUNK = 1100
"""No picture shrinks by more: deflate is the strongest filter that pictures are stored with."""
MOST_BYTES = 1 << 32
"""A chunk is unpacked whole; one of more than this fits few memories."""

_HEADER_SIZES = (MOST_HEADER, 1 << 20, 1 << 26)
"""How much of a header is read at first, and if it is longer: it may hold the least and the greatest value."""
_PACKED_SIZE, _UNPACKED_SIZE = 3, 2
"""Fields of a page's header."""


def allowed_bytes(column: Any) -> int:
    """Return how many bytes a column chunk may take when it is unpacked.

    Args:
        column: Its part of the footer, a ``pyarrow.parquet.ColumnChunkMetaData``.
    """
    return min(MOST_BYTES, max(FREE_BYTES, MOST_SHRUNK * int(column.total_compressed_size)))


def check_pages(file: RawFile, column: Any, allowed: int) -> int:
    """Check a column chunk against what it may take, from its footer and the headers of its pages.

    Args:
        file: The Parquet file.
        column: The chunk's part of the footer.
        allowed: How many bytes it may take when it is unpacked.

    Returns:
        The bytes of its largest page when it is decompressed.

    Raises:
        StoreError: If it would take more.
        ValueError: If a header of a page makes no sense.
    """
    if column.total_uncompressed_size > allowed:
        raise too_large(file, column.total_uncompressed_size, allowed)
    if column.compression == "UNCOMPRESSED":
        return int(column.total_uncompressed_size)
    offset = column.data_page_offset
    if column.has_dictionary_page and column.dictionary_page_offset:
        offset = min(offset, column.dictionary_page_offset)
    end = offset + column.total_compressed_size
    total = largest = 0
    while offset < end:
        size, packed, unpacked = _page_sizes(file, offset)
        total, largest = total + unpacked, max(largest, unpacked)
        if total > allowed:
            raise too_large(file, total, allowed)
        offset += size + packed
    return largest


def too_large(file: RawFile, size: int, allowed: int) -> StoreError:
    """Build the error for a chunk that would fill the memory."""
    return StoreError(
        f"{file.path} would unpack to more than {format_bytes(min(size, allowed))} in one row group, far more than "
        f"pictures of its size; nothing of it is read. Write it again in smaller row groups, without a dictionary."
    )


def _page_sizes(file: RawFile, offset: int) -> tuple[int, int, int]:
    """Return the bytes of a page's header, of the page as it lies, and of the page when it is decompressed."""
    for length in _HEADER_SIZES:
        header = CompactReader(file.read_at(offset, max(0, min(length, file.size - offset))))
        try:
            fields = header.fields()
        except IndexError:
            continue
        packed, unpacked = fields.get(_PACKED_SIZE), fields.get(_UNPACKED_SIZE)
        if isinstance(packed, int) and isinstance(unpacked, int) and packed >= 0 and unpacked >= 0:
            return header.at, packed, unpacked
        break
    raise ValueError("a header of a page makes no sense")
