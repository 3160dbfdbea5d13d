"""Stores images in WebDataset: tar files in which an image and its label are members of one name."""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from imgstore_tui.backends.webdataset.package_stream import PackageStream
from imgstore_tui.backends.webdataset.reader import WebdatasetReader
from imgstore_tui.backends.webdataset.shards import FIRST, INDEX_WIDTH, Shards
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
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.manifest import begin_store
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.storekit.foreign_files import ForeignReader
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.manifest_file import refuse_batch_sync
from imgstore_tui.storekit.records import RecordsEditor, RecordsWriter


class WebdatasetBackend(LocalBackend):
    """A folder of ``images-000000.tar`` and on, which any reader of WebDataset takes; beside them an index of ours."""

    name = "webdataset"
    title = "WebDataset tar"
    opened_by = "tar and any archive program, webdataset"
    family = Family.RECORD
    extra = "webdataset"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "png"
    capabilities = Capabilities(append=True, names=True)
    presets = (Preset("tuned", "one tar, and beside it an index, so that single images can be read too"),)
    options = (
        Option(
            "shard",
            0,
            "Images in a tar, 0 for one tar; 0 on one machine, some thousand where several read over a network.",
            minimum=0,
            maximum=100_000_000,
        ),
        Option(
            "access",
            "library",
            "How images are read in order: library, by the package webdataset where it is installed, or direct, by "
            "code of this program and its index, as single and shuffled images always are; library, because other "
            "programs use it.",
            choices=("library", "direct"),
            former="direct",
        ),
    )
    signature_files = (FIRST,)
    owned_pattern = re.compile(r"images-\d{6,}\.tar|(index|labels|names)\.npy|manifest\.json(\.partial)?")
    foreign_suffixes = frozenset({".tar", ".tgz"})
    foreign_kinds = frozenset({"tar"})
    reads_packed = True
    caveats = (
        "Each image costs 1.5 KB of headers and padding beside its bytes, which is half as much again for small ones; "
        "nothing can be replaced or deleted, and without our index the format is read from front to back only."
    )
    when_to_choose = (
        "Choose it for training that streams shards in order, from object storage above all, and to hand data on: "
        "every tar tool reads it; not for single images or data that changes."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the folder and the first tar; ``close`` writes the manifest."""
        refuse_batch_sync(self, sync)
        begin_store(self, location, content)
        shards = Shards(location, content, int(self.values["shard"]), with_labels=content.has_labels)
        layout = {"shard": int(self.values["shard"]), **({} if content.has_labels else {"cls": False})}
        return RecordsWriter(self.name, location, content, shards, INDEX_WIDTH, layout)

    def open(self, location: Path) -> Reader:
        """Open the index; tars are opened on demand."""
        return WebdatasetReader(location, PackageStream() if self.imports_for(self.values) else None)

    def paths_to_open(self, location: Path) -> Sequence[Path]:
        """Return the tars."""
        return sorted(location.glob("images-*.tar"))

    @classmethod
    def imports_for(cls, values: Mapping[str, OptionValue]) -> tuple[str, ...]:
        """Return the package if it is to read in order and is installed: without it an index of ours does."""
        by_package = values.get("access", "library") == "library" and importlib.util.find_spec("webdataset") is not None
        return ("webdataset",) if by_package else ()

    def access(self, operation: Operation, kind: PayloadKind) -> Access:
        """Return that the package reads in order, where it is installed; no library reads a tar at random."""
        in_order = operation is Operation.READ_MANY and self.imports_for(self.values)
        return Access.LIBRARY if in_order else Access.OWN

    @classmethod
    def open_foreign_as(cls, location: Path, files: Sequence[Path], layout: ForeignLayout) -> Reader:
        """Open tars of picture files with labels in ``.cls`` members, or in those that the user names."""
        from imgstore_tui.backends.webdataset.foreign import TarImages

        layout.refuse_other_than("tar", "image", "label", "split")
        return ForeignReader.open(location, files, functools.partial(TarImages, layout=layout), cls.name)

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        """Open the last tar to append at its end mark."""
        with WebdatasetReader(location) as reader:
            names = reader.all_names() if reader.content.name_bytes else ()
            end, with_labels = reader.end(), reader.with_labels
            shards = Shards(
                location, reader.content, reader.shard, end, with_labels=with_labels, former_names=names
            )  # fmt: skip
            try:
                return RecordsEditor(self.name, location, sync, shards, reader.records)
            except StoreError:
                shards.close()
                raise
