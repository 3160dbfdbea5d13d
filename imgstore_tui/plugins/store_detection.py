"""Detects which backend wrote the store at a path, and opens it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from imgstore_tui.core.backend import Backend, Reader
from imgstore_tui.core.errors import ImgstoreError, NotAStoreError, StoreError, UnavailableError
from imgstore_tui.core.options import OptionValue
from imgstore_tui.plugins.catalogue import check_available, missing_imports
from imgstore_tui.plugins.catalogues import local_backends
from imgstore_tui.plugins.spec_resolver import with_defaults
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.one_file import OneFileBackend


def open_store(path: Path, options: Mapping[str, OptionValue] | None = None) -> tuple[type[LocalBackend], Reader]:
    """Open a store for reading, whichever backend wrote it.

    Args:
        path: The store, or a file in a store that is a folder.
        options: Options of the backend that are not to be the default.

    Raises:
        NotAStoreError: If it is missing, or not a store of a backend here.
        StoreError: If it is damaged.
        UnavailableError: If the driver of its backend is missing.
    """
    if not path.is_file():
        return open_store_at(path, options)
    try:
        return open_store_at(path.resolve(), options)  # a link that the user names is followed, one in a store is not
    except NotAStoreError as error:
        try:
            return open_store_at(path.parent, options)
        except NotAStoreError:
            raise error from None


def open_store_at(
    location: Path, options: Mapping[str, OptionValue] | None = None
) -> tuple[type[LocalBackend], Reader]:
    """Open the store that is the file or the folder at a location, see ``open_store``."""
    if not location.exists():
        raise NotAStoreError(f"{location} does not exist.")
    candidates = possible_backends(location)
    unmarked = [
        kind for kind in local_backends()
        if location.is_dir() and not kind.signature_files and not missing_imports(kind)
    ]  # fmt: skip
    refusal: ImgstoreError | None = None
    for kind in [*candidates, *unmarked]:
        try:
            values = options or _values_without_library(kind)
            check_available(kind, values)
            return kind, with_defaults(kind, values).open(location)
        except (StoreError, UnavailableError) as error:
            refusal = refusal or (error if kind in candidates else None)
    raise refusal or NotAStoreError(
        f"{location} is not a store of any backend here; a folder of picture files is read as folder:PATH."
    )


def _values_without_library(kind: type[Backend]) -> dict[str, OptionValue]:
    """Return an option value with which a store is read without a library that is missing; empty for the defaults."""
    if not missing_imports(kind):
        return {}
    ways: list[dict[str, OptionValue]] = [{option.name: value} for option in kind.options for value in option.choices]
    return next((values for values in ways if not missing_imports(kind, values)), {})


def possible_backends(location: Path) -> list[type[LocalBackend]]:
    """Return the backends of which a file or a folder may be a store, by its first bytes or the names in it."""
    if location.is_dir():
        return [kind for kind in local_backends() if any((location / name).exists() for name in kind.signature_files)]
    return [kind for kind in local_backends() if issubclass(kind, OneFileBackend) and kind.has_signature(location)]
