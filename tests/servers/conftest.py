"""Gives tests of servers the place where they make stores, and a proxy before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imgstore_tui.core import credentials
from imgstore_tui.core.location import ServerLocation
from tests.support.server_places import backend_of, hold, port_of
from tests.support.servers import PREFIX, server
from tests.support.tcp_proxy import TcpProxy, tcp_proxy


@pytest.fixture(autouse=True)
def secrets() -> Iterator[None]:
    """Let what a test holds in memory end with it."""
    before = credentials.held()
    yield
    credentials.forget()
    credentials.hold(before)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of the server, which the test or its file says."""
    found: str = request.param
    return found


@pytest.fixture
def place(name: str) -> Iterator[ServerLocation]:
    """Return where stores are made on the session's server; those of the test are removed in the end."""
    url = server(name).url
    found = hold(name, url)
    yield found
    hold(name, url)
    for store in backend_of(name).list_stores(found, PREFIX):
        backend_of(name).destroy(store)


@pytest.fixture
def proxy(place: ServerLocation) -> Iterator[TcpProxy]:
    """Return a proxy before the server."""
    with tcp_proxy(port_of(place)) as running:
        yield running
