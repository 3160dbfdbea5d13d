"""Stores images in DuckDB, a file of column tables for SQL; images are cut into parts that suit such tables."""

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
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.one_file import PARTIAL, OneFileBackend, begin_file

FILE = "images.duckdb"
"""Name of the file in a store that is a folder, as earlier versions made it."""
_LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")
"""What follows the name of the file in the names of DuckDB's logs."""


class DuckdbBackend(OneFileBackend):
    """One file: tables ``images`` (id, label, size), ``parts`` (id, part, data), and ``names`` (id, name) if there are.

    An image is cut into parts of 3 KiB, because DuckDB handles 2,048 rows at a time. The view ``payloads`` puts them
    together again, so that the file is an ordinary database to any DuckDB:

    ``SELECT label, count(*), sum(size) FROM images GROUP BY label`` looks at no pixel;
    ``SELECT data FROM payloads WHERE id = 7`` is image 7.
    """

    name = "duckdb"
    title = "DuckDB"
    opened_by = "DuckDB's library in any language"
    family = Family.SQL
    requires = ("duckdb", "pyarrow")
    extra = "duckdb"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "png"
    capabilities = Capabilities(
        append=True, overwrite=True, delete=True, names=True, fork_safe=False, counts_syncs=False
    )
    forced_formerly = True
    presets = (Preset("tuned", "parts of 3 KiB in row groups of 2,048, not compressed, written in whole row groups"),)
    options = (
        Option(
            "part",
            3,
            "KiB in a part of an image; 3, because 2,048 parts are in memory at once, and DuckDB keeps values of 4 KiB "
            "and more in chains of other blocks.",
            minimum=1,
            maximum=16,
        ),
        Option(
            "compression",
            "none",
            "Of the parts; none, because encoded images do not shrink and pixels shrink little; auto is as DuckDB "
            "chooses.",
            choices=("none", "auto"),
        ),
    )
    signature_files = (FILE,)
    file_suffix = ".duckdb"
    file_signature = (8, b"DUCK")
    side_suffixes = (PARTIAL, *_LOGS, *(f"{PARTIAL}{log}" for log in _LOGS))
    owned_pattern = re.compile(r"images\.duckdb(\.partial)?(\.wal(\.\w+)?)?")
    caveats = (
        "It is made for questions about columns, not for values of many KiB: each call costs about a millisecond, a "
        "lookup reads blocks of 256 KiB, and one process writes at a time, without readers."
    )
    when_to_choose = (
        "Choose it where images stand beside tables that are asked and joined by SQL, and are few or fetched by "
        "hundreds; not for training or for single images, where a file, LMDB or SQLite is many times as fast."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the file under a temporary name."""
        from imgstore_tui.backends.duckdb.writer import DuckdbWriter

        begin_file(self, location, content)
        return DuckdbWriter(location, content, self.values, sync)

    def open(self, location: Path) -> Reader:
        """Open the file for reading only, without access to anything outside it."""
        from imgstore_tui.backends.duckdb.reader import DuckdbReader

        return DuckdbReader(location)

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        """Open the file to change rows in one transaction; in several if it is large or each call must be durable."""
        from imgstore_tui.backends.duckdb.editor import DuckdbEditor

        return DuckdbEditor(location, sync)
