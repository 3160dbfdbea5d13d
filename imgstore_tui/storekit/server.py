"""Implements what stores on a server share: where they are, who may see them, and what is theirs."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from imgstore_tui.core import credentials
from imgstore_tui.core.backend import Backend, Durability
from imgstore_tui.core.content import Content
from imgstore_tui.core.errors import StoreError, UnavailableError, UsageError
from imgstore_tui.core.location import AddressForm, Scheme, ServerLocation, server_of
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.core.operations import SyncLevel

CONNECT_S = 5
"""A server that has not answered by then counts as one that does not."""
PREFIX = "imgstore_tui_"
"""Every store that a run makes on a server is called so, then the run and a number."""
_PINGS = 5
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


class ServerBackend(Backend[ServerLocation], ABC):
    """A storage system whose stores are on a server, each under a name of its own: a table, a collection, a prefix.

    What it connects with is in the location, in ``credentials`` and in the files and variables of the server's own
    tools; nothing secret is in a variable of its process. No wait is longer than ``CONNECT_S`` before a server counts
    as one that does not answer.
    An error message holds no secret: whatever a driver says goes through ``credentials.scrub``.
    """

    schemes: ClassVar[tuple[str, ...]]
    """Schemes of its addresses, the usual one first."""
    address_form: ClassVar[AddressForm] = AddressForm.TABLE
    parameters: ClassVar[frozenset[str] | None] = None
    """What may follow the question mark of an address; None where the driver decides that."""
    url_variable: ClassVar[str]
    """Environment variable with the address under which stores are made, e.g. ``IMGSTORE_POSTGRES_URL``."""
    local_server: ClassVar[str] = ""
    """What ``imgstore-tui servers`` calls the server of this kind that it starts; empty where it has none."""
    secret_variables: ClassVar[tuple[str, ...]] = ()
    """Environment variables of the server's own tools that hold a secret, e.g. ``PGPASSWORD``."""

    @classmethod
    def scheme(cls) -> Scheme:
        """Return what its addresses are."""
        return Scheme(cls.address_form, cls.url_variable, cls.parameters)

    @classmethod
    def address(cls) -> tuple[ServerLocation, str | None]:
        """Return the place that the address variable names, a prefix in a bucket included, and the password in it.

        Raises:
            UnavailableError: If the variable is not set.
            UsageError: If it holds no address of this backend.
        """
        url = credentials.get(cls.url_variable)
        if not url:
            raise UnavailableError(f"'{cls.name}' needs a server: {cls.missing_setting()}")
        try:
            location, password = server_of(url, dict.fromkeys(cls.schemes, cls.scheme()))
        except UsageError as error:
            raise UsageError(f"{cls.url_variable}: {error}") from None
        place = location if location.form is AddressForm.OBJECT else location.place
        return place, password

    @classmethod
    def missing_setting(cls) -> str:
        """Return what must be set before stores can be made; empty where the address variable is."""
        if credentials.get(cls.url_variable):
            return ""
        example = f"{cls.schemes[0]}://{cls.address_form.place}"
        start = f', or start one: eval "$(imgstore-tui servers up {cls.local_server})"' if cls.local_server else ""
        return f"set the variable {cls.url_variable} to its address, e.g. {example}{start}"

    @classmethod
    def password(cls, location: ServerLocation) -> str | None:
        """Return the password of the address variable, where that names the server and user of ``location``."""
        try:
            place, password = cls.address()
        except (UnavailableError, UsageError):
            return None
        same = (place.host, place.port) == (location.host, location.port)
        return password if same and location.user in ("", place.user) else None

    @classmethod
    def user(cls, location: ServerLocation) -> str:
        """Return the user to connect as: that of the location, or of the address variable for the same server."""
        if location.user or not credentials.get(cls.url_variable):
            return location.user
        place = cls.address()[0]
        return place.user if (place.host, place.port) == (location.host, location.port) else ""

    @abstractmethod
    def facts(self, place: ServerLocation) -> ServerFacts:
        """Connect, and return what the server says of itself.

        Raises:
            UnavailableError: If it does not answer, refuses, or lacks the database: one sentence, within seconds.
        """

    @abstractmethod
    def list_stores(self, place: ServerLocation, prefix: str) -> Sequence[ServerLocation]:
        """Return the stores of ours in a place whose names there begin so, whole or broken off; no others."""

    def end_requests(self, place: ServerLocation, prefix: str) -> bool:
        """End what clients that have died asked for stores in a place whose names begin so; return whether any was.

        A server may do that after it was asked what is there, and found nothing. Where it cannot be ended, it is
        waited for; where a server does not say what it does, it is taken to rest.
        """
        return False

    @abstractmethod
    def drain(self, location: ServerLocation) -> None:
        """Let the server write what it still holds back, as far as it may be told to."""

    @abstractmethod
    def ping(self, location: ServerLocation) -> float:
        """Return the seconds that the smallest request takes there and back, the least of a few: more is load."""

    @abstractmethod
    def deliver(self, staged: ServerLocation, final: ServerLocation, *, replace: bool) -> None:
        """Give a whole store its final name, in one step that is done or not.

        Args:
            staged: The store.
            final: Its new name in the same place.
            replace: Whether a store of ours that has the name goes in the same step.

        Raises:
            StoreError: If the name is taken, by anything but a store of ours where ``replace`` is given.
        """

    @abstractmethod
    def durability(self, location: ServerLocation, sync: SyncLevel) -> Durability:
        """Return what the server's settings make of a sync level."""

    @classmethod
    def forces_by_settings(cls, settings: Mapping[str, str]) -> bool:  # noqa: ARG003 - what subclasses are given
        """Return whether a server forces what it acknowledges at every sync level: no client can choose less.

        Args:
            settings: Its settings, as ``facts`` returns them.
        """
        return False

    def unknown_cache(self) -> str | None:
        """Return why it is unknown what of a store is in memory."""
        return f"the caches of {self.title} cannot be emptied or looked at from here"


