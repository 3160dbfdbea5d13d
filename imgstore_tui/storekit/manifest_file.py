"""The manifest as a file of its own, for formats that have no room for it: what has none is no store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgstore_tui.core.backend import Backend, Content, force
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.manifest import MAX_MANIFEST_BYTES, read_manifest, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.output import Output
from imgstore_tui.storekit.raw_file import RawFile

MANIFEST = "manifest.json"
_PARTIAL = "manifest.json.partial"


def load_manifest(backend: str, location: Path) -> tuple[Content, Mapping[str, Any]]:
    """Return what the store in a folder says it holds, and the whole manifest.

    Raises:
        StoreError: If it is missing, foreign, damaged, or written by a newer version.
    """
    file = RawFile.of_store(backend, location, location / MANIFEST)
    try:
        text = file.piece(0, min(file.size, MAX_MANIFEST_BYTES + 1))
    finally:
        file.close()
    return read_manifest(text, backend, location)


def save_manifest(backend: str, location: Path, content: Content, *, durable: bool, **layout: Any) -> None:
    """Write the manifest, or put a new one in the place of the old one, whole or not at all."""
    partial = location / _PARTIAL
    try:
        partial.unlink(missing_ok=True)  # of a process that died here
        file = Output(partial)
        try:
            file.write(write_manifest(backend, content, **layout).encode("utf-8"))
            if durable:
                file.force()
        finally:
            file.close()
        partial.rename(location / MANIFEST)
        if durable:
            force(location)
    except OSError as error:
        raise StoreError(f"{location / MANIFEST} cannot be written: {first_line(error)}.") from None


def refuse_batch_sync(backend: Backend, sync: SyncLevel) -> None:
    """Refuse to force each batch to the device, for a format that is put together at the end.

    Raises:
        UnsupportedError: If that is asked.
    """
    if sync is SyncLevel.BATCH:
        raise UnsupportedError(
            f"Backend {backend.name} writes what makes its files readable at the end, so no single batch can be made "
            "durable; use end."
        )
