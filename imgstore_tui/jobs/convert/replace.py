"""Moves an old store aside and removes it: only folders that hold a store and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from imgstore_tui.core.errors import ImgstoreError, StoreError
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.safe_remove import remove_tree


def replaced_path(destination: Path) -> Path:
    """Return the path to which a store is moved while another replaces it."""
    return destination.with_name(f"{destination.name}.old")


def check_free(destination: Path) -> None:
    """Check that the store at the destination can be moved aside.

    Raises:
        StoreError: If the path is taken, by the store that a killed process had moved aside.
    """
    old = replaced_path(destination)
    if os.path.lexists(old):
        raise StoreError(
            f"{old} is in the way, left by a --replace that was broken off. Remove it, or rename it back to "
            f"{destination.name} in the place of what is there; then run the same again."
        )


def check_replaceable(folder: Path) -> None:
    """Check that a folder is a store of this program and holds nothing else.

    Raises:
        StoreError: If it is not, or that is unknown.
        UnavailableError: If the driver of its backend is missing.
    """
    if folder.is_symlink():
        raise StoreError(f"{folder} is a link, and --replace takes the place of folders only. Name the folder itself.")
    if os.path.lexists(folder) and not folder.is_dir():
        raise StoreError(f"{folder} is not the folder of a store, so it is not replaced. Name another destination.")
    backend, reader = registry.open_store(folder)
    reader.close()
    if backend.owned_pattern is None:
        raise StoreError(f"{folder} is not replaced: the backend {backend.name} does not say which files are its own.")
    try:
        other = next(backend.unowned_files(folder), None)
    except OSError as error:
        raise StoreError(f"{folder} is not replaced: it cannot be listed ({error.strerror or error}).") from None
    if other is not None:
        raise StoreError(f"{folder} is not replaced: {other} is no part of the store. Move it away, then try again.")


def discard_replaced(old: Path) -> str | None:
    """Remove a replaced store after checking it once more; return a sentence about what could not be removed."""
    try:
        check_replaceable(old)
        remove_tree(old)
    except (ImgstoreError, OSError) as error:
        return f"{old}, which has been replaced, is still there: {error}"
    return None
