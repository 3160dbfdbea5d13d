"""Stores images in Lance, a column table made for reading single rows, in versioned fragments."""

from __future__ import annotations

import re
from pathlib import Path

from imgstore_tui.core.backend import Capabilities, Content, Family, PayloadKind, Preset, Reader, Writer
from imgstore_tui.core.manifest import begin_store
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.manifest_file import refuse_batch_sync

FOLDER = "images.lance"


class LanceBackend(LocalBackend):
    """A folder with ``images.lance``, a dataset of the columns ``image`` (large binary) and ``label`` (int64).

    The row of an image is its id; with pylance, ``lance.dataset("images.lance").take([7])`` is image 7.
    """

    name = "lance"
    title = "Lance"
    opened_by = "pylance, LanceDB"
    family = Family.RECORD
    requires = ("lance",)
    extra = "lance"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "png"
    capabilities = Capabilities(names=True, fork_safe=False)
    presets = (Preset("tuned", "fragments of 32 MiB at most, one version, images neither compressed nor indexed"),)
    options = (
        Option(
            "rows",
            1_000_000,
            "Images in a fragment, fewer where they would pass 32 MiB; as many as fit, because each fragment is a file "
            "to open.",
            minimum=1,
            maximum=1_000_000,
        ),
    )
    signature_files = (FOLDER,)
    owned_pattern = re.compile(
        r"images\.lance/(_versions/([\w.-]+\.manifest|latest_version_hint\.json)|_transactions/[\w-]+\.txn|data/[\w-]+\.lance)"
        r"|manifest\.json(\.partial)?"
    )
    caveats = (
        "The library is 144 MB with what it needs and starts many threads, a single image costs about as much as a "
        "batch of them, the format has no checksums, and here nothing is added, replaced or deleted."
    )
    when_to_choose = (
        "Choose it where images stand beside embeddings and captions that are searched and grow in columns, or where "
        "training takes shuffled batches from object storage; not for single images or as an archive."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the folder and the fragments; ``close`` writes the manifest."""
        from imgstore_tui.backends.lance.writer import LanceWriter

        refuse_batch_sync(self, sync)
        begin_store(self, location, content)
        return LanceWriter(location, content, self.values)

    def open(self, location: Path) -> Reader:
        """Open the version that was written."""
        from imgstore_tui.backends.lance.reader import LanceReader

        return LanceReader(location)
