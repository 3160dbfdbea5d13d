"""Verifies a finished store: reads every image and label back and compares checksums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.backend import Backend, PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.jobs.convert.checksums import ChecksumRecord, checksum
from imgstore_tui.jobs.convert.names import ImageNames
from imgstore_tui.jobs.convert.prepare import BATCH, BATCH_BYTES
from imgstore_tui.jobs.convert.workspace import Workspace

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels


def verify_store(
    backend: Backend,
    workspace: Workspace,
    progress: Callable[[str, int, int], None],
    names: ImageNames | None = None,
    on_image: Callable[[ChecksumRecord, Pixels | bytes], None] | None = None,
) -> None:
    """Compare the checksum of every image, every label and every name with those recorded when they were written.

    Args:
        backend: Backend of the store.
        workspace: Workspace with the store and its checksums.
        progress: Called with the step, the number of images done and the total.
        names: Names of the images; None where the store keeps none.
        on_image: Called with each verified image, in order: its record, and its pixels or payload.

    Raises:
        StoreError: If one differs, or the store cannot be read.
    """
    checksums = workspace.checksums
    with backend.open(workspace.store) as reader:
        content = reader.content
        if content.count != checksums.count:
            raise StoreError(f"{workspace.store} holds {content.count} images, and {checksums.count} were put.")
        labels_alone = reader.read_labels()
        first = 0
        while first < checksums.count:
            records = checksums.get(first, min(BATCH, checksums.count - first))
            while len(records) > 1 and sum(record.size for record in records) > BATCH_BYTES:
                records = records[: len(records) // 2]
            ids, labels = range(first, first + len(records)), np.zeros(len(records), np.int64)
            if content.kind is PayloadKind.ARRAY:
                array: Pixels = np.empty((len(ids), *(content.shape or ())), content.dtype)
                reader.read_array(ids, array, labels)
                images: Sequence[Pixels | bytes] = list(array)
            else:
                images = reader.read_bytes(ids, labels)
            for number, record, image, label in zip(ids, records, images, labels.tolist(), strict=True):
                stored = checksum(image if isinstance(image, bytes) else image.data)
                if stored != record.stored or label != record.label or int(labels_alone[number]) != record.label:
                    what = "label" if stored == record.stored else "image"
                    raise StoreError(f"{workspace.store}: {what} {number} does not come back as it was put.")
                if on_image is not None:
                    on_image(record, image)
            if names is not None:
                _verify_names(
                    reader.read_names(ids), [names.name(record.index) for record in records], workspace, first
                )
            first = ids.stop
            progress("verifying", first, checksums.count)


def _verify_names(stored: Sequence[str], expected: Sequence[str], workspace: Workspace, first: int) -> None:
    """Compare names; a store of files may have added an ending.

    Raises:
        StoreError: If one differs.
    """
    for number, (stored_name, name) in enumerate(zip(stored, expected, strict=True), first):
        if stored_name != name and not stored_name.startswith(f"{name}."):
            raise StoreError(f"{workspace.store}: the name of image {number} does not come back as it was put.")
