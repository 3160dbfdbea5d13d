"""Azurite, an emulator of Azure Blob Storage, from npm."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.jobs.servers import places
from imgstore_tui.jobs.servers.downloads import NpmPackage
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.jobs.servers.probes import accepts, http_status
from imgstore_tui.jobs.servers.recipe import Process, Programs, ServerRecipe

VERSION = "3.35.0"
"""The last that runs on Node.js 20."""
ACCOUNT = "devstoreaccount1"
# The key is the same in every Azurite, and published with it: it protects nothing.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
CONTAINER = "images"
_API = "2021-12-02"


class AzuriteRecipe(ServerRecipe):
    """Its blob service alone."""

    name = "azurite"
    backend = "azure"
    title = "Azurite"
    emulator = True
    how_to_get = "imgstore-tui servers fetch azurite, and apt-get install nodejs"
    download = NpmPackage(f"Azurite {VERSION}", f"azurite-{VERSION}", 50_000_000, "MIT", f"azurite@{VERSION}")

    def programs(self) -> Programs | None:
        """Look for the package and for Node.js."""
        main = places.downloaded(f"azurite-{VERSION}/node_modules/azurite/dist/src/blob/main.js")
        node_program = places.on_path("node")
        return None if main is None or node_program is None else {"node": node_program, "main": main}

    def prepare(self, node: Node) -> None:
        """Make the folder of its objects."""
        node.make_folder("data")

    def processes(self, node: Node) -> Sequence[Process]:
        """Start it; objects are kept in files as by default, or in memory."""
        kept = ["--inMemoryPersistence"] if node.fast else ["--location", node.folder / "data"]
        return [
            Process(
                [
                    node.programs["node"], node.programs["main"], "--blobHost", "127.0.0.1", "--blobPort",
                    str(node.port), *kept, "--silent", "--skipApiVersionCheck", "--disableTelemetry",
                ]
            )
        ]  # fmt: skip

    def answers(self, node: Node) -> bool:
        """Whether it listens."""
        return accepts(node.port)

    def populate(self, node: Node) -> None:
        """Make the container by a signed request."""
        date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        signed = (
            f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:{_API}\n/{ACCOUNT}/{ACCOUNT}/{CONTAINER}\n"
            "restype:container"
        )
        digest = hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest()
        headers = {
            "x-ms-date": date,
            "x-ms-version": _API,
            "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}",
        }
        path = f"/{ACCOUNT}/{CONTAINER}?restype=container"
        if http_status(node.port, path, "PUT", headers=headers) not in (201, 409):
            raise UnavailableError("Azurite does not make a container.")

    def variables(self, node: Node) -> Mapping[str, str]:
        """Return the address, with the key."""
        query = f"account={ACCOUNT}&endpoint=http://127.0.0.1:{node.port}/{ACCOUNT}&account_key={quote(KEY, safe='')}"
        return {"IMGSTORE_AZURE_URL": f"az://{CONTAINER}?{query}"}
