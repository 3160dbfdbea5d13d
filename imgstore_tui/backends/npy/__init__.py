"""Stores images in plain .npy files: the pixels as they are in memory, the least that any storage can do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.backends.npy.editor import NpyEditor
from imgstore_tui.backends.npy.layout import IMAGES, PAYLOADS
from imgstore_tui.backends.npy.reader import NpyReader
from imgstore_tui.backends.npy.writer import NpyWriter
from imgstore_tui.core.backend import (
    Access,
    Capabilities,
    Content,
    Editor,
    Family,
    PayloadKind,
    Preset,
    Reader,
    Writer,
)
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.manifest import begin_store
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.manifest_file import refuse_batch_sync


class NpyBackend(LocalBackend):
    """A folder with ``images.npy`` and ``labels.npy``; payloads of any length in ``payloads.npy``, with their ends."""

    name = "npy"
    title = "NumPy arrays"
    opened_by = "NumPy, and what reads its files"
    family = Family.ARRAY
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(append=True, overwrite=True, names=True)
    signature_files = (IMAGES, PAYLOADS)
    foreign_suffixes = frozenset({".npy", ".npz"})
    foreign_kinds = frozenset({"npy", "npz", "idx"})
    reads_packed = True
    owned_pattern = re.compile(r"(images|payloads|ends|labels|names)\.npy|manifest\.json(\.partial)?")
    presets = (
        Preset("tuned", "numpy.load(..., mmap_mode='r'); images are copied from the map into the caller's memory"),
        Preset("plain", "the same, under its former name"),
    )
    options = (
        Option(
            "access",
            "numpy",
            "How arrays are read: numpy, from what numpy.load maps, or direct, by code of this program, into the "
            "caller's memory by one call where that can be; numpy, because other programs use it.",
            choices=("numpy", "direct"),
            former="direct",
        ),
    )
    caveats = (
        "It is a floor, not a format: nothing is checked but lengths, nothing can be deleted, and images of varying "
        "sizes are a row of bytes that only this program can read."
    )
    when_to_choose = (
        "Choose it for images of one shape that one program on one machine reads again and again; and take it as the "
        "baseline that every other method is measured against."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the folder and the files; ``close`` writes the manifest."""
        refuse_batch_sync(self, sync)
        begin_store(self, location, content)
        return NpyWriter(location, content)

    def access(self, operation: Operation, kind: PayloadKind) -> Access:
        """Return that NumPy reads, unless ``access=direct``; each batch is written at its place by code of ours."""
        return Access.OWN if operation.writes or self.values["access"] == "direct" else Access.LIBRARY

    def open(self, location: Path) -> Reader:
        """Open the files for reading only."""
        return NpyReader(location, direct=self.values["access"] == "direct")

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        """Open the files to append images, or to overwrite images of one shape."""
        return NpyEditor(location, sync)

    @classmethod
    def open_foreign_as(cls, location: Path, files: Sequence[Path], layout: ForeignLayout) -> Reader:
        """Open .npy, .npz and idx files with an array of pictures."""
        from imgstore_tui.backends.npy.foreign import open_files

        return open_files(location, files, layout)
