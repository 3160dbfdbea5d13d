"""Plans and runs a conversion: fills a store beside the destination, verifies it, renames it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgstore_tui.core.backend import Backend, DiskUsage, PayloadKind
from imgstore_tui.core.codec import Codec, payload_kind
from imgstore_tui.core.dataset import BrokenImageError, Dataset, Excluded
from imgstore_tui.core.errors import DataError, ImgstoreError, StoreError, UsageError
from imgstore_tui.core.fingerprint import Fingerprint
from imgstore_tui.core.label_summary import label_summary
from imgstore_tui.core.location import Location, ServerLocation
from imgstore_tui.core.manifest import keeps_label_names
from imgstore_tui.core.paths import absolute_path
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.units import MAX_CUTOFF
from imgstore_tui.jobs.convert.checksums import ChecksumRecord, changed_since, image_checksum
from imgstore_tui.jobs.convert.fill import ConversionProgress, StoreFiller
from imgstore_tui.jobs.convert.names import ImageNames, lost_names
from imgstore_tui.jobs.convert.order import Order, OrderedDataset
from imgstore_tui.jobs.convert.replace import (
    check_beside,
    check_free,
    check_replaceable,
    discard_replaced,
    replaced_path,
)
from imgstore_tui.jobs.convert.space import with_cause
from imgstore_tui.jobs.convert.verify import verify_store
from imgstore_tui.jobs.convert.workspace import Workspace, finish_delivered
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.atomic_write import rename_new
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.server import ServerBackend, check_named

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels


def _ignore(message: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class ConversionResult:
    """The finished store of a conversion."""

    destination: Location
    images: int
    requested: int
    """Number of images requested, excluded ones included."""
    resumed: int
    """Number of images written by an earlier process."""
    usage: DiskUsage
    fingerprint: str
    """Of all images and labels in order, see ``core.fingerprint``: the same as in a run of the same images."""
    lossless: bool
    lost: tuple[str, ...]
    """What the store does not keep of the data, a sentence each; said before the conversion, too."""
    excluded: tuple[Excluded, ...]
    """Images excluded by the scan of the dataset, then those that could not be read, by earlier processes too."""
    to_open: tuple[Path, ...] = ()
    """What other programs of the format open in the store's folder; empty where that is the store itself."""


