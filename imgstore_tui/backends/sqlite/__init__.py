"""Stores images in SQLite: one table in one file that every language can read."""

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
from imgstore_tui.core.manifest import image_bytes
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.one_file import PARTIAL, OneFileBackend, begin_file

FILE = "store.sqlite"
"""Name of the file in a store that is a folder, as earlier versions made it."""
JOURNAL = "-journal"
"""What follows the name of the file in the name of SQLite's rollback journal."""
MOST_BYTES = 10**9
"""SQLite's own limit on one value."""


class SqliteBackend(OneFileBackend):
    """One file: a row an image, and an index that holds ids and labels without the pixels."""

    name = "sqlite"
    title = "SQLite"
    opened_by = "SQLite in any language"
    family = Family.SQL
    requires = ("sqlite3",)
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(append=True, overwrite=True, delete=True, names=True, counts_syncs=False)
    presets = (
        Preset("tuned", "pages as large as the images ask for, one transaction, the file mapped for reading"),
        Preset(
            "plain",
            "SQLite's own settings, a transaction every 1,000 images, one statement an image",
            options={"page": "4096", "transaction": 1000, "map": False, "batch": False},
        ),
    )
    options = (
        Option(
            "page",
            "auto",
            "Bytes in a page; auto takes the power of two that holds four images or more, because an image that does "
            "not fit into its page is cut into a chain of others.",
            choices=("auto", "4096", "8192", "16384", "32768", "65536"),
        ),
        Option(
            "transaction",
            0,
            "Images in a transaction while a new store is written, 0 for all in one; 0, because the store counts only "
            "once it is whole.",
            minimum=0,
            maximum=10_000_000,
        ),
        Option("map", True, "Read through a map of the file; yes, which spares a copy of every page."),
        Option("batch", True, "Ask for all images of a batch by one statement; yes, which spares a call an image."),
    )
    signature_files = (FILE,)
    owned_pattern = re.compile(r"store\.sqlite(\.partial|-journal)?")
    file_suffix = ".sqlite"
    file_signature = (0, b"SQLite format 3\0")
    side_suffixes = (PARTIAL, JOURNAL, "-wal", "-shm")
    caveats = (
        "Every image is copied once more on its way out than from an array, none may be larger than 1 GB, one process "
        "writes at a time, and the format itself has no checksums."
    )
    when_to_choose = (
        "Choose it when images belong to data that is queried by more than an id, when single ones are often changed "
        "or deleted, or when the store must be one file that any language can open safely."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the file under a temporary name."""
        if content.kind is PayloadKind.ARRAY and content.shape and image_bytes(content) > MOST_BYTES:
            raise UnsupportedError("Backend sqlite takes images of at most 1,000,000,000 bytes, SQLite's own limit.")
        from imgstore_tui.backends.sqlite.writer import SqliteWriter

        begin_file(self, location, content)
        return SqliteWriter(location, content, self.values, sync)

    def open(self, location: Path) -> Reader:
        """Open the file for reading only, without a lock."""
        from imgstore_tui.backends.sqlite.reader import SqliteReader

        return SqliteReader(location)

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        """Open the file to change rows in one transaction, or in one per call if each must be durable."""
        from imgstore_tui.backends.sqlite.editor import SqliteEditor

        return SqliteEditor(location, sync)
