"""Opens the store that somebody names: the store, a file in it, or a folder that holds it and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

from imgstore_tui.core.errors import ImgstoreError, NotAStoreError, StoreError
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.local import LocalBackend

_MOST_LOOKED_AT = 64
"""Entries of a folder among which stores are looked for: each is opened."""


def open_named_store(path: Path, options: Mapping[str, OptionValue] | None = None) -> tuple[type[LocalBackend], Reader]:
    """Open a store as ``registry.open_store`` does, or the only thing in a folder if that is a store.

    Args:
        path: The store, a file in it, or a folder that holds it.
        options: Options of the backend that are not to be the default.

    Raises:
        NotAStoreError: If it is missing, or no store of a backend here.
        StoreError: If it is damaged.
        UnavailableError: If the driver of its backend is missing.
    """
    try:
        return registry.open_store(path, options)
    except NotAStoreError as error:
        only = _only_entry(path)
        if only is None:
            raise
        try:
            return registry.open_store_at(only, options)
        except NotAStoreError:
            raise error from None


def refuse_stores(folder: Path, entries: Iterable[Path]) -> None:
    """Refuse a folder in which a store lies beside other things, none of which would be read as what it is.

    Raises:
        StoreError: If one of the first entries is a store; it is named.
    """
    looked_at = list(islice(entries, _MOST_LOOKED_AT))
    stores = [entry for entry in looked_at if not entry.is_symlink() and _is_store(entry)]
    if stores:
        more = f" and {counted(len(stores) - 1, 'more store')}" if len(stores) > 1 else ""
        raise StoreError(
            f"{folder} is no store: it holds the store {safe_text(stores[0].name)}{more} beside other things. Name the "
            f"store itself: {safe_text(str(stores[0]))}."
        )


def _only_entry(path: Path) -> Path | None:
    """Return the only thing in a folder that is neither hidden nor a link; None if there is another number of them."""
    try:
        with os.scandir(path) as listing:
            shown = list(islice((entry for entry in listing if not entry.name.startswith(".")), 2))
    except OSError:
        return None
    return Path(shown[0].path) if len(shown) == 1 and not shown[0].is_symlink() else None


def _is_store(path: Path) -> bool:
    try:
        _, reader = registry.open_store_at(path)
    except ImgstoreError:
        return False
    reader.close()
    return True
