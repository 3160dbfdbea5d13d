"""Plans and runs a conversion: fills a store beside the destination, verifies it, renames it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imgstore_tui.core.backend import Backend, DiskUsage, PayloadKind
from imgstore_tui.core.codec import Codec, payload_kind
from imgstore_tui.core.dataset import Dataset, Excluded
from imgstore_tui.core.errors import StoreError, UsageError
from imgstore_tui.core.paths import absolute_path, expand_path
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.units import MAX_CUTOFF
from imgstore_tui.jobs.convert.fill import ConversionProgress, StoreFiller
from imgstore_tui.jobs.convert.replace import check_free, check_replaceable, discard_replaced, replaced_path
from imgstore_tui.jobs.convert.verify import verify_store
from imgstore_tui.jobs.convert.workspace import Workspace, sweep_delivered
from imgstore_tui.plugins import registry


def _ignore(message: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class ConversionResult:
    """The finished store of a conversion."""

    destination: Path
    images: int
    requested: int
    """Number of images requested, excluded ones included."""
    resumed: int
    """Number of images written by an earlier process."""
    usage: DiskUsage
    fingerprint: str
    """SHA-256 of all images and labels in order, independent of the storage method."""
    lossless: bool
    excluded: tuple[Excluded, ...]
    """Images excluded by the scan of the dataset, then those that could not be read, by earlier processes too."""


@dataclass
class Conversion:
    """A conversion of a dataset to a store."""

    dataset: Dataset
    spec: Spec
    destination: Path
    count: int | None
    """Number of images, from the first on; None for all."""
    replace: bool = False
    restart: bool = False
    notify: Callable[[str], None] = field(default=_ignore)
    """Called with messages for the user, a sentence each."""
    _filler: StoreFiller | None = field(default=None, init=False)

    @property
    def durable_images(self) -> int:
        """Number of images on the device, with which the same command continues."""
        return 0 if self._filler is None else self._filler.durable_images

    def run(self, progress: ConversionProgress) -> ConversionResult:
        """Scan the dataset, write the store, verify it and rename it to the destination.

        Raises:
            UsageError: If the dataset is endless and no count is given.
            ImgstoreError: If the conversion fails; what was written stays in the folder beside the destination.
        """
        count = self._scan(progress)
        backend, codec = registry.make_local(self.spec), registry.make_codec(self.spec)
        with Workspace(self.destination, self._facts(count), restart=self.restart) as workspace:
            self._report_replaced(workspace)
            arguments = self.dataset, backend, codec, self._kind(backend, codec), workspace, count, self.notify
            filler = self._filler = StoreFiller(*arguments)
            unreadable = filler.run(progress)
            try:
                verify_store(backend, workspace, progress)
            except StoreError as error:
                if not filler.resumed:
                    raise
                self.notify(
                    f"What an earlier process wrote cannot be continued, so the conversion starts over: {error}"
                )
                workspace.clear()
                filler = self._filler = StoreFiller(*arguments)
                unreadable = filler.run(progress)
                verify_store(backend, workspace, progress)
            usage = backend.disk_usage(workspace.store)
            fingerprint, images = workspace.checksums.fingerprint(), workspace.checksums.count
            self._deliver(workspace)
        excluded = self.dataset.excluded
        requested = count + (len(excluded) if self.count is None else 0)
        excluded += unreadable
        return ConversionResult(
            self.destination, images, requested, filler.resumed, usage, fingerprint, codec.lossless, excluded
        )

    def _scan(self, progress: ConversionProgress) -> int:
        """Scan the dataset; return the number of images to convert."""
        self.dataset.wanted = self.count
        self.dataset.scan(lambda doing, done, total: progress(doing, done, total or 0))
        if len(self.dataset) >= MAX_CUTOFF and self.count is None:
            raise UsageError(f"{self.dataset.summary}: it never ends. Say how many images you want with --count.")
        return min(len(self.dataset), self.count or len(self.dataset))

    def _kind(self, backend: Backend, codec: Codec) -> PayloadKind:
        uniform = self.dataset.uniform is not None and self.dataset.has_pixels
        return payload_kind(backend, codec, uniform=uniform)

    def _facts(self, count: int) -> dict[str, Any]:
        """Return the facts that must be equal for a conversion to be resumed, from any folder."""
        path = None if self.dataset.path is None else os.path.realpath(self.dataset.path)
        return {
            "dataset": [self.dataset.name, path, dict(self.dataset.values)],
            "storage": [self.spec.backend, self.spec.codec, dict(self.spec.options), dict(self.spec.codec_options)],
            "images": count,
        }

    def _report_replaced(self, workspace: Workspace) -> None:
        """Notify the user of a store that a killed process had moved aside."""
        old = replaced_path(self.destination)
        if os.path.lexists(old) and not os.path.lexists(self.destination):
            stays = "until this one is finished" if self.replace and workspace.facts.get("aside") else "as it is"
            self.notify(
                f"{old} is what was at {self.destination} before a --replace that was broken off; it stays {stays}. "
                f"To have it back, stop this and rename it to {self.destination.name}."
            )

    def _deliver(self, workspace: Workspace) -> None:
        """Rename the store to the destination; what was there is moved aside first and removed last."""
        old = self._move_aside(workspace)
        try:
            workspace.deliver(self.destination)
        except BaseException as error:
            if old is not None and not os.path.lexists(self.destination):
                old.rename(self.destination)
            if isinstance(error, OSError):
                where = f"the store is whole in {workspace.store}"
                if os.path.lexists(self.destination) and not workspace.store.exists():
                    where = "the store is there, but may not be on the device yet"
                raise StoreError(f"{self.destination}: {error.strerror or error}; {where}.") from None
            raise
        if old is not None and (left := discard_replaced(old)):
            self.notify(left)

    def _move_aside(self, workspace: Workspace) -> Path | None:
        """Move the store at the destination aside if it may be replaced; return its new path, if any."""
        old = replaced_path(self.destination)
        if not self.replace:
            return None
        if not os.path.lexists(self.destination):
            return old if workspace.facts.get("aside") and os.path.lexists(old) else None
        check_free(self.destination)
        check_replaceable(self.destination)  # hours may have passed since the first check
        workspace.facts["aside"] = True
        workspace.save()
        self.destination.rename(old)
        return old


def plan_conversion(
    text: str, spec_text: str, destination: Path, *, count: int | None, replace: bool, restart: bool
) -> Conversion:
    """Check the arguments of a conversion, without scanning the dataset.

    Args:
        text: The dataset as the user wrote it.
        spec_text: The spec of the store.
        destination: Folder of the store.
        count: Number of images, from the first on; None for all.
        replace: Whether a store at the destination may be replaced.
        restart: Whether an unfinished conversion is started over.

    Raises:
        UsageError: If a name is unknown, or the destination is not valid.
        UnavailableError: If a driver is missing.
        StoreError: If something other than a store would be replaced.
    """
    spec = registry.resolve_spec(spec_text)
    dataset = registry.make_dataset(text)
    destination = absolute_path(expand_path(str(destination)))
    if not destination.parent.is_dir():
        raise UsageError(f"{destination.parent} is no folder. Make it, or name another destination.")
    real = destination.parent.resolve() / destination.name
    for root in dataset.roots:
        with contextlib.suppress(OSError):
            inside = real.is_relative_to(root.resolve()) or root.resolve().is_relative_to(real)
            if inside:
                raise UsageError(f"{destination} lies in the data itself, which is only read. Name another place.")
    if os.path.lexists(destination):
        sweep_delivered(destination)
        if not replace:
            raise UsageError(f"{destination} exists already. Name another destination, or add --replace.")
        check_replaceable(destination)
        check_free(destination)
    return Conversion(dataset, spec, destination, count, replace, restart)
