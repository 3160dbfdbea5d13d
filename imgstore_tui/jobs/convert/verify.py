"""Reading a finished store back: every image and every label is what was put."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from imgstore_tui.core.backend import Backend, PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.jobs.convert.checksums import checksum
from imgstore_tui.jobs.convert.prepare import BATCH, BATCH_BYTES
from imgstore_tui.jobs.convert.workspace import Workspace


def verify_store(backend: Backend, workspace: Workspace, progress: Callable[[str, int, int], None]) -> None:
    """Compare the sum of every image, and every label, with those of what was put.

    Raises:
        StoreError: If one differs, or the store cannot be read.
    """
    sums = workspace.sums
    with backend.open(workspace.store) as reader:
        content = reader.content
        if content.count != sums.count:
            raise StoreError(f"{workspace.store} holds {content.count} images, and {sums.count} were put.")
        alone = reader.read_labels()
        first = 0
        while first < sums.count:
            entries = sums.get(first, min(BATCH, sums.count - first))
            while len(entries) > 1 and sum(entry.size for entry in entries) > BATCH_BYTES:
                entries = entries[: len(entries) // 2]
            ids, labels = range(first, first + len(entries)), np.zeros(len(entries), np.int64)
            if content.kind is PayloadKind.ARRAY:
                images = np.empty((len(ids), *(content.shape or ())), content.dtype)
                reader.read_array(ids, images, labels)
                found = [checksum(image.data) for image in images]
            else:
                found = [checksum(payload) for payload in reader.read_bytes(ids, labels)]
            for number, entry, stored, label in zip(ids, entries, found, labels.tolist(), strict=True):
                if stored != entry.stored or label != entry.label or int(alone[number]) != entry.label:
                    what = "label" if stored == entry.stored else "image"
                    raise StoreError(f"{workspace.store}: {what} {number} does not come back as it was put.")
            first = ids.stop
            progress("verifying", first, sums.count)
