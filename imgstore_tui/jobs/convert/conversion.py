"""One conversion, from the words to the store that has its name."""

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


def _silent(sentence: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class ConversionResult:
    """A store that is finished."""

    destination: Path
    images: int
    requested: int
    """Images that were asked for, those that had to be left out among them."""
    resumed: int
    """Images that an earlier process had written."""
    usage: DiskUsage
    fingerprint: str
    """Of all images and labels in their order; equal for equal images, whatever they are stored in."""
    lossless: bool
    excluded: tuple[Excluded, ...]
    """What the data set left out when it was scanned, then what could not be read, in whichever process."""


@dataclass
class Conversion:
    """What is to be done."""

    dataset: Dataset
    spec: Spec
    destination: Path
    wanted: int | None
    """Images from the first on; None for all."""
    replace: bool = False
    restart: bool = False
    notify: Callable[[str], None] = field(default=_silent)
    """Told, in a sentence, what the user should know on the way."""
    _filler: StoreFiller | None = field(default=None, init=False)

    @property
    def durable_images(self) -> int:
        """Images that are safe so far, and with which the same words go on."""
        return 0 if self._filler is None else self._filler.durable_images

    def run(self, progress: ConversionProgress) -> ConversionResult:
        """Scan the data set, write the store, read it back and give it its name.

        Raises:
            UsageError: If the data set never ends and no number was asked for.
            ImgstoreError: If it cannot be done; what was written stays in the folder beside the destination.
        """
        count = self._scan(progress)
        backend, codec = registry.make_local(self.spec), registry.make_codec(self.spec)
        with Workspace(self.destination, self._facts(count), restart=self.restart) as workspace:
            self._tell_of_old(workspace)
            words = self.dataset, backend, codec, self._kind(backend, codec), workspace, count, self.notify
            filler = self._filler = StoreFiller(*words)
            broken = filler.run(progress)
            try:
                verify_store(backend, workspace, progress)
            except StoreError as error:
                if not filler.resumed:
                    raise
                self.notify(
                    f"What an earlier process wrote cannot be continued, so the conversion starts over: {error}"
                )
                workspace.clear()
                filler = self._filler = StoreFiller(*words)
                broken = filler.run(progress)
                verify_store(backend, workspace, progress)
            usage = backend.disk_usage(workspace.store)
            fingerprint, images = workspace.sums.fingerprint(), workspace.sums.count
            self._deliver(workspace)
        excluded = self.dataset.excluded
        found = count + (len(excluded) if self.wanted is None else 0)
        excluded += broken
        return ConversionResult(
            self.destination, images, found, filler.resumed, usage, fingerprint, codec.lossless, excluded
        )

    def _scan(self, progress: ConversionProgress) -> int:
        """Return how many images there are to be tried."""
        self.dataset.wanted = self.wanted
        self.dataset.scan(lambda doing, done, total: progress(doing, done, total or 0))
        if len(self.dataset) >= MAX_CUTOFF and self.wanted is None:
            raise UsageError(f"{self.dataset.summary}: it never ends. Say how many images you want with --count.")
        return min(len(self.dataset), self.wanted or len(self.dataset))

    def _kind(self, backend: Backend, codec: Codec) -> PayloadKind:
        uniform = self.dataset.uniform is not None and self.dataset.has_pixels
        return payload_kind(backend, codec, uniform=uniform)

    def _facts(self, count: int) -> dict[str, Any]:
        """Return what must be the same for a conversion to go on, wherever it is started from."""
        place = None if self.dataset.path is None else os.path.realpath(self.dataset.path)
        return {
            "dataset": [self.dataset.name, place, dict(self.dataset.values)],
            "storage": [self.spec.backend, self.spec.codec, dict(self.spec.options), dict(self.spec.codec_options)],
            "images": count,
        }

    def _tell_of_old(self, workspace: Workspace) -> None:
        """Say what an earlier process has moved aside, if it died before the new store had its name."""
        old = replaced_path(self.destination)
        if os.path.lexists(old) and not os.path.lexists(self.destination):
            stays = "until this one is finished" if self.replace and workspace.facts.get("aside") else "as it is"
            self.notify(
                f"{old} is what was at {self.destination} before a --replace that was broken off; it stays {stays}. "
                f"To have it back, stop this and rename it to {self.destination.name}."
            )

    def _deliver(self, workspace: Workspace) -> None:
        """Give the store its name; what was there has another meanwhile, and goes last."""
        old = self._step_aside(workspace)
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

    def _step_aside(self, workspace: Workspace) -> Path | None:
        """Rename what is at the destination, if that may be; what an earlier process renamed counts too."""
        old = replaced_path(self.destination)
        if not self.replace:
            return None
        if not os.path.lexists(self.destination):
            return old if workspace.facts.get("aside") and os.path.lexists(old) else None
        check_free(self.destination)
        check_replaceable(self.destination)  # hours may have passed since the first look
        workspace.facts["aside"] = True
        workspace.save()
        self.destination.rename(old)
        return old


def plan_conversion(
    text: str, spec_text: str, destination: Path, *, count: int | None, replace: bool, restart: bool
) -> Conversion:
    """Check the words of a conversion; the data set has not been scanned yet.

    Raises:
        UsageError: If a name is unknown, or the destination cannot be one.
        UnavailableError: If a driver is missing.
        StoreError: If ``replace`` is asked for something that is no store, or holds more than one.
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
