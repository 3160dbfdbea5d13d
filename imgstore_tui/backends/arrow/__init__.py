"""Stores images in an Apache Arrow IPC file of record batches, which is read through a memory map."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.core.backend import (
    Access,
    Capabilities,
    Content,
    Continuation,
    Family,
    PayloadKind,
    Preset,
    Reader,
    Writer,
)
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.core.units import counted
from imgstore_tui.storekit.manifest_file import refuse_batch_sync
from imgstore_tui.storekit.one_file import PARTIAL, OneFileBackend, begin_file

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

FILE = "images.arrow"
"""Name of the file in a store that is a folder, as earlier versions made it."""
BEFORE = f"{PARTIAL}.before"
"""What follows the name of an unfinished file while its batches are copied to a new one."""


class ArrowBackend(OneFileBackend):
    """One file, a table of images and labels in the IPC file format."""

    name = "arrow"
    title = "Arrow IPC"
    opened_by = "pyarrow, pandas, Polars, DuckDB, Hugging Face datasets"
    family = Family.ARRAY
    requires = ("pyarrow",)
    extra = "arrow"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(names=True, fork_safe=False)
    presets = (Preset("tuned", "batches of 256 rows, not compressed, read from a map"),)
    options = (
        Option(
            "rows",
            256,
            "Images in a record batch, fewer where they would pass 32 MiB; 256, few enough to be written as they come.",
            minimum=1,
            maximum=1_000_000,
        ),
        Option(
            "compression",
            "none",
            "Of the batches; none, because what is compressed cannot be read from the map.",
            choices=("none", "lz4", "zstd"),
        ),
        Option(
            "access",
            "library",
            "How images of one shape are read in random order: library, from the batches that it loads, or direct, by "
            "code of this program; library, because other programs use it.",
            choices=("library", "direct"),
            former="direct",
        ),
    )
    signature_files = (FILE,)
    file_suffix = ".arrow"
    file_signature = (0, b"ARROW1")
    foreign_suffixes = frozenset({".arrow", ".feather"})
    foreign_kinds = frozenset({"Arrow file", "Arrow stream"})
    side_suffixes = (PARTIAL, BEFORE)
    owned_pattern = re.compile(r"images\.arrow(\.before)?|manifest\.json(\.partial)?")
    caveats = (
        "It is written once, from front to back: nothing can be added, replaced or deleted; the library is 55 MB, and "
        "the format has no checksums."
    )
    when_to_choose = (
        "Choose it for data that one program writes and others, in any language, read at the speed of memory, or that "
        "Hugging Face datasets is to map; not for archives or data that changes."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the file under a temporary name."""
        from imgstore_tui.backends.arrow.files import ArrowWriter

        refuse_batch_sync(self, sync)
        begin_file(self, location, content)
        return ArrowWriter(location, content, self.values)

    def continuation(self, kind: PayloadKind) -> Continuation:
        """Return that writing resumes: a file without its end is still a stream of batches."""
        return Continuation.RESUME

    def resume(self, location: Path, content: Content, labels: Labels, sizes: Labels) -> Writer:
        """Copy the batches of the unfinished file to a new one, and continue after them."""
        from imgstore_tui.backends.arrow.files import ArrowWriter

        writer = ArrowWriter(location, content, self.values, len(labels))
        writer.continue_after(labels)
        return writer

    def access(self, operation: Operation, kind: PayloadKind) -> Access:
        """Return ``own`` for what ``access=direct`` copies from the map: images of one shape in random order."""
        mapped = kind is PayloadKind.ARRAY and self.values["compression"] == "none"
        direct = self.values["access"] == "direct" and mapped
        return Access.OWN if operation is Operation.READ_RANDOM and direct else Access.LIBRARY

    def open(self, location: Path) -> Reader:
        """Map the file into memory."""
        from imgstore_tui.backends.arrow.files import ArrowReader

        return ArrowReader(location, direct=self.values["access"] == "direct")

    @classmethod
    def claims_foreign_folder(cls, location: Path) -> bool:
        """Whether a folder is a data set of Hugging Face datasets, saved to disk or in its cache."""
        from imgstore_tui.backends.arrow.hugging_face import is_saved_dataset

        return is_saved_dataset(location)

    @classmethod
    def open_foreign_as(cls, location: Path, files: Sequence[Path], layout: ForeignLayout) -> Reader:
        """Open files with a column of picture files, or the folder of a data set of Hugging Face datasets."""
        from imgstore_tui.backends.arrow.foreign import open_files
        from imgstore_tui.backends.arrow.hugging_face import SavedFiles, saved_files

        layout.refuse_other_than(cls.title, "image", "label", "split")
        folder = len(files) == 1 and files[0].is_dir()
        saved = saved_files(files[0], layout.split) if folder else SavedFiles(list(files))
        derived = counted(saved.passed, "Arrow file")
        notes = [f"{location}: {derived} of results of map or filter not read."] if saved.passed else []
        return open_files(location, saved.paths, layout, cls.title, saved.features, notes)
