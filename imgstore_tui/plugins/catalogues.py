"""Holds the catalogues of all backends, codecs and datasets.

A plug-in is one module of ``imgstore_tui.backends`` (``codecs``, ``datasets``) or one entry point of the group of
the same name, see ``catalogue``.
"""

from __future__ import annotations

import os

from imgstore_tui.core import credentials
from imgstore_tui.core.backend import Backend, Family
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.plugins.catalogue import Catalogue
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.server import ServerBackend


def as_local(kind: type) -> type:
    """Return a class that derives from ``Backend`` alone as a local backend.

    Plug-ins for an older contract know folders only: ``LocalBackend`` is mixed in after their own methods.
    """
    if not issubclass(kind, Backend) or issubclass(kind, LocalBackend | ServerBackend):
        return kind
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind.__name__, (kind, LocalBackend), names)


class BackendCatalogue(Catalogue[Backend]):
    """All backends. Listing them moves the secrets of servers from the environment into memory."""

    def __init__(self) -> None:
        super().__init__("backend", "imgstore_tui.backends", Backend, adapt=as_local)

    def all(self) -> dict[str, type[Backend]]:
        """Return every backend by name."""
        kinds = super().all()
        for kind in kinds.values():
            if issubclass(kind, ServerBackend):
                take_credentials(kind)
        return kinds

    def get(self, name: str) -> type[Backend]:
        """Return the backend called ``name``."""
        self.all()
        return super().get(name)


def take_credentials(kind: type[ServerBackend]) -> None:
    """Take the secrets of a server from the environment into memory, so that no child inherits them."""
    for variable in (kind.url_variable, *kind.secret_variables):
        if value := os.environ.pop(variable, None):
            credentials.hold({variable: value})


backends: Catalogue[Backend] = BackendCatalogue()
codecs: Catalogue[Codec] = Catalogue("codec", "imgstore_tui.codecs", Codec)
datasets: Catalogue[Dataset] = Catalogue("dataset", "imgstore_tui.datasets", Dataset)


def sorted_backends() -> list[type[Backend]]:
    """Return all backends by family, then by name."""
    order = list(Family)
    return sorted(backends.all().values(), key=lambda backend: (order.index(backend.family), backend.name))


def local_backends() -> list[type[LocalBackend]]:
    """Return all backends whose stores are files, by family, then by name."""
    return [kind for kind in sorted_backends() if issubclass(kind, LocalBackend) and not kind.capabilities.server]
