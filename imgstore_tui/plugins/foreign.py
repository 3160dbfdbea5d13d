"""Opens files that other programs have written, by the first backend whose format they have: read only."""

from __future__ import annotations

from pathlib import Path

from imgstore_tui.core.errors import ImgstoreError, StoreError, UnavailableError
from imgstore_tui.core.foreign_layout import NOTHING_NAMED, ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.local import LocalBackend


def open_foreign(location: Path, layout: ForeignLayout = NOTHING_NAMED) -> tuple[str, Reader] | None:
    """Open a file of another program, or a folder of such files.

    Args:
        location: A file or a folder that exists. Of a folder, the first file by name that a backend claims decides
            which backend reads; files that this backend does not claim are left out.
        layout: What the user names in the files.

    Returns:
        Name of the backend that reads, and its reader; None if no backend claims a file there.

    Raises:
        StoreError: If the files are damaged, or hold no images.
        UnavailableError: If a library that reads them is missing.
        UsageError: If the user names something, and the backend takes no such options.
    """
    if not location.is_file() and not location.is_dir():
        raise StoreError(f"{location} is no file and no folder. Name a store.")
    files = [location] if location.is_file() else sorted(path for path in location.iterdir() if path.is_file())
    claimants: list[type[LocalBackend]] = []
    for file in files:
        claimants = [backend for backend in registry.local_backends() if file.suffix in backend.foreign_suffixes]
        if claimants:
            break
    refusal: ImgstoreError | None = None
    for backend in claimants:
        try:
            if requirement := registry.missing_requirement(backend):
                raise UnavailableError(f"{location} {requirement}")
            claimed = [file for file in files if file.suffix in backend.foreign_suffixes]
            return backend.name, backend.open_foreign_as(location, claimed, layout)
        except (StoreError, UnavailableError) as error:
            refusal = refusal or error
    if refusal is not None:
        raise refusal
    return None
