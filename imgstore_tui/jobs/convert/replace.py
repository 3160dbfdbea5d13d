"""Making room for a new store: only what is a store, and nothing beside, is moved aside and then removed."""

from __future__ import annotations

import os
from pathlib import Path

from imgstore_tui.core.errors import ImgstoreError, StoreError
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.safe_remove import remove_tree


def replaced_path(destination: Path) -> Path:
    """Return the name that a store has while another takes its place."""
    return destination.with_name(f"{destination.name}.old")


def check_free(destination: Path) -> None:
    """Check that what is at the destination can be moved aside.

    Raises:
        StoreError: If something has that name, which a process has left that died when both were there.
    """
    old = replaced_path(destination)
    if os.path.lexists(old):
        raise StoreError(
            f"{old} is in the way, left by a --replace that was broken off. Remove it, or rename it back to "
            f"{destination.name} in the place of what is there; then run the same again."
        )


def check_replaceable(place: Path) -> None:
    """Check that a folder is a store of ours, and that nothing else lies in it.

    Raises:
        StoreError: If that is not so, or cannot be told.
        UnavailableError: If the driver of its backend is missing.
    """
    if place.is_symlink():
        raise StoreError(f"{place} is a link, and --replace takes the place of folders only. Name the folder itself.")
    if os.path.lexists(place) and not place.is_dir():
        raise StoreError(f"{place} is not the folder of a store, so it is not replaced. Name another destination.")
    kind, reader = registry.open_store(place)
    reader.close()
    if kind.owned_pattern is None:
        raise StoreError(f"{place} is not replaced: the backend {kind.name} does not say which files are its own.")
    try:
        other = next(kind.unowned_files(place), None)
    except OSError as error:
        raise StoreError(f"{place} is not replaced: it cannot be listed ({error.strerror or error}).") from None
    if other is not None:
        raise StoreError(f"{place} is not replaced: {other} is no part of the store. Move it away, then try again.")


def discard_replaced(old: Path) -> str | None:
    """Remove a store that has been replaced, looked at once more; return a sentence about what had to stay."""
    try:
        check_replaceable(old)
        remove_tree(old)
    except (ImgstoreError, OSError) as error:
        return f"{old}, which has been replaced, is still there: {error}"
    return None
