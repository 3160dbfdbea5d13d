"""Stores in object storage: two servers of the S3 API, and the emulators of Google's and Azure's."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("obstore", reason="obstore is not installed (extra s3)")

from imgstore_tui.core.location import ServerLocation
from imgstore_tui.testing.conformance_server import ServerConformance
from tests.support.servers import server

NOWHERE = "http://127.0.0.1:1"


class ObjectConformance(ServerConformance):
    """What holds for every server, with the layout of an object per image beside the presets."""

    recipe: str
    codecs = ("raw", "png")  # arrays and payloads; every request costs milliseconds

    def nowhere(self, location: ServerLocation) -> ServerLocation:
        others = tuple(pair for pair in location.parameters if pair[0] != "endpoint")
        return replace(location, parameters=(*others, ("endpoint", NOWHERE)))

    @pytest.fixture
    def server_url(self) -> str:
        return server(self.recipe).url


class TestSeaweedfs(ObjectConformance):
    backend = "s3"
    recipe = "seaweedfs"
    more = ("s3+png:layout=object,concurrency=8",)


class TestS3Proxy(ObjectConformance):
    backend = "s3"
    recipe = "s3proxy"


class TestFakeGcs(ObjectConformance):
    backend = "gcs"
    recipe = "fake-gcs"


class TestAzurite(ObjectConformance):
    backend = "azure"
    recipe = "azurite"
