"""Stores images in TFRecord without TensorFlow: records of tf.train.Example with the checksums of the format."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

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
from imgstore_tui.core.options import Option
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.manifest_file import refuse_batch_sync
from imgstore_tui.storekit.records import RecordsEditor, RecordsWriter

FILES = {"none": "images.tfrecord", "gzip": "images.tfrecord.gz"}
INDEX_WIDTH = 3
"""Columns of the index: offset and length of a record or of its compressed block; its offset in the unpacked block."""


class TfrecordBackend(LocalBackend):
    """A folder with ``images.tfrecord``, which TensorFlow reads; beside it an index of ours."""

    name = "tfrecord"
    title = "TFRecord"
    opened_by = "TensorFlow, and other readers of TFRecord"
    family = Family.RECORD
    requires = ("google_crc32c",)
    extra = "tfrecord"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "png"
    capabilities = Capabilities(append=True, names=True)
    presets = (
        Preset("tuned", "not compressed, every checksum verified, and an index, so that single images are read"),
    )
    options = (
        Option(
            "compression",
            "none",
            "none, or gzip in blocks of one batch; none, because encoded images do not shrink and gzip is slow.",
            choices=("none", "gzip"),
        ),
    )
    signature_files = tuple(FILES.values())
    owned_pattern = re.compile(r"images\.tfrecord(\.gz)?|(index|labels|names)\.npy|manifest\.json(\.partial)?")
    foreign_suffixes = frozenset({".tfrecord", ".tfrecords", ".tfrec", ".record"})
    foreign_kinds = frozenset({"TFRecord"})
    foreign_beside = (".labels.txt",)
    reads_packed = True
    caveats = (
        "The format is a row of records: without our index it is read from front to back only, nothing can be replaced "
        "or deleted, and tools outside TensorFlow are few."
    )
    when_to_choose = (
        "Choose it for training with TensorFlow or JAX that streams shards in order; its checksums find what storage "
        "has spoilt; elsewhere another format does the same with fewer strings attached."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the folder and the file; ``close`` writes the manifest."""
        from imgstore_tui.backends.tfrecord.records import Records

        compression = str(self.values["compression"])
        refuse_batch_sync(self, sync)
        begin_store(self, location, content)
        records = Records(location / FILES[compression], content, None, compressed=compression == "gzip")
        return RecordsWriter(self.name, location, content, records, INDEX_WIDTH, {"compression": compression})

    def access(self, operation: Operation, kind: PayloadKind) -> Access:
        """Return ``own``: the library of the format is TensorFlow, which is not used; the required one sums bytes."""
        return Access.OWN

    def open(self, location: Path) -> Reader:
        """Open the index and the file."""
        from imgstore_tui.backends.tfrecord.reader import TfrecordReader

        return TfrecordReader(location)

    @classmethod
    def open_foreign_as(cls, location: Path, files: Sequence[Path], layout: ForeignLayout) -> Reader:
        """Open files of tf.train.Example with picture files, or with pixels and their shape."""
        from imgstore_tui.backends.tfrecord.foreign import open_files

        layout.refuse_other_than(cls.title, "image", "label", "split")
        return open_files(location, files, layout)

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        """Open the file to append after its last record."""
        from imgstore_tui.backends.tfrecord.reader import TfrecordReader
        from imgstore_tui.backends.tfrecord.records import Records

        with TfrecordReader(location) as reader:
            records = Records(reader.path, reader.content, reader.end(), compressed=reader.compressed)
            try:
                return RecordsEditor(self.name, location, sync, records, reader.records)
            except StoreError:
                records.close()
                raise
