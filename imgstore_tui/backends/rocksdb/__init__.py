"""Stores images in RocksDB: sorted tables of keys and values in one folder, changed through a log."""

from __future__ import annotations

import re
from pathlib import Path

from imgstore_tui.core.backend import (
    Capabilities,
    Content,
    Editor,
    Family,
    PayloadKind,
    Preset,
    Reader,
    Writer,
)
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.manifest import begin_store, image_bytes
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.local import LocalBackend

FOLDER = "images.rocksdb"
MOST_BYTES = 3 * 2**30
"""RocksDB's own limit on one value."""
COMPRESSIONS = ("none", "snappy", "lz4", "zstd")
MOST_BLOCK = 65_536


class RocksdbBackend(LocalBackend):
    """A folder with ``images.rocksdb``, a database of plain keys and values.

    The key of an image is its id in 8 bytes, the highest first, and the value its payload or bare pixels; labels are
    little-endian int64 in values of 1,024 (see ``layout``). Any program that knows RocksDB reads it; with rocksdict,
    ``Rdict("images.rocksdb")[(7).to_bytes(8, "big")]`` is image 7.
    """

    name = "rocksdb"
    title = "RocksDB"
    opened_by = "RocksDB's library in C++, Java, Rust, Python"
    family = Family.EMBEDDED
    requires = ("rocksdict",)
    extra = "rocksdb"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(
        append=True, overwrite=True, delete=True, names=True, forces_itself=True, counts_syncs=False
    )
    presets = (
        Preset("tuned", "tables written in the order of their keys and taken in whole, without a log; not compressed"),
        Preset(
            "plain",
            "every batch through the log and the table in memory, compressed as RocksDB does unasked",
            options={"bulk": False, "compression": "snappy"},
        ),
    )
    options = (
        Option(
            "bulk",
            True,
            "Write tables directly while a new store is filled; yes, because ids come in order, and what goes through "
            "the log is written twice or more. Where each batch must be durable, the log is used all the same.",
        ),
        Option(
            "compression",
            "none",
            "Of the blocks of tables; none, because encoded images do not shrink and pixels shrink little.",
            choices=COMPRESSIONS,
        ),
        Option(
            "block",
            4,
            "KiB in a block of a table, which is read and checked whole; 4, so that single small images are read "
            "nearly alone, and a larger image has a block of its own.",
            minimum=1,
            maximum=MOST_BLOCK,
        ),
    )
    signature_files = (FOLDER,)
    owned_pattern = re.compile(
        r"images\.rocksdb/(CURRENT|IDENTITY|LOCK|LOG(\.old\.\d+)?|MANIFEST-\d+|OPTIONS-\d+(\.dbtmp)?|\d+\.dbtmp|"
        r"\d+\.(sst|log|blob)|load-\d+\.sst|rocksdict-config\.json)"
    )
    caveats = (
        "What is replaced or deleted takes room until tables are merged, which may come at any time; tables are forced "
        "to the device as they are written, at the sync level buffered too, and one process writes at a time."
    )
    when_to_choose = (
        "Choose it for many small images that a service which stays open writes, replaces and deletes all the time; "
        "not for data that is written once and then only read, where LMDB or plain files read faster."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the folder and the database; ``close`` writes the manifest."""
        if content.kind is PayloadKind.ARRAY and content.shape and image_bytes(content) > MOST_BYTES:
            raise UnsupportedError(f"Backend rocksdb takes images of at most {MOST_BYTES:,} bytes, its own limit.")
        from imgstore_tui.backends.rocksdb.writer import RocksdbWriter

        begin_store(self, location, content)
        return RocksdbWriter(location, content, self.values, sync)

    def open(self, location: Path) -> Reader:
        """Open the database for reading only, through a temporary folder of links in which RocksDB may write."""
        from imgstore_tui.backends.rocksdb.reader import RocksdbReader

        return RocksdbReader(location)

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        """Open the database for changes, one batch per call."""
        from imgstore_tui.backends.rocksdb.editor import RocksdbEditor

        return RocksdbEditor(location, sync)
