"""Where a test makes stores on a server of the session, by the server's name, directly and through a proxy."""

from __future__ import annotations

from urllib.parse import urlsplit

from imgstore_tui.core import credentials
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.jobs.servers.catalogue import recipe
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.server import ServerBackend
from imgstore_tui.testing.store_material import StoreSetup
from tests.support.tcp_proxy import TcpProxy


def kind_of(name: str) -> type[ServerBackend]:
    """Return the backend of a server."""
    kind = registry.backends.get(recipe(name).backend)
    assert issubclass(kind, ServerBackend)
    return kind


def backend_of(name: str) -> ServerBackend:
    """Return the backend of a server with its defaults."""
    return registry.with_defaults(kind_of(name))


def setup_of(name: str) -> StoreSetup:
    """Return what makes stores of bare pixels there."""
    return StoreSetup.of(f"{recipe(name).backend}+raw")


def variable_of(name: str) -> str:
    """Return the variable with the address of a server."""
    return kind_of(name).url_variable


def hold(name: str, url: str) -> ServerLocation:
    """Let an address be that of a server, and return the place that it names."""
    credentials.hold({variable_of(name): url})
    return kind_of(name).address()[0]


def url_of(name: str) -> str:
    """Return the address that is held, with its secrets."""
    return credentials.held()[variable_of(name)]


def port_of(place: ServerLocation) -> int:
    """Return the port of a place: that of its address or its endpoint."""
    return place.port or urlsplit(dict(place.parameters)["endpoint"]).port or 0


def through(name: str, place: ServerLocation, proxy: TcpProxy) -> ServerLocation:
    """Return a place as seen through a proxy; the address that is held names that, so that its keys count."""
    if name == "fake-gcs":  # it answers no request for another host than its own
        proxy.replaced = (f"127.0.0.1:{proxy.port}".encode(), f"127.0.0.1:{port_of(place)}".encode())
    url = url_of(name)
    for colon in (":", "%3A"):
        url = url.replace(f"{colon}{port_of(place)}", f"{colon}{proxy.port}")
    return hold(name, url)
