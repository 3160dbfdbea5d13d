"""Reads and writes the manifest as a file, for formats that cannot hold it; a folder without it is not a store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgstore_tui.core.backend import Backend, Content
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.manifest import MAX_MANIFEST_BYTES, read_manifest, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.atomic_write import atomic_file
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import write_error

MANIFEST = "manifest.json"
_PARTIAL = "manifest.json.partial"


def load_manifest(backend: str, location: Path) -> tuple[Content, Mapping[str, Any]]:
    """Return the content that the manifest in a store's folder describes, and the whole manifest.

    Raises:
        StoreError: If it is missing, foreign, damaged, or written by a newer version.
    """
    file = RawFile.of_store(backend, location, location / MANIFEST)
    try:
        text = file.read_at(0, min(file.size, MAX_MANIFEST_BYTES + 1))
    finally:
        file.close()
    return read_manifest(text, backend, location)


def save_manifest(backend: str, location: Path, content: Content, *, durable: bool, **layout: Any) -> None:
    """Write the manifest, or replace it, whole or not at all.

    Args:
        backend: Name of the backend.
        location: The store's folder.
        content: What the store holds.
        durable: Whether the file and its name are forced to the device, which takes two sync calls.
        **layout: What else a reader must know, as JSON takes it.

    Raises:
        StoreError: If it cannot be written.
    """
    text = write_manifest(backend, content, **layout).encode("utf-8")
    try:
        with atomic_file(location / MANIFEST, durable=durable, partial_name=_PARTIAL) as file:
            file.write(text)
    except OSError as error:
        raise write_error(location / MANIFEST, error) from None


def refuse_batch_sync(backend: Backend, sync: SyncLevel) -> None:
    """Refuse to force each batch to the device, for a format that is only complete at the end.

    Raises:
        UnsupportedError: If the sync level is ``batch``.
    """
    if sync is SyncLevel.BATCH:
        raise UnsupportedError(
            f"Backend {backend.name} writes what makes its files readable at the end, so no single batch can be made "
            "durable; use end."
        )
