"""One conversion, from the words to the store that has its name."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imgstore_tui import registry
from imgstore_tui.core.backend import Backend, DiskUsage, PayloadKind
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.dataset import Dataset, Excluded
from imgstore_tui.core.errors import StoreError, UsageError
from imgstore_tui.core.spec import Spec
from imgstore_tui.jobs.convert.filling import Filler
from imgstore_tui.jobs.convert.verifying import verify
from imgstore_tui.jobs.convert.workspace import Workspace

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many images are done, and how many in all."""


def _silent(sentence: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Done:
    """A store that is finished."""

    destination: Path
    images: int
    resumed: int
    """Images that an earlier process had written."""
    usage: DiskUsage
    fingerprint: str
    """Of all images and labels in their order; equal for equal images, whatever they are stored in."""
    lossless: bool
    excluded: tuple[Excluded, ...]


@dataclass
class Conversion:
    """What is to be done."""

    dataset: Dataset
    text: str
    spec: Spec
    destination: Path
    count: int
    replace: bool = False
    restart: bool = False
    say: Callable[[str], None] = field(default=_silent)
    """Told, in a sentence, what the user should know on the way."""

    def run(self, progress: Progress) -> Done:
        """Do it.

        Raises:
            ImgstoreError: If it cannot be done; what was written stays in the folder beside the destination.
        """
        backend, codec = registry.make_backend(self.spec), registry.make_codec(self.spec)
        with Workspace(self.destination, self._facts(), restart=self.restart) as workspace:
            filler = Filler(self.dataset, backend, codec, self._kind(backend, codec), workspace, self.count, self.say)
            excluded = filler.run(progress)
            verify(backend, workspace, progress)
            usage = backend.disk_usage(workspace.store)
            fingerprint, images = workspace.sums.fingerprint(), workspace.sums.count
            old = self._step_aside()
            try:
                workspace.deliver(self.destination)
            except BaseException:
                if old is not None:
                    old.rename(self.destination)
                raise
            if old is not None:
                shutil.rmtree(old)
        return Done(self.destination, images, filler.resumed, usage, fingerprint, codec.lossless, excluded)

    def _kind(self, backend: Backend, codec: Codec) -> PayloadKind:
        whole = codec.name == "raw" and self.dataset.uniform is not None and self.dataset.has_pixels
        return PayloadKind.ARRAY if whole and PayloadKind.ARRAY in backend.payloads else PayloadKind.BYTES

    def _facts(self) -> dict[str, Any]:
        """Return what must be the same for a conversion to go on."""
        return {
            "dataset": self.text,
            "storage": [self.spec.backend, self.spec.codec, dict(self.spec.options), dict(self.spec.codec_options)],
            "images": self.count,
        }

    def _step_aside(self) -> Path | None:
        """Rename what is at the destination, if that may be; a process that dies after this leaves both."""
        if not self.replace or not os.path.lexists(self.destination):
            return None
        old = self.destination.with_name(f"{self.destination.name}.old")
        if os.path.lexists(old):
            raise StoreError(f"{old} is in the way. Move it away, then run the same again.")
        self.destination.rename(old)
        return old


def plan_conversion(
    text: str, spec_text: str, destination: Path, *, count: int | None, replace: bool, restart: bool
) -> Conversion:
    """Check the words of a conversion; the data set has not been scanned yet.

    Raises:
        UsageError: If a name is unknown, or the destination cannot be one.
        UnavailableError: If a driver is missing.
        StoreError: If ``replace`` is asked for something that is no store.
    """
    spec = registry.resolve_spec(spec_text)
    dataset = registry.make_dataset(text)
    destination = destination.expanduser().absolute()
    if not destination.parent.is_dir():
        raise UsageError(f"{destination.parent} is no folder. Make it, or name another destination.")
    if os.path.lexists(destination):
        if not replace:
            raise UsageError(f"{destination} exists already. Name another destination, or add --replace.")
        _, reader = registry.open_store(destination)  # nothing but a store is ever replaced
        reader.close()
    real = destination.parent.resolve() / destination.name
    for root in dataset.roots:
        with contextlib.suppress(OSError):
            inside = real.is_relative_to(root.resolve()) or root.resolve().is_relative_to(real)
            if inside:
                raise UsageError(f"{destination} lies in the data itself, which is only read. Name another place.")
    dataset.wanted = count
    return Conversion(dataset, text, spec, destination, count or 0, replace, restart)
