"""Lends a backend of a server what a module of functions does: everything but reading and writing images.

That module imports the driver, so it is loaded at the first call and not when backends are listed.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from importlib import import_module
from typing import ClassVar, Protocol, cast

from imgstore_tui.core.backend import DiskUsage
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.storekit.server import ServerBackend, check_named


class ServerAdmin(Protocol):
    """The functions of such a module; each is the method of ``ServerBackend`` that has its name."""

    def exists(self, backend: ServerBackend, location: ServerLocation) -> bool:
        """Whether there is anything of that name, a store or not."""
        ...

    def disk_usage(self, backend: ServerBackend, location: ServerLocation) -> DiskUsage:
        """Return what the server says of the store; None for what it does not say."""
        ...

    def facts(self, backend: ServerBackend, place: ServerLocation) -> ServerFacts:
        """Ask for product, version, place and settings."""
        ...

    def list_stores(self, backend: ServerBackend, place: ServerLocation, prefix: str) -> Sequence[ServerLocation]:
        """Return the stores of this program whose names begin so."""
        ...

    def end_requests(self, backend: ServerBackend, place: ServerLocation, prefix: str) -> bool:
        """End what clients that have died asked for stores whose names begin so; return whether any was."""
        ...

    def drain(self, backend: ServerBackend, location: ServerLocation) -> None:
        """Have what the server holds back written, where the user may ask for that."""
        ...

    def ping(self, backend: ServerBackend, location: ServerLocation) -> float:
        """Time the smallest request, in seconds."""
        ...

    def deliver(self, backend: ServerBackend, staged: ServerLocation, final: ServerLocation, *, replace: bool) -> None:
        """Give a store its final name, in one step with the removal of the store that has it."""
        ...

    def destroy(self, backend: ServerBackend, location: ServerLocation) -> None:
        """Remove the store, if it is one of this program, and ask anew whether it is there; its name was checked."""
        ...


class AdministeredBackend(ServerBackend, ABC):
    """A backend of a server whose stores are looked after by the functions of one module."""

    admin_module: ClassVar[str]
    """Name of the module, a ``ServerAdmin``."""

    @property
    def _admin(self) -> ServerAdmin:
        return cast(ServerAdmin, import_module(self.admin_module))

    def exists(self, location: ServerLocation) -> bool:
        """Whether there is anything of that name, a store or not."""
        return self._admin.exists(self, location)

    def disk_usage(self, location: ServerLocation) -> DiskUsage:
        """Return what the server says of the store; None for what it does not say."""
        return self._admin.disk_usage(self, location)

    def facts(self, place: ServerLocation) -> ServerFacts:
        """Ask for product, version, place and settings."""
        return self._admin.facts(self, place)

    def list_stores(self, place: ServerLocation, prefix: str) -> Sequence[ServerLocation]:
        """Return the stores of this program whose names begin so."""
        return self._admin.list_stores(self, place, prefix)

    def end_requests(self, place: ServerLocation, prefix: str) -> bool:
        """End what clients that have died asked for stores whose names begin so; return whether any was."""
        return self._admin.end_requests(self, place, prefix)

    def drain(self, location: ServerLocation) -> None:
        """Have what the server holds back written, where the user may ask for that."""
        self._admin.drain(self, location)

    def ping(self, location: ServerLocation) -> float:
        """Time the smallest request, in seconds."""
        return self._admin.ping(self, location)

    def deliver(self, staged: ServerLocation, final: ServerLocation, *, replace: bool) -> None:
        """Give a store its final name, in one step with the removal of the store that has it."""
        self._admin.deliver(self, staged, final, replace=replace)

    def destroy(self, location: ServerLocation) -> None:
        """Remove the store, if it is one of this program."""
        check_named(location)
        self._admin.destroy(self, location)
