"""Stores images in HDF5, as arrays in one self-describing file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.backends.hdf5.editor import Hdf5Editor
from imgstore_tui.backends.hdf5.layout import FILE
from imgstore_tui.backends.hdf5.reader import Hdf5Reader
from imgstore_tui.backends.hdf5.writer import Hdf5Writer
from imgstore_tui.core.backend import (
    Access,
    Capabilities,
    Content,
    Continuation,
    Editor,
    Family,
    PayloadKind,
    Preset,
    Reader,
    Writer,
)
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.one_file import OneFileBackend, begin_file

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


class Hdf5Backend(OneFileBackend):
    """One file: datasets of images and labels; payloads of any length in a row, with offsets."""

    name = "hdf5"
    title = "HDF5"
    opened_by = "h5py, HDFView, MATLAB, R, and whatever else reads HDF5"
    family = Family.ARRAY
    requires = ("h5py",)
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(append=True, overwrite=True, names=True)
    presets = (
        Preset("tuned", "one contiguous dataset; handles are kept, images are read into the caller's memory"),
        Preset(
            "article",
            "contiguous datasets images and meta, written and read through the library; int64 labels stand where the "
            "article's 8 bits would cut them",
            options={"labels": "meta", "access": "library"},
        ),
    )
    options = (
        Option(
            "chunks",
            0,
            "Images in a chunk, 0 for one contiguous block, which cannot grow; 0, because most libraries read a chunk "
            "whole even for one image of it. Encoded images are always in chunks of at most 1 MiB.",
            minimum=0,
            maximum=1_000_000,
        ),
        Option(
            "filter",
            "none",
            "Compression of chunks by HDF5; none, because it costs more time than it saves space and needs chunks.",
            choices=("none", "lzf", "gzip"),
        ),
        Option(
            "access",
            "library",
            "How what is not filtered is read and written: library, through HDF5 by the fastest calls of h5py, or "
            "direct, by code of this program at its place in the file; library, because other programs use it.",
            choices=("library", "direct"),
        ),
        Option("labels", "labels", "Name of the dataset of labels; the article calls it meta.", ("labels", "meta")),
    )
    signature_files = (FILE,)
    owned_pattern = re.compile(r"store\.h5(\.partial)?")
    file_suffix = ".h5"
    file_signature = (0, b"\x89HDF\r\n\x1a\n")
    foreign_suffixes = frozenset({".h5", ".hdf5"})
    foreign_kinds = frozenset({"HDF5"})
    caveats = (
        "Random batches through the library are slow, and very slow by a list of ids or from large chunks; a file that "
        "was not closed cannot be opened; threads do not read at the same time; only chunks grow, nothing is deleted."
    )
    when_to_choose = (
        "Choose it for images of one shape that are read in order or in batches, and for data that must be understood "
        "by other languages and in ten years: the file describes itself and takes no more space than its pixels."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the file under a temporary name: HDF5 cannot open a file that was not closed."""
        if self.values["filter"] != "none" and content.kind is PayloadKind.ARRAY and not self.values["chunks"]:
            raise UnsupportedError("Backend hdf5 filters chunks only; add chunks=64, or leave the filter out.")
        begin_file(self, location, content)
        return Hdf5Writer(location, content, self.values, sync)

    def access(self, operation: Operation, kind: PayloadKind) -> Access:
        """Return ``own`` for what ``access=direct`` reads and writes round HDF5: pixels and bytes without a filter."""
        if self.values["access"] == "library" or operation.changes or operation is Operation.WRITE_ONE:
            return Access.LIBRARY
        if operation.writes:
            block = kind is PayloadKind.ARRAY and not self.values["chunks"]
            return Access.OWN if block else Access.LIBRARY
        return Access.OWN if self.values["filter"] == "none" else Access.LIBRARY

    def open(self, location: Path) -> Reader:
        """Open the file for reading only."""
        return Hdf5Reader(location, direct=self.values["access"] == "direct")

    @classmethod
    def open_foreign_as(cls, location: Path, files: Sequence[Path], layout: ForeignLayout) -> Reader:
        """Open files with arrays of images of one shape, or with picture files in datasets."""
        from imgstore_tui.backends.hdf5.foreign import open_files

        return open_files(location, files, layout)

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        """Open the file for changes; its layout decides whether it can grow."""
        return Hdf5Editor(location, sync)

    def continuation(self, kind: PayloadKind) -> Continuation:
        """Return that chunks are appended, and that writing into one block, which has its full size, resumes."""
        block = kind is PayloadKind.ARRAY and not self.values["chunks"]
        return Continuation.RESUME if block else Continuation.APPEND

    def resume(self, location: Path, content: Content, labels: Labels, sizes: Labels) -> Writer:
        """Open the file under its temporary name, and continue after the last image."""
        if self.continuation(content.kind) is not Continuation.RESUME:
            return super().resume(location, content, labels, sizes)
        return Hdf5Writer(location, content, self.values, SyncLevel.BUFFERED, labels)

    def probe(self, location: Path, images: Pixels, labels: Labels) -> dict[str, list[float]]:
        """Store the same images as 8-bit and as 64-bit integers, through the library."""
        from imgstore_tui.backends.hdf5.probe import store_in_types

        return store_in_types(location, images, labels)