@dataclass
class Conversion:
    """A conversion of a dataset to a store."""

    dataset: Dataset
    spec: Spec
    destination: Location
    count: int | None
    """Number of images, from the first on; None for all."""
    replace: bool = False
    restart: bool = False
    labels_required: bool = False
    """Whether a dataset without labels is an error."""
    order: Order | None = None
    """The order of the images; None for that of the dataset."""
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
        backend, codec = registry.make_backend(self.spec), registry.make_codec(self.spec)
        lost = self._losses(backend, codec)
        for loss in lost:
            self.notify(loss)
        names = self._survey_names(backend, codec, count, progress)
        with Workspace(self.destination, self._facts(count), backend, restart=self.restart) as workspace:
            if workspace.warning:
                self.notify(workspace.warning)
            if isinstance(self.destination, Path):
                self._report_replaced(workspace, self.destination)
            arguments = self.dataset, backend, codec, self._kind(backend, codec), workspace, count, self.notify, names
            filler = self._filler = StoreFiller(*arguments)
            try:
                unreadable = filler.run(progress)
            except (ImgstoreError, OSError) as error:
                if isinstance(self.destination, Path) and isinstance(error, StoreError | OSError):
                    error = with_cause(error, workspace.folder)
                if filler.has_nothing:
                    workspace.discard()
                raise error from None
            try:
                fingerprint = self._verify(backend, codec, workspace, progress, names)
            except StoreError as error:
                if not filler.resumed:
                    raise
                self.notify(
                    f"What an earlier process wrote cannot be continued, so the conversion starts over: {error}"
                )
                workspace.clear()
                filler = self._filler = StoreFiller(*arguments)
                unreadable = filler.run(progress)
                fingerprint = self._verify(backend, codec, workspace, progress, names)
            lost_before, lost = lost, self._losses(backend, codec)
            for loss in lost:
                if loss not in lost_before:  # not all can be known before the images are read
                    self.notify(loss)
            usage = backend.disk_usage(workspace.store)
            images = workspace.checksums.count
            if isinstance(self.destination, Path):
                self._deliver(workspace, self.destination)
            else:
                workspace.deliver_to_server(self.destination, replace=self.replace)
            workspace.finish()
        excluded = self.dataset.excluded
        requested = count + (len(excluded) if self.count is None else 0)
        excluded += unreadable
        to_open = self._to_open(backend)
        return ConversionResult(
            self.destination, images, requested, filler.resumed, usage, fingerprint, codec.lossless, lost, excluded,
            to_open,
        )  # fmt: skip

    def _to_open(self, backend: Backend) -> tuple[Path, ...]:
        """Return what other programs open in the folder of the finished store."""
        if isinstance(self.destination, Path) and isinstance(backend, LocalBackend):
            return tuple(backend.paths_to_open(self.destination))
        return ()

    def _losses(self, backend: Backend, codec: Codec) -> tuple[str, ...]:
        """Return what the store does not keep of the data, a sentence each."""
        lost = [] if codec.from_file else list(self.dataset.lost_by_decoding)
        if loss := lost_names(self.dataset, backend):
            lost.append(loss)
        if not keeps_label_names(self.dataset.label_names):
            lost.append("The store keeps the numbers of the labels, not their names, which are too many.")
        return tuple(lost)

    def _survey_names(
        self, backend: Backend, codec: Codec, count: int, progress: ConversionProgress
    ) -> ImageNames | None:
        """Return the names of images in the store, None where it keeps none; say which are not as they were."""
        if not self.dataset.has_names or not backend.capabilities.names:
            return None
        names = ImageNames(self.dataset, codec, count)
        for sentence in names.survey(progress):
            self.notify(sentence)
        return names if names.longest else None

    def _verify(
        self,
        backend: Backend,
        codec: Codec,
        workspace: Workspace,
        progress: ConversionProgress,
        names: ImageNames | None,
    ) -> str:
        """Verify the store and return the fingerprint of its images as the dataset returns them."""
        if self._filler is not None and self._filler.fingerprint is not None:
            verify_store(backend, workspace, progress, names)
            return self._filler.fingerprint.hexdigest()
        fingerprint = Fingerprint(has_labels=self.dataset.has_labels)
        verify_store(backend, workspace, progress, names, partial(self._add_resumed, codec, fingerprint))
        return fingerprint.hexdigest()

    def _add_resumed(
        self, codec: Codec, fingerprint: Fingerprint, record: ChecksumRecord, stored: Pixels | bytes
    ) -> None:
        """Add an image that an earlier process may have stored: from the store if the codec keeps its pixels."""
        if not isinstance(stored, bytes):
            fingerprint.add(stored, record.label)
        elif not self.dataset.has_pixels:
            fingerprint.add_file(stored, record.label)
        elif codec.lossless and not codec.from_file:
            fingerprint.add(codec.decode(stored), record.label)
        else:
            try:
                image = self.dataset.image(record.index)
            except BrokenImageError:
                image = None
            if image is None or image_checksum(image) != record.source:
                raise changed_since(record)
            fingerprint.add(image, record.label)

    def _scan(self, progress: ConversionProgress) -> int:
        """Scan the dataset; return the number of images to convert."""
        self.dataset.image_limit = self.count
        self.dataset.scan(lambda doing, done, total: progress(doing, done, total or 0))
        if len(self.dataset) >= MAX_CUTOFF and self.count is None:
            raise UsageError(f"{self.dataset.summary}: it never ends. Say how many images you want with --count.")
        if self.labels_required and not self.dataset.has_labels:
            summary, labels = self.dataset.summary, label_summary(self.dataset)
            what = summary if labels in summary else f"{summary}, {labels}"
            raise DataError(f"{what}. Labels are required, as --labels required says.")
        return min(len(self.dataset), self.count or len(self.dataset))

    def _kind(self, backend: Backend, codec: Codec) -> PayloadKind:
        uniform = self.dataset.uniform is not None and self.dataset.has_pixels
        return payload_kind(backend, codec, uniform=uniform)

    def _facts(self, count: int) -> dict[str, Any]:
        """Return the facts that must be equal for a conversion to be resumed, from any folder."""
        location = self.dataset.path
        path = os.path.realpath(location) if isinstance(location, Path) else location and location.public()
        return {
            "dataset": [self.dataset.name, path, dict(self.dataset.values)],
            "storage": [self.spec.backend, self.spec.codec, dict(self.spec.options), dict(self.spec.codec_options)],
            "images": count,
            "order": None if self.order is None else [self.order.name, self.order.seed],
        }

    def _report_replaced(self, workspace: Workspace, destination: Path) -> None:
        """Notify the user of a store that a killed process had moved aside."""
        old = replaced_path(destination)
        if os.path.lexists(old) and not os.path.lexists(destination):
            stays = "until this one is finished" if self.replace and workspace.facts.get("aside") else "as it is"
            self.notify(
                f"{old} is what was at {destination} before a --replace that was broken off; it stays {stays}. "
                f"To have it back, stop this and rename it to {destination.name}."
            )

    def _deliver(self, workspace: Workspace, destination: Path) -> None:
        """Rename the store to the destination; what was there is moved aside first and removed last."""
        check_beside(registry.backends.get(self.spec.backend), destination)
        old = self._move_aside(workspace, destination)
        try:
            workspace.deliver(destination)
        except BaseException as error:
            if old is not None and not os.path.lexists(destination):
                rename_new(old, destination)
            if isinstance(error, OSError):
                where = f"the store is whole in {workspace.store}"
                if os.path.lexists(destination) and not os.path.lexists(str(workspace.store)):
                    where = "the store is there, but may not be on the device yet"
                raise StoreError(f"{destination}: {error.strerror or error}; {where}.") from None
            raise
        # Before the folder goes: that says to the next process whose store it was.
        if old is not None and (left := discard_replaced(destination)):
            self.notify(left)

    def _move_aside(self, workspace: Workspace, destination: Path) -> Path | None:
        """Move the store at the destination aside if it may be replaced; return its new path, if any."""
        old = replaced_path(destination)
        if not self.replace:
            return None
        if not os.path.lexists(destination):
            return old if workspace.facts.get("aside") and os.path.lexists(old) else None
        check_free(destination)
        check_replaceable(destination)  # hours may have passed since the first check
        workspace.facts["aside"] = True
        workspace.save()
        try:
            rename_new(destination, old)
        except FileExistsError:
            check_free(destination)
            raise
        return old


