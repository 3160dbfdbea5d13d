"""Declares what all object storage has in common: options, presets, claims; a backend adds how to connect."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from imgstore_tui.core import credentials
from imgstore_tui.core.backend import (
    Capabilities,
    Content,
    DiskUsage,
    Durability,
    DurableBy,
    Editor,
    Family,
    PayloadKind,
    Preset,
    Reader,
    Writer,
)
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.location import AddressForm, ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option, SizeOption, size_bytes
from imgstore_tui.storekit.server import ServerBackend, begin_server_store, check_named

DURABLE = "durable"
"""What a server acknowledges, in its settings, where its maker promises that it is on its devices."""

if TYPE_CHECKING:
    from imgstore_tui.core.model import ServerFacts
    from imgstore_tui.storekit.objects.client import Client
    from imgstore_tui.storekit.objects.identity import Product

_BUCKET = re.compile(r"[A-Za-z0-9._$-]+")
LAYOUTS = ("packed", "object")


class ObjectBackend(ServerBackend):
    """Stores under a prefix of a bucket. What is not secret may come from the environment variables of the service."""

    family = Family.OBJECT
    requires = ("obstore",)
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    capabilities = Capabilities(append=True, overwrite=True, delete=True, server=True)
    address_form = AddressForm.OBJECT
    presets = (
        Preset("tuned", "images packed into objects of 1 MiB, near ones read by one request, 32 requests at a time"),
        Preset(
            "plain", "an object per image, one request after another", options={"layout": "object", "concurrency": 1}
        ),
    )
    options = (
        Option(
            "layout",
            "packed",
            "How images lie in objects: packed puts many into one, object one into each; packed, because a request "
            "takes as long for one small image as for a thousand.",
            choices=LAYOUTS,
        ),
        Option(
            "concurrency",
            32,
            "Requests at a time; 32, because each spends most of its time waiting for the answer.",
            minimum=1,
            maximum=256,
        ),
        SizeOption(
            "shard",
            "1M",
            "Size of a packed object, e.g. 256K or 4M, MiB without a unit; 1M, where a request's own time counts "
            "little when all is read, and a part costs little where the server reads the whole object for it, as "
            "SeaweedFS does: 4.5 ms for 3 kB of 4 MiB, 1.7 ms of 1 MiB, 1 ms for an object of 3 kB.",
            minimum=64 * 2**10,
            maximum=64 * 2**20,
        ),
        Option(
            "gap",
            256,
            "KiB between two images of a batch that are read along rather than asked for apart; 256, about what "
            "crosses a link of 100 MB/s while one of 32 requests waits.",
            minimum=0,
            maximum=65_536,
        ),
    )

    service: ClassVar[str]
    """Which of the driver's services: ``s3``, ``gcs`` or ``azure``."""
    bucket_word: ClassVar[str] = "bucket"
    most_bytes: ClassVar[int]
    """The largest object that the service takes by one request."""
    key_help: ClassVar[str]
    """The sentence that says where keys go."""

    @classmethod
    @abstractmethod
    def endpoint(cls, location: ServerLocation) -> str:
        """Return the URL of the server.

        Raises:
            UnavailableError: If nothing names it.
        """

    @abstractmethod
    def product(self, location: ServerLocation) -> Product:
        """Return what answers at a location."""

    @abstractmethod
    def settings(self, location: ServerLocation) -> Mapping[str, Any]:
        """Return what the driver connects with: endpoint and keys.

        Raises:
            UnavailableError: If something is missing.
        """

    @classmethod
    def secret(cls, location: ServerLocation, name: str) -> str | None:
        """Return a secret that stands as a parameter in the address variable, where that names the same server."""
        from urllib.parse import parse_qsl, urlsplit

        url = credentials.get(cls.url_variable)
        if not url or cls.endpoint(location) != cls.endpoint(cls.address()[0]):
            return None
        return dict(parse_qsl(urlsplit(url).query)).get(name)

    @property
    def shard_bytes(self) -> int:
        """Bytes from which on a packed object is complete; 0 for an object per image."""
        return size_bytes(self.values["shard"]) if self.values["layout"] == "packed" else 0

    @property
    def gap_bytes(self) -> int:
        """Bytes between two images that are read along."""
        return int(self.values["gap"]) << 10 if self.values["layout"] == "packed" else -1

    def server_text(self, location: ServerLocation) -> str:
        """Return what the server is called in messages."""
        return f"{self.title} at {self.endpoint(location)}"

    def runs_here(self, location: ServerLocation) -> bool | None:
        """Whether the server is this machine; None if its name is not known."""
        from imgstore_tui.storekit.objects.identity import same_host

        return same_host(self.endpoint(location))

    def client(self, location: ServerLocation) -> Client:
        """Return a client for the bucket of a location; it connects at its first request."""
        from imgstore_tui.storekit.objects.client import Client
        from imgstore_tui.storekit.objects.driver import Driver

        if not _BUCKET.fullmatch(location.database):  # the driver ends the process for some others
            rule = f"the name of a {self.bucket_word} has letters, digits and . _ - alone"
            raise StoreError(f"{location}: {rule}. Correct the address.")
        settings = self.settings(location)
        return Client(
            lambda limit_s: Driver(self.service, location.database, settings, limit_s), int(self.values["concurrency"])
        )

    def create(self, location: ServerLocation, content: Content, sync: SyncLevel) -> Writer:
        """Put the unfinished manifest, where there is nothing yet."""
        from imgstore_tui.storekit.objects.layout import check_name
        from imgstore_tui.storekit.objects.writer import ObjectWriter

        begin_server_store(self, location, content)
        check_name(location)
        return ObjectWriter(self, location, content, sync)

    def open(self, location: ServerLocation) -> Reader:
        """Get the manifest."""
        from imgstore_tui.storekit.objects.layout import check_name
        from imgstore_tui.storekit.objects.reader import ObjectReader

        check_name(location)
        return ObjectReader(self, location)

    def edit(self, location: ServerLocation, sync: SyncLevel) -> Editor:
        """Get the manifest, to put another in its place."""
        from imgstore_tui.storekit.objects.editor import ObjectEditor
        from imgstore_tui.storekit.objects.layout import check_name

        check_name(location)
        return ObjectEditor(self, location, sync)

    def exists(self, location: ServerLocation) -> bool:
        """Whether there is an object of that name, or any below it."""
        from imgstore_tui.storekit.objects.admin import exists

        return exists(self, location)

    def disk_usage(self, location: ServerLocation) -> DiskUsage:
        """Return the sum of the sizes of the objects, and how many they are."""
        from imgstore_tui.storekit.objects.admin import disk_usage

        return disk_usage(self, location)

    def durability(self, location: ServerLocation, sync: SyncLevel) -> Durability:
        """Return what the acknowledgement of a PUT means there."""
        product = self.product(location)
        if product.durable:
            return Durability(DurableBy.ACKNOWLEDGE, "acknowledged PUT, durable by the promise of the service")
        if sync is SyncLevel.BUFFERED:
            return Durability(DurableBy.NOTHING, "acknowledged PUT")
        return Durability(
            DurableBy.NOTHING,
            f"{product.name} does not say that what it acknowledges is on its device, so it can only claim buffered.",
        )

    @classmethod
    def forces_by_settings(cls, settings: Mapping[str, str]) -> bool:
        """Return whether the maker of the service promises that what it acknowledges is durable."""
        return settings.get("acknowledges") == DURABLE

    def facts(self, place: ServerLocation) -> ServerFacts:
        """Ask for the product, its version and where it is."""
        from imgstore_tui.storekit.objects.admin import facts

        return facts(self, place)

    def list_stores(self, place: ServerLocation, prefix: str) -> Sequence[ServerLocation]:
        """Return the prefixes whose names begin so and that have a manifest of ours."""
        from imgstore_tui.storekit.objects.admin import list_stores

        return list_stores(self, place, prefix)

    def drain(self, location: ServerLocation) -> None:
        """Do nothing: no request of the service lets it write what it holds back."""

    def ping(self, location: ServerLocation) -> float:
        """Time the smallest request."""
        from imgstore_tui.storekit.objects.admin import ping

        return ping(self, location)

    def deliver(self, staged: ServerLocation, final: ServerLocation, *, replace: bool) -> None:
        """Copy the store, let one request make the copy count, remove the original."""
        from imgstore_tui.storekit.objects.admin import deliver

        deliver(self, staged, final, replace=replace)

    def destroy(self, location: ServerLocation) -> None:
        """Remove the objects, if their manifest is ours."""
        from imgstore_tui.storekit.objects.admin import destroy

        check_named(location)
        destroy(self, location)


def with_parameters(location: ServerLocation, values: Mapping[str, str | None]) -> ServerLocation:
    """Return a location that also says what it lacks, so that it means the same wherever it is read again."""
    given = dict(location.parameters)
    more = tuple((name, value) for name, value in values.items() if value and name not in given)
    return replace(location, parameters=(*location.parameters, *more))
