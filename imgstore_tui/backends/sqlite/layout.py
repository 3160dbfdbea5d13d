"""Defines the tables and the page size of the file, and turns SQLite's errors into StoreError."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgstore_tui.core.backend import Content
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.names_file import encode_names, missing_names
from imgstore_tui.storekit.store_errors import damaged_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imgstore_tui.core.backend import Labels

TABLES = {
    "images": "CREATE TABLE images(id INTEGER PRIMARY KEY, label INTEGER NOT NULL, data BLOB NOT NULL)",
    "labels": "CREATE INDEX labels ON images(id, label)",
    "manifest": "CREATE TABLE manifest(text TEXT NOT NULL)",
}
"""Labels are read from the index alone, which holds no pixels."""
NAMES = {"names": "CREATE TABLE names(id INTEGER PRIMARY KEY, name TEXT NOT NULL)"}
"""The further table of a store whose images have names."""
PUT_NAME = "INSERT OR REPLACE INTO names(id, name) VALUES (?, ?)"
PUT = "INSERT INTO images(id, label, data) VALUES (?, ?, ?)"

_LEAST_PAGE, _MOST_PAGE = 4096, 65_536
_IMAGES_PER_PAGE = 4


def page_size(content: Content, option: str) -> int:
    """Return the page size in bytes: the option, or for ``auto`` the power of two that holds four images."""
    if option != "auto":
        return int(option)
    needed = _IMAGES_PER_PAGE * content.payload_bytes // max(1, content.count)
    page = _LEAST_PAGE
    while page < min(needed, _MOST_PAGE):
        page *= 2
    return page


def rows(ids: Sequence[int], values: Sequence[bytes | memoryview], labels: Labels) -> list[tuple[int, int, Any]]:
    """Return rows for ``PUT``."""
    return list(zip(ids, labels.tolist(), values, strict=True))


def name_rows(location: Path, content: Content, ids: Sequence[int], names: Sequence[str]) -> list[tuple[int, str]]:
    """Return rows for ``PUT_NAME``, after a check of the names."""
    encode_names(location, content, names)
    return list(zip(ids, names, strict=True))


def check_names(connection: sqlite3.Connection, location: Path, content: Content) -> None:
    """Check that every image has a name, in a store whose images have any.

    Raises:
        StoreError: If names are missing.
    """
    if content.name_bytes:
        (count,) = connection.execute("SELECT count(*) FROM names").fetchone()
        if count != content.count:
            raise missing_names(location, content.count - count)


def damaged(path: Path, error: sqlite3.Error) -> StoreError:
    """Return the error for a file that SQLite cannot read."""
    return damaged_error(path, first_line(error), "SQLite file")
