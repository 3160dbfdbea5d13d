"""Stores of other programs, by the conventions of their ecosystems: read only.

A WebDataset tar, a TFRecord of Examples, a Parquet file with a column of images, as the picture files in them; an HDF5
file of images and labels, as pixels; one file, or a folder of such.
"""

from __future__ import annotations

from pathlib import Path

from imgstore_tui.core.errors import StoreError, UnavailableError
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.foreign_files import ForeignFile, ForeignReader

SUFFIXES = {
    ".tar": "webdataset",
    ".tfrecord": "tfrecord",
    ".tfrecords": "tfrecord",
    ".parquet": "parquet",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
}
"""The kind of each file by its ending: called like the backend that writes such files, whose driver reads it."""


def open_foreign(place: Path) -> tuple[str, Reader] | None:
    """Open what another program has written; None if it is of no kind that is known.

    Raises:
        StoreError: If it is of a known kind and damaged, or holds no pictures.
        UnavailableError: If the library that reads it is missing.
    """
    files = [place] if place.is_file() else sorted(path for path in place.iterdir() if path.is_file())
    kinds = {path: SUFFIXES[path.suffix] for path in files if path.suffix in SUFFIXES}
    if not kinds:
        return None
    kind = next(iter(kinds.values()))
    if lack := registry.missing_requirement(registry.backends.get(kind)):
        raise UnavailableError(f"{place} {lack}")
    if kind == "hdf5":
        from imgstore_tui.backends.hdf5.foreign import Hdf5Arrays

        return kind, Hdf5Arrays(place, [path for path, its in kinds.items() if its == kind])
    parts = [_part(kind, path) for path, its in kinds.items() if its == kind]
    reader = ForeignReader(place, parts)
    if not reader.content.count:
        reader.close()
        raise StoreError(f"{place} holds no pictures that are found by the conventions of {kind}.")
    return kind, reader


def _part(kind: str, path: Path) -> ForeignFile:
    if kind == "webdataset":
        from imgstore_tui.backends.webdataset.foreign import TarPart

        return TarPart(path)
    if kind == "tfrecord":
        from imgstore_tui.backends.tfrecord.foreign import TfrecordPart

        return TfrecordPart(path)
    from imgstore_tui.backends.parquet.foreign import ParquetPart

    return ParquetPart(path)
