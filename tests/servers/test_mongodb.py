"""MongoDB, against a real server that the tests start."""

from __future__ import annotations

import pytest

pytest.importorskip("pymongo", reason="pymongo is not installed (extra mongodb)")

from imgstore_tui.testing.conformance_server import ServerConformance
from tests.support.servers import server


class TestMongodb(ServerConformance):
    backend = "mongodb"

    @pytest.fixture
    def server_url(self) -> str:
        return server("mongodb").url
