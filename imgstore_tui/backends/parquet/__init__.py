"""Stores images in Apache Parquet, in the layout of Hugging Face datasets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.core.backend import Access, Capabilities, Content, Family, PayloadKind, Preset, Reader, Writer
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.foreign_files import ForeignReader
from imgstore_tui.storekit.manifest_file import refuse_batch_sync
from imgstore_tui.storekit.one_file import OneFileBackend, begin_file

FILE = "images.parquet"
"""Name of the file in a store that is a folder, as earlier versions made it."""


class ParquetBackend(OneFileBackend):
    """One file; ``image`` is a struct of bytes and path, or fixed bytes where it is pixels."""

    name = "parquet"
    title = "Parquet"
    opened_by = "pyarrow, pandas, Polars, DuckDB, Spark, Hugging Face datasets"
    family = Family.RECORD
    requires = ("pyarrow",)
    extra = "arrow"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "png"
    capabilities = Capabilities(names=True, fork_safe=False)
    presets = (
        Preset("tuned", "row groups of 256, no compression, dictionary or statistics of images, checksums of pages"),
        Preset(
            "plain",
            "the library's own compression, and large row groups",
            options={"rows": 100_000, "compression": "snappy"},
        ),
    )
    options = (
        Option(
            "rows",
            256,
            "Images in a row group, fewer where they would pass 32 MiB; 256, because a group is read whole even for "
            "one image of it.",
            minimum=1,
            maximum=1_000_000,
        ),
        Option(
            "compression",
            "none",
            "Of pages; none, because encoded images do not shrink.",
            choices=("none", "snappy", "zstd", "gzip"),
        ),
        Option(
            "access",
            "library",
            "How images of one shape are read in random order: library, from row groups, which it reads whole, or "
            "direct, by code of this program, straight from their pages; library, because other programs use it.",
            choices=("library", "direct"),
            former="direct",
        ),
    )
    signature_files = (FILE,)
    owned_pattern = re.compile(r"images\.parquet|manifest\.json(\.partial)?")
    file_suffix = ".parquet"
    file_signature = (0, b"PAR1")
    foreign_suffixes = frozenset({".parquet"})
    foreign_kinds = frozenset({"Parquet"})
    caveats = (
        "One image costs as much as its row group, so random reading is slow; nothing can be added, replaced or "
        "deleted, and the library is 55 MB."
    )
    when_to_choose = (
        "Choose it to publish images with their labels, on Hugging Face above all, and for tables that SQL engines "
        "query; not for training that reads in random order."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the file under a temporary name."""
        from imgstore_tui.backends.parquet.files import ParquetWriter

        refuse_batch_sync(self, sync)
        begin_file(self, location, content)
        return ParquetWriter(location, content, self.values)

    def access(self, operation: Operation, kind: PayloadKind) -> Access:
        """Return ``own`` for what ``access=direct`` copies from pages: images of one shape in random order."""
        plain = kind is PayloadKind.ARRAY and self.values["compression"] == "none"
        direct = self.values["access"] == "direct" and plain
        return Access.OWN if operation is Operation.READ_RANDOM and direct else Access.LIBRARY

    def open(self, location: Path) -> Reader:
        """Open the file and read its footer."""
        from imgstore_tui.backends.parquet.files import ParquetReader

        return ParquetReader(location, direct=self.values["access"] == "direct")

    @classmethod
    def open_foreign_as(cls, location: Path, files: Sequence[Path], layout: ForeignLayout) -> Reader:
        """Open files with a column of picture files."""
        from imgstore_tui.backends.parquet.foreign import ParquetImages

        layout.refuse_other_than(cls.title, "image", "label", "split")
        return ForeignReader.open(location, files, lambda path: ParquetImages(path, layout), cls.title)
