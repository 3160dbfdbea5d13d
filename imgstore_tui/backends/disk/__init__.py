"""Stores one file per image and one CSV of labels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from imgstore_tui.backends.disk.editor import DiskEditor
from imgstore_tui.backends.disk.layout import DIGITS, MANIFEST
from imgstore_tui.backends.disk.reader import DiskReader, named_files
from imgstore_tui.backends.disk.writer import DiskWriter
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
from imgstore_tui.storekit.foreign_files import ForeignReader
from imgstore_tui.storekit.local import LocalBackend


class DiskBackend(LocalBackend):
    """A folder of files named by id, and ``labels.csv``, whose rows are of one length so that each can be found."""

    name = "disk"
    title = "Files on disk"
    opened_by = "any program that opens the picture files"
    family = Family.FILES
    payloads = frozenset({PayloadKind.BYTES})
    default_codec = "png"
    capabilities = Capabilities(append=True, overwrite=True, delete=True, names=True, file_per_image=True)
    presets = (
        Preset("tuned", "subfolders of 1,000 files, so that listing stays quick"),
        Preset(
            "article",
            "one PNG an image in one folder with Pillow's own settings, one CSV of labels; a small store.json beside "
            "them is ours",
            options={"fanout": 0},
            codec_options={"level": 6, "strategy": "default"},
        ),
    )
    options = (
        Option(
            "fanout",
            1000,
            "Files in a subfolder, 0 for one flat folder; 1000, which costs nothing and keeps listings usable.",
            minimum=0,
            maximum=1_000_000,
        ),
    )
    signature_files = (MANIFEST,)
    owned_pattern = re.compile(r"(store\.json|labels\.csv|(\d{8,}/)?\d{8,}\.[a-z0-9]{1,8})(\.partial)?")
    foreign_suffixes = frozenset({".zip"})
    foreign_kinds = frozenset({"zip"})
    caveats = (
        "Slowest by far for many small images: each costs the file system an open, a name and at least one block, and "
        "copying, backing up or deleting millions of files is slow too."
    )
    when_to_choose = (
        "Choose it when people or other tools must see single images, when images are large, or when there are few: "
        "nothing needs a library, and one damaged file is one lost image."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the folder; ``close`` writes the manifest."""
        if content.count > 10**DIGITS:
            raise UnsupportedError(f"Backend disk numbers its files with {DIGITS} digits: at most 100,000,000 images.")
        begin_store(self, location, content)
        return DiskWriter(location, content, int(self.values["fanout"]), sync)

    def paths_to_open(self, location: Path) -> Sequence[Path]:
        """Return nothing: the folder as a whole is what other programs open."""
        return ()

    def open(self, location: Path) -> Reader:
        """Read the manifest and open the labels."""
        return DiskReader(location)

    @classmethod
    def unowned_files(cls, location: Path) -> Iterator[Path]:
        """Yield the files that the backend did not make; a table of names says which others are its own."""
        named: set[str] | None = None
        for path in super().unowned_files(location):
            if named is None:
                named = named_files(location)
            if path.relative_to(location).as_posix() not in named or path.is_symlink():
                yield path

    @classmethod
    def open_foreign_as(cls, location: Path, files: Sequence[Path], layout: ForeignLayout) -> Reader:
        """Open zip archives of picture files, which are read in place."""
        from imgstore_tui.backends.disk.zip_pictures import ZipPictures

        layout.refuse_other_than("zip", "image", "label", "split")
        return ForeignReader.open(location, files, lambda path: ZipPictures(path, layout), "zip archives of pictures")

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        """Open the store for changes, in the layout of the store, whatever the options say."""
        return DiskEditor(location, sync)