def plan_conversion(
    text: str,
    spec_text: str,
    destination: Path | str,
    *,
    count: int | None,
    replace: bool,
    restart: bool,
    labels_required: bool = False,
    order: Order | None = None,
) -> Conversion:
    """Check the arguments of a conversion, without scanning the dataset.

    Args:
        text: The dataset as the user wrote it.
        spec_text: The spec of the store.
        destination: A path, or the address of a store on a server.
        count: Number of images, from the first on; None for all.
        replace: Whether a store at the destination may be replaced.
        restart: Whether an unfinished conversion is started over.
        labels_required: Whether a dataset without labels is an error.
        order: The order of the images; None for that of the dataset.

    Raises:
        UsageError: If a name is unknown, or the destination is not valid.
        UnavailableError: If a driver is missing, or a server does not answer.
        StoreError: If something other than a store would be replaced.
    """
    location = registry.parse_location(str(destination))
    spec = registry.resolve_spec(spec_text, require_available=False)
    dataset = registry.make_dataset(text)
    if isinstance(location, ServerLocation):
        _check_server(spec, dataset, location, replace=replace)
    else:
        location = _check_folder(spec, dataset, location, replace=replace)
    if order is not None:
        dataset = OrderedDataset(dataset, order)
    return Conversion(dataset, spec, location, count, replace, restart, labels_required, order)


def _check_server(spec: Spec, dataset: Dataset, location: ServerLocation, *, replace: bool) -> None:
    """Check an address as destination: it belongs to the backend's server, which answers, and it is free."""
    backend_class = registry.server_of(location)
    if backend_class.name != spec.backend:
        raise UsageError(
            f"{location} is an address of {backend_class.title}. "
            f"Write: imgstore-tui convert DATASET {backend_class.name} {location}"
        )
    registry.check_installed(backend_class)
    registry.check_available(registry.codecs.get(spec.codec))
    check_named(location)
    if dataset.path == location:
        raise UsageError(f"{location} is the data itself, which is only read. Name another place.")
    backend = registry.with_defaults(backend_class)
    if not backend.exists(location):
        return
    finish_delivered(location, backend)
    if not replace:
        raise UsageError(f"{location} exists already. Name another destination, or add --replace.")
    if location not in backend.list_stores(location.place, location.name):
        raise StoreError(f"{location} is not a store of ours, so it is not replaced. Name another destination.")


def _check_folder(spec: Spec, dataset: Dataset, location: Path, *, replace: bool) -> Path:
    """Check a path as destination: a store can be made there, outside the data, and it is free."""
    backend_class = registry.backends.get(spec.backend)
    if issubclass(backend_class, ServerBackend):
        address = f"{backend_class.schemes[0]}://{backend_class.address_form.value}"
        raise UsageError(
            f"Backend {backend_class.name} stores on a server. Write its address as destination, e.g. {address}."
        )
    registry.check_available(backend_class, dict(spec.options))
    registry.check_available(registry.codecs.get(spec.codec))
    destination = absolute_path(location)
    if not destination.parent.is_dir():
        raise UsageError(f"{destination.parent} is no folder. Make it, or name another destination.")
    real = destination.parent.resolve() / destination.name
    for root in dataset.roots:
        with contextlib.suppress(OSError):
            inside = real.is_relative_to(root.resolve()) or root.resolve().is_relative_to(real)
            if inside:
                raise UsageError(f"{destination} lies in the data itself, which is only read. Name another place.")
    check_beside(backend_class, destination)
    if os.path.lexists(destination):
        finish_delivered(destination, registry.make_backend(spec), discard_replaced if replace else None)
        if not replace:
            raise UsageError(f"{destination} exists already. Name another destination, or add --replace.")
        check_replaceable(destination)
        check_free(destination)
    return destination
