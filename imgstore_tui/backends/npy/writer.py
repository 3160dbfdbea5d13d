"""Writes the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgstore_tui.backends.npy.layout import ENDS, IMAGES, PAYLOADS, append_payloads
from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.folder_writer import FolderWriter
from imgstore_tui.storekit.npy_file import NpyOutput

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


class NpyWriter(FolderWriter):
    """Appends each batch to the files."""

    checksums_labels = False  # labels are overwritten in place, and a checksum elsewhere could not follow atomically

    def __init__(self, location: Path, content: Content) -> None:
        super().__init__("npy", location, content)
        self._ends: NpyOutput | None = None
        if content.kind is PayloadKind.ARRAY:
            self._images = NpyOutput(location / IMAGES, str(content.dtype), content.shape or ())
        else:
            self._images = NpyOutput(location / PAYLOADS, "uint8", ())
            try:
                self._ends = NpyOutput(location / ENDS, "int64", ())
            except StoreError:
                self._images.close()
                raise

    def _add_array(self, images: Pixels, labels: Labels) -> None:
        self._images.append(images)

    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        append_payloads(self._images, self._ends, payloads)

    def _finish(self) -> Mapping[str, Any]:
        self._images.commit()
        if self._ends is not None:
            self._ends.commit()
        return {}

    def _release(self) -> None:
        self._images.close()
        if self._ends is not None:
            self._ends.close()
