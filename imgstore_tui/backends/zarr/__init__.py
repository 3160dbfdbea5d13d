"""Stores images in Zarr, version 3: arrays in chunks, each a file or a part of a shard."""

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
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.manifest import begin_store, image_bytes
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.manifest_file import refuse_batch_sync

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

FOLDER = "images.zarr"
CHUNK_BYTES = 2**20


class ZarrBackend(LocalBackend):
    """A folder with ``images.zarr``, a group of the arrays ``images`` and ``labels``; payloads are a row of bytes."""

    name = "zarr"
    title = "Zarr"
    opened_by = "zarr-python, xarray, TensorStore, napari"
    family = Family.ARRAY
    requires = ("zarr", "google_crc32c")
    extra = "zarr"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(names=True, fork_safe=False)
    presets = (Preset("tuned", "chunks of about 1 MiB, not compressed, each with a checksum"),)
    options = (
        Option(
            "chunk",
            0,
            "Images in a chunk, 0 for as many as fit into 1 MiB; 0, because a chunk is read whole even for one image.",
            minimum=0,
            maximum=1_000_000,
        ),
        Option(
            "shard",
            0,
            "Images in a shard, a multiple of those in a chunk; 0 for a file a chunk, which is quicker to write.",
            minimum=0,
            maximum=100_000_000,
        ),
        Option(
            "filter",
            "none",
            "Compression of chunks; none, because photographs as pixels shrink little.",
            choices=("none", "zstd", "gzip", "blosc"),
        ),
        Option("checksum", True, "A CRC32C a chunk; yes, because nothing else finds what storage has spoilt."),
        Option(
            "access",
            "library",
            "How chunks are read: library, whole, and up to 32 MiB of them are kept, or direct, by code of this "
            "program; library, because other programs use it.",
            choices=("library", "direct"),
            former="direct",
        ),
    )
    signature_files = (FOLDER,)
    owned_pattern = re.compile(
        r"images\.zarr/((images|payloads|ends|labels)/)?(zarr\.json|c(/\d+)+)|names\.npy|manifest\.json(\.partial)?"
    )
    caveats = (
        "Each call that writes costs about a millisecond, the first image of a chunk as much as the whole chunk, small "
        "chunks are many files, and here nothing is added, replaced or deleted."
    )
    when_to_choose = (
        "Choose it for large images of which parts are read, for arrays in object storage, and where programs of "
        "science expect it; not for single small images in random order."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the folder and the arrays; ``close`` writes the manifest."""
        from imgstore_tui.backends.zarr.writer import ZarrWriter

        refuse_batch_sync(self, sync)
        values = self._settled(content)
        begin_store(self, location, content)
        return ZarrWriter(location, content, values)

    def _settled(self, content: Content) -> dict[str, OptionValue]:
        """Return the option values, with the chunk for images of this size."""
        chunk, shard = int(self.values["chunk"]), int(self.values["shard"])
        if content.kind is PayloadKind.ARRAY:
            chunk = chunk or max(1, CHUNK_BYTES // max(1, image_bytes(content)))
            if shard % chunk:
                raise UnsupportedError(
                    f"Backend zarr takes shards of a multiple of {chunk} images, the chunk of these, not of {shard}."
                )
        return {**self.values, "chunk": chunk}

    def continuation(self, kind: PayloadKind) -> Continuation:
        """Return that writing resumes: every chunk has a file of known name."""
        return Continuation.RESUME

    def resume(self, location: Path, content: Content, labels: Labels, sizes: Labels) -> Writer:
        """Continue after the last complete chunk."""
        from imgstore_tui.backends.zarr.writer import ZarrWriter

        writer = ZarrWriter(location, content, self._settled(content), sizes)
        writer.continue_after(labels)
        return writer

    def access(self, operation: Operation, kind: PayloadKind) -> Access:
        """Return that the library writes, and that ``access=direct`` reads chunks round it."""
        return Access.OWN if self.values["access"] == "direct" and not operation.writes else Access.LIBRARY

    def open(self, location: Path) -> Reader:
        """Open the arrays for reading only."""
        from imgstore_tui.backends.zarr.reader import ZarrReader

        return ZarrReader(location, direct=self.values["access"] == "direct")

    @classmethod
    def claims_foreign_folder(cls, location: Path) -> bool:
        """Whether a folder is an array or a group of Zarr."""
        from imgstore_tui.backends.zarr.foreign import is_zarr

        return is_zarr(location)

    @classmethod
    def open_foreign_as(cls, location: Path, files: Sequence[Path], layout: ForeignLayout) -> Reader:
        """Open an array, or a group with an array of pictures."""
        from imgstore_tui.backends.zarr.foreign import open_folder

        return open_folder(location, files, layout)