def run_prefix(run_id: str, form: AddressForm = AddressForm.TABLE) -> str:
    """Return what the names of all stores of a run begin with; in a bucket they share a folder, to be listed alone."""
    folder = f"{PREFIX.rstrip('_')}/" if form is AddressForm.OBJECT else PREFIX
    return f"{folder}{_NOT_IN_NAMES.sub('_', run_id.lower()).strip('_')}_"


def begin_server_store(backend: ServerBackend, location: ServerLocation, content: Content) -> None:
    """Check that a backend takes such content, and that a store is named.

    Raises:
        UnsupportedError: If the backend does not claim such content.
        UsageError: If the location names a place, but no store in it.
    """
    from imgstore_tui.core.manifest import check_content  # it needs numpy, which lists and help do without

    check_content(backend, content)
    check_named(location)


def check_named(location: ServerLocation) -> None:
    """Raise UsageError if a location names a place, but no store in it."""
    if not location.name:
        raise UsageError(f"{location} names no store. Write {location.child('NAME')}.")


def least_seconds(request: Callable[[], object]) -> float:
    """Return the seconds that a request takes, the least of a few: more is load."""
    taken = []
    for _ in range(_PINGS):
        began = time.perf_counter()
        request()
        taken.append(time.perf_counter() - began)
    return min(taken)


def still_listed(location: ServerLocation) -> StoreError:
    """Build the error for a store that the server was told to remove, and still has when it is asked anew."""
    return StoreError(f"{location} is still there after the server has removed it. Try again: imgstore-tui sweep")


def is_this_machine(host: str) -> bool | None:
    """Return whether a name or an address is one of this machine; None where it cannot be resolved."""
    try:
        addresses = {(family, sockaddr[0]) for family, _, _, _, sockaddr in socket.getaddrinfo(host, None)}
    except OSError:
        return None
    return any(_can_bind(family, str(address)) for family, address in addresses)


def _can_bind(family: int, address: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return True
    return False
