"""The test file of a third party's package with a server; run by ``test_shelf`` with the package on the path."""

from __future__ import annotations

import os

import pytest

from imgstore_tui.testing.conformance_server import ServerConformance


class TestShelf(ServerConformance):
    backend = "shelf"

    @pytest.fixture
    def server_url(self) -> str:
        return os.environ["SHELF_FOR_TESTS"]
