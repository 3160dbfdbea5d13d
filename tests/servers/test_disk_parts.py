"""Servers tell apart what a store takes up: its rows, its indexes, and the log that all stores share."""

from __future__ import annotations

import os

import pytest

from imgstore_tui.core import credentials
from imgstore_tui.jobs.servers.catalogue import recipe
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.server import ServerBackend
from imgstore_tui.testing.store_material import StoreSetup
from tests.support.servers import server

PARTS = {
    "postgres": {"table", "TOAST", "indexes"},
    "mariadb": {"rows with the primary key", "other indexes"},
    "mysql": {"rows with the primary key", "other indexes"},
    "mongodb": {"documents", "indexes"},
    "cassandra": {"SSTables"},
}
WITH_LOG = {"postgres", "mariadb", "mysql"}
SHAPE, COUNT = (64, 64, 3), 60
PIXELS = 64 * 64 * 3 * COUNT


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", PARTS)
def test_parts_add_up_to_the_store_and_the_log_is_apart(name: str) -> None:
    credentials.hold(server(name).variables)
    kind = registry.backends.get(recipe(name).backend)
    assert issubclass(kind, ServerBackend)
    setup = StoreSetup.of(f"{kind.name}+raw")
    location = setup.make(kind.address()[0].child(f"parts_{os.getpid()}"), setup.material([SHAPE] * COUNT))
    try:
        registry.with_defaults(kind).drain(location)
        usage = setup.backend.disk_usage(location)
    finally:
        setup.backend.destroy(location)
    parts = dict(usage.parts)
    assert set(parts) == PARTS[name]
    allocated = usage.allocated_bytes
    assert allocated is not None
    # MySQL's file grows by megabytes, ahead of what is in it.
    assert 0.5 * PIXELS <= sum(parts.values()) <= allocated
    assert sum(size for part, size in parts.items() if "index" not in part.split()[-1]) >= 0.5 * PIXELS
    if name in WITH_LOG:
        assert usage.server_log_bytes is not None
        assert usage.server_log_bytes >= 2**20
    else:
        assert usage.server_log_bytes is None
