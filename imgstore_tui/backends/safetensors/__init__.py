"""Stores images in safetensors, arrays in one file after a JSON header."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.storekit.manifest_file import refuse_batch_sync
from imgstore_tui.storekit.one_file import PARTIAL, OneFileBackend, begin_file

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

FILE = "images.safetensors"
"""Name of the file in a store that is a folder, as earlier versions made it."""
SAVING = ".saving"
"""What follows the name of the store in that of a folder where the library, which makes a file of a name that cannot
be known, writes it."""


class SafetensorsBackend(OneFileBackend):
    """One file: ``labels`` and ``images``, or ``ends`` and ``payloads`` of any length; ``names`` where there are."""

    name = "safetensors"
    title = "safetensors"
    opened_by = "safetensors' library in Python and Rust"
    family = Family.ARRAY
    requires = ("safetensors",)
    extra = "safetensors"
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    capabilities = Capabilities(names=True)
    default_codec = "raw"
    presets = (Preset("tuned", "labels before the pixels, slices of which are read with handles kept"),)
    options = (
        Option(
            "access",
            "library",
            "How the file is written and read: library, which writes from memory what it is given whole and reads one "
            "range a call, or direct, by code of this program; library, because other programs use it.",
            choices=("library", "direct"),
            former="direct",
        ),
    )
    signature_files = (FILE,)
    owned_pattern = re.compile(r"images\.safetensors|manifest\.json(\.partial)?")
    file_suffix = ".safetensors"
    file_signature = (0, (1016).to_bytes(8, "little"))
    side_suffixes = (PARTIAL, SAVING)
    caveats = (
        "The library writes whole arrays from memory; nothing can be added, replaced or deleted; there are no "
        "checksums, no chunks and no compression, and it was made for the weights of models."
    )
    when_to_choose = (
        "Choose it where everything else is safetensors already and images of one shape are to be handed on in one "
        "file that cannot run code; elsewhere npy does the same and can grow."
    )

    @classmethod
    def imports_for(cls, values: Mapping[str, OptionValue]) -> tuple[str, ...]:
        """Return that code of this program needs no library."""
        return () if values.get("access") == "direct" else cls.requires

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the file under a temporary name."""
        from imgstore_tui.backends.safetensors import writer

        refuse_batch_sync(self, sync)
        if not self._direct:
            writer.check_memory(content)
        begin_file(self, location, content)
        return writer.DirectWriter(location, content) if self._direct else writer.LibraryWriter(location, content)

    @property
    def _direct(self) -> bool:
        return self.values["access"] == "direct"

    def continuation(self, kind: PayloadKind) -> Continuation:
        """Return that direct writing resumes: every image has a fixed offset, or follows the one before."""
        return Continuation.RESUME if self._direct else Continuation.RESTART

    def resume(self, location: Path, content: Content, labels: Labels, sizes: Labels) -> Writer:
        """Continue after the last image, or refuse to where the library writes at the end."""
        from imgstore_tui.backends.safetensors.writer import DirectWriter

        if not self._direct:
            return super().resume(location, content, labels, sizes)
        writer = DirectWriter(location, content, sizes)
        writer.continue_after(labels)
        return writer

    def access(self, operation: Operation, kind: PayloadKind) -> Access:
        """Return ``own`` for ``access=direct``."""
        return Access.OWN if self._direct else Access.LIBRARY

    def open(self, location: Path) -> Reader:
        """Open the file, whose header must be the one for its content."""
        from imgstore_tui.backends.safetensors.reader import DirectReader, LibraryReader

        return (DirectReader if self._direct else LibraryReader)(location)
