"""MySQL and MariaDB, both for real."""

from __future__ import annotations

import pytest

pytest.importorskip("pymysql", reason="pymysql is not installed (extra mysql)")

from imgstore_tui.testing.conformance_server import ServerConformance
from tests.support.servers import server


class TestMariadb(ServerConformance):
    backend = "mysql"

    @pytest.fixture
    def server_url(self) -> str:
        return server("mariadb").url


class TestMysql(ServerConformance):
    backend = "mysql"

    @pytest.fixture
    def server_url(self) -> str:
        return server("mysql").url
