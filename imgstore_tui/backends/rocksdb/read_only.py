"""Opens a database for reading only, through a temporary folder with links to its data files.

RocksDB and its wrapper write into the folder of a database even when they only read: a log, the settings of the
wrapper. They also follow settings in it, with paths of logs and tables anywhere. So they get a folder in which only
the data files exist. It is removed as soon as all files are open.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from imgstore_tui.backends.rocksdb import FOLDER
from imgstore_tui.backends.rocksdb.layout import database_of, quieten
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import read_error

_DATA = re.compile(r"CURRENT|IDENTITY|MANIFEST-\d+|\d+\.(sst|log|blob)")
_CURRENT = re.compile(rb"MANIFEST-\d{6,20}\n")


def open_database(location: Path) -> Any:
    """Open the database in a store's folder; nothing in it changes.

    Raises:
        StoreError: If it is missing, foreign or damaged.
    """
    folder = location / FOLDER
    _check_database(location, folder)
    import rocksdict

    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(False)
    options.set_max_open_files(-1)  # all tables are opened now, so the links can be removed
    quieten(options)
    try:
        links = Path(tempfile.mkdtemp(prefix="imgstore-rocksdb-"))
    except OSError as error:
        raise StoreError(f"No temporary folder can be made to open {folder} through: {first_line(error)}.") from None
    try:
        _link(folder, links)
        reading = rocksdict.AccessType.read_only(False)
        return rocksdict.Rdict(os.fspath(links), options, {}, reading)
    except OSError as error:
        raise read_error(folder, error) from None
    except StoreError:
        raise
    except Exception as error:
        reason = first_line(error).replace(os.fspath(links), os.fspath(folder))
        raise StoreError(f"{folder} is damaged or no RocksDB database: {reason}.") from None
    finally:
        shutil.rmtree(links, ignore_errors=True)


def _check_database(location: Path, folder: Path) -> None:
    """Check that there is a database, before the library creates a missing folder."""
    database_of(location)
    file = RawFile.of_store("rocksdb", location, folder / "CURRENT")
    try:
        if not _CURRENT.fullmatch(file.read_at(0, min(file.size, 64))):
            raise StoreError(f"{folder} is damaged or no RocksDB database: it does not say which manifest counts.")
    finally:
        file.close()


def _link(folder: Path, links: Path) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if not _DATA.fullmatch(entry.name):
                continue
            if not entry.is_file(follow_symlinks=False):
                raise StoreError(f"{entry.path} is no file, and is not followed.")
            (links / entry.name).symlink_to(folder.absolute() / entry.name)
