"""Moves an old store aside and removes it: only a file or a folder that is a store and holds nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from imgstore_tui.core.backend import Backend
from imgstore_tui.core.errors import ImgstoreError, StoreError
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.one_file import OneFileBackend
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
        if os.path.lexists(destination):
            raise StoreError(
                f"{old} is in the way, left by a --replace that was broken off after {destination.name} had been "
                f"verified and put in place. {old.name} is what was there before. Remove it; then run the same again, "
                "if you want to replace the store once more."
            )
        raise StoreError(
            f"{old} is in the way, left by a --replace that was broken off. It is what was at {destination.name}. "
            f"Rename it back to {destination.name}; then run the same again."
        )


def check_replaceable(location: Path) -> None:
    """Check that a file or a folder is a store of this program, and that a folder holds nothing else.

    Raises:
        StoreError: If it is not, or that is unknown.
        UnavailableError: If the driver of its backend is missing.
    """
    if location.is_symlink():
        raise StoreError(f"{location} is a link, and --replace takes the place of stores only. Name the store itself.")
    if os.path.lexists(location) and not (location.is_dir() or registry.possible_backends(location)):
        raise StoreError(f"{location} is not a store, so it is not replaced. Name another destination.")
    backend, reader = registry.open_store_at(location)
    reader.close()
    if not location.is_dir():
        return
    if backend.owned_pattern is None:
        message = f"{location} is not replaced: the backend {backend.name} does not say which files are its own."
        raise StoreError(message)
    try:
        other = next(backend.unowned_files(location), None)
    except OSError as error:
        raise StoreError(f"{location} is not replaced: it cannot be listed ({error.strerror or error}).") from None
    if other is not None:
        raise StoreError(f"{location} is not replaced: {other} is no part of the store. Move it away, then try again.")


def check_beside(backend: type[Backend], destination: Path) -> None:
    """Check that nothing lies beside a destination that would be taken for a part of the store there, such as a log.

    Raises:
        StoreError: If something does.
    """
    for path in backend.side_files(destination) if issubclass(backend, OneFileBackend) else ():
        if os.path.lexists(path):
            raise StoreError(f"{path} would be taken for a part of {destination.name}. Move it away, then try again.")


def discard_replaced(destination: Path) -> str | None:
    """Remove the store that was moved aside, after checking it once more.

    Args:
        destination: Where the store that has replaced it is.

    Returns:
        A sentence about what could not be removed, None where nothing is left.
    """
    old = replaced_path(destination)
    if not os.path.lexists(old):
        return None
    try:
        check_replaceable(old)
        if old.is_dir():
            remove_tree(old)
        else:
            old.unlink()
    except (ImgstoreError, OSError) as error:
        return f"{old}, which has been replaced, is still there: {error}"
    return None
