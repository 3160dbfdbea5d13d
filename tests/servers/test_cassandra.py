"""Apache Cassandra, against a real node that the tests start."""

from __future__ import annotations

import pytest

pytest.importorskip("cassandra", reason="cassandra is not installed (extra cassandra)")

from imgstore_tui.testing.conformance_server import ServerConformance
from tests.support.servers import server


class TestCassandra(ServerConformance):
    backend = "cassandra"

    @pytest.fixture
    def server_url(self) -> str:
        return server("cassandra").url
