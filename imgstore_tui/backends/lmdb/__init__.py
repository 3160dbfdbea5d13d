"""Stores images in LMDB, a B+tree in one memory-mapped file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.backends.lmdb.editor import LmdbEditor
from imgstore_tui.backends.lmdb.layout import APART, DATA, TOGETHER
from imgstore_tui.backends.lmdb.reader import LmdbReader
from imgstore_tui.backends.lmdb.writer import LmdbWriter
from imgstore_tui.core.backend import (
    Capabilities,
    Content,
    Editor,
    Family,
    PayloadKind,
    Preset,
    Reader,
    Writer,
)
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.manifest import begin_store
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.local import LocalBackend

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


class LmdbBackend(LocalBackend):
    """A folder with ``data.mdb``, one database: images, then ``labels...``, then ``manifest``.

    The key of an image is its id in 4 bytes, the highest first (``together``: 8 digits), and the value its payload or
    bare pixels. Labels are little-endian int64 in blocks. Any program that knows LMDB reads it: in a transaction of a
    read-only environment, ``get((7).to_bytes(4, "big"))`` is image 7.
    """

    name = "lmdb"
    title = "LMDB"
    opened_by = "LMDB's library in any language"
    family = Family.EMBEDDED
    requires = ("lmdb",)
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(append=True, overwrite=True, delete=True, names=True)
    presets = (
        Preset(
            "tuned",
            "bare pixels under 4-byte keys, labels as one value of their own, a transaction a batch or 2 MiB",
        ),
        Preset(
            "article",
            "one value an image with size, channels, pixels and label, under 8-digit keys, all in one transaction; a "
            "plain header stands where the article has a pickle",
            options={"layout": TOGETHER, "transaction": 0},
        ),
    )
    options = (
        Option(
            "layout",
            APART,
            "Whether an image and its label are one value; apart, so that all labels are read without a pixel.",
            choices=(APART, TOGETHER),
        ),
        Option(
            "transaction",
            1,
            "Least images of a write transaction, which ends with the call that brings them, or earlier within it "
            "where they are large; 0 for one transaction for all. 1, because more gain no time and take memory.",
            minimum=0,
            maximum=1_000_000_000,
        ),
    )
    signature_files = (DATA,)
    foreign_kinds = frozenset({"LMDB"})
    owned_pattern = re.compile(r"(data|lock)\.mdb")
    caveats = (
        "Values of more than about 2 KB take whole pages of 4 KiB, so a store of raw 32x32x3 images is a third larger "
        "than its pixels; a damaged file can crash the reading process; what is replaced or deleted leaves pages that "
        "are used again, but the file never shrinks."
    )
    when_to_choose = (
        "Choose it for fast reading of single images in any order by many processes at once, straight from the page "
        "cache, and when a crash in the middle of writing must not cost what is already there."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the folder and an empty environment in it."""
        if content.count > 10**8:
            raise UnsupportedError("Backend lmdb numbers its images with 8 digits: at most 100,000,000 images.")
        begin_store(self, location, content)
        return LmdbWriter(location, content, str(self.values["layout"]), int(self.values["transaction"]), sync)

    def paths_to_open(self, location: Path) -> Sequence[Path]:
        """Return nothing: the folder as a whole is what other programs open."""
        return ()

    def open(self, location: Path) -> Reader:
        """Open the environment for reading without a lock file, so that nothing in the store changes."""
        return LmdbReader(location)

    @classmethod
    def open_foreign_as(cls, location: Path, files: Sequence[Path], layout: ForeignLayout) -> Reader:
        """Open environments whose values are picture files, or messages of Caffe."""
        from imgstore_tui.backends.lmdb.foreign import open_environments

        layout.refuse_other_than(cls.title, "image", "label", "scale", "split")
        return open_environments(location, files, layout)

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        """Open the environment for writing, in the layout of the store, whatever the options say."""
        return LmdbEditor(location, int(self.values["transaction"]), sync)

    def probe(self, location: Path, images: Pixels, labels: Labels) -> dict[str, list[float]]:
        """Store the same images repeatedly: with bare LMDB in one map, and with this backend."""
        from imgstore_tui.backends.lmdb.probe import overwrite_again, store_again

        own = overwrite_again(self, location / "own", images, labels)
        return {**store_again(location, images, labels), "own_length_bytes": own}
