"""What stands where in the database, and how it is opened to be written."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgstore_tui.backends.rocksdb import FOLDER
from imgstore_tui.core.errors import StoreError

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.options import OptionValue

MANIFEST = b"manifest"
GONE = b"gone"
"""Ids that were deleted, ascending, 8 bytes each; only where there are some."""
LABELS = b"labels"
"""Keys of blocks of labels: this, and the id of the first in 8 bytes. Letters stand behind all keys of images."""
BLOCK = 1024
"""Labels in a value: those of ids from a multiple of this on, as many as there are; 0 for an id that was deleted."""


def key_of(number: int) -> bytes:
    """Return the key of an image: its id, so that the order of keys is that of ids."""
    return number.to_bytes(8, "big")


def labels_key(block: int) -> bytes:
    """Return the key of a block of labels."""
    return LABELS + (block * BLOCK).to_bytes(8, "big")


def label_items(labels: Labels, blocks: Iterable[int]) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of blocks of labels, given all labels, one an id there ever was."""
    for block in blocks:
        yield labels_key(block), labels[block * BLOCK : (block + 1) * BLOCK].astype("<i8").tobytes()


def options_for(values: Mapping[str, OptionValue]) -> Any:
    """Return what RocksDB is told about tables that it writes."""
    import rocksdict

    options = rocksdict.Options(raw_mode=True)  # keys and values are bytes, and nothing is a pickle
    kinds = rocksdict.DBCompressionType
    options.set_compression_type(getattr(kinds, str(values["compression"]))())
    table = rocksdict.BlockBasedOptions()
    table.set_block_size(int(values["block"]) * 1024)
    options.set_block_based_table_factory(table)
    options.set_keep_log_file_num(1)
    quieten(options)
    return options


def quieten(options: Any) -> None:
    """Spare what RocksDB would do beside its work."""
    options.set_stats_dump_period_sec(0)
    options.set_stats_persist_period_sec(0)
    options.set_skip_stats_update_on_db_open(True)
    options.set_max_file_opening_threads(1)


def database_of(location: Path) -> str:
    """Return the path of the database, as the library takes it.

    Raises:
        StoreError: If it has bytes in it that are no text.
    """
    path = os.fspath(location / FOLDER)
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise StoreError(f"{location} cannot be used: RocksDB takes paths of UTF-8 only.") from None
    return path
