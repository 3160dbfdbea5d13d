"""Parses the text of a location: a path, the address of a server, or ``BACKEND#NAME``."""

from __future__ import annotations

import os
from urllib.parse import unquote

from imgstore_tui.core.errors import unknown_name
from imgstore_tui.core.location import Location, Scheme, ServerLocation, is_address
from imgstore_tui.core.location import parse_location as location_of
from imgstore_tui.plugins.catalogues import backends, sorted_backends
from imgstore_tui.storekit.server import ServerBackend


def schemes() -> dict[str, Scheme]:
    """Return the schemes of the addresses of all servers that have a backend here."""
    return {
        scheme: kind.scheme()
        for kind in sorted_backends()
        if issubclass(kind, ServerBackend)
        for scheme in kind.schemes
    }


def parse_location(text: str) -> Location:
    """Parse the text of a location, see ``core.location.parse_location``.

    ``BACKEND#NAME`` is a store on the server that the backend's variable names, unless a file is called so.

    Raises:
        UsageError: If it is malformed, of an unknown scheme, or holds a password or key.
        UnavailableError: If it is ``BACKEND#NAME``, and the variable is not set.
    """
    name, _, store = text.strip('"').partition("#")
    if store and name.isidentifier() and not os.path.lexists(text.strip('"')):
        kind = backends.all().get(name)
        if kind is not None and issubclass(kind, ServerBackend):
            return kind.address()[0].child(unquote(store))
    return location_of(text, schemes() if is_address(text.strip('"')) else {})


def server_of(location: ServerLocation) -> type[ServerBackend]:
    """Return the backend whose server a location is on.

    Raises:
        UsageError: If there is none.
    """
    for kind in sorted_backends():
        if issubclass(kind, ServerBackend) and location.scheme in kind.schemes:
            return kind
    raise unknown_name("kind of address", location.scheme, schemes())
