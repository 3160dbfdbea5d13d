"""Defines the keys of the database, and the options with which it is opened for writing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgstore_tui.backends.rocksdb import FOLDER
from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.names_file import encode_names

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Content, Labels
    from imgstore_tui.core.options import OptionValue

MANIFEST = b"manifest"
GONE = b"gone"
"""Key of the deleted ids, ascending, 8 bytes each; absent if there are none."""
LABELS = b"labels"
"""Prefix of the keys of label blocks; the id of the first label follows in 8 bytes. Letters sort after image keys."""
NAME = b"name"
"""Prefix of the keys of names; the id of the image follows in 8 bytes. They sort after all other keys."""
BLOCK = 1024
"""Labels in a block, which begins at a multiple of this; the last block has fewer. A deleted id has the label 0."""


def key_of(number: int) -> bytes:
    """Return the key of an image: its id, such that keys sort like ids."""
    return number.to_bytes(8, "big")


def labels_key(block: int) -> bytes:
    """Return the key of a block of labels."""
    return LABELS + (block * BLOCK).to_bytes(8, "big")


def name_key(number: int) -> bytes:
    """Return the key of the name of an image."""
    return NAME + number.to_bytes(8, "big")


def name_items(location: Path, content: Content, ids: Sequence[int], names: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """Return the items that hold names of images, after a check of them."""
    return list(zip(map(name_key, ids), encode_names(location, content, names).tolist(), strict=True))


def label_items(labels: Labels, blocks: Iterable[int]) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of blocks of labels.

    Args:
        labels: int64 array (n,) of one label per id ever used.
        blocks: Numbers of the blocks.
    """
    for block in blocks:
        yield labels_key(block), labels[block * BLOCK : (block + 1) * BLOCK].astype("<i8").tobytes()


def options_for(values: Mapping[str, OptionValue]) -> Any:
    """Return the RocksDB options for tables with these option values of the backend."""
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
    """Switch off statistics and background work of RocksDB."""
    options.set_stats_dump_period_sec(0)
    options.set_stats_persist_period_sec(0)
    options.set_skip_stats_update_on_db_open(True)
    options.set_max_file_opening_threads(1)


def database_of(location: Path) -> str:
    """Return the path of the database as the library takes it.

    Raises:
        StoreError: If it is not valid UTF-8.
    """
    path = os.fspath(location / FOLDER)
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise StoreError(f"{location} cannot be used: RocksDB takes paths of UTF-8 only.") from None
    return path
