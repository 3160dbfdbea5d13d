"""A server and its backend as a third party would add them: one file, outside the package, offered by an entry point.

``python -m tests.outside.shelf`` is the server: it keeps named blobs in memory and asks for a password. A store is one
blob: its manifest, where each payload ends and what its label is, then the payloads.
"""

from __future__ import annotations

import base64
import http.client
import json
import sys
import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, unquote, urlsplit

import numpy as np

from imgstore_tui.core import credentials
from imgstore_tui.core.backend import (
    Capabilities,
    Content,
    DiskUsage,
    Durability,
    DurableBy,
    Family,
    PayloadKind,
    Preset,
    Reader,
    Writer,
)
from imgstore_tui.core.errors import StoreError, UnavailableError, UnsupportedError
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.manifest import check_complete, check_ids, check_put, read_manifest, write_manifest
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.server import CONNECT_S, ServerBackend, begin_server_store, check_named

# The backend


def ask(backend: ServerBackend, location: ServerLocation, method: str, body: bytes = b"", **query: str) -> bytes | None:
    """Send one request; None for what is not there."""
    words = f"{backend.user(location)}:{backend.password(location) or ''}".encode()
    path = f"/{quote(location.database)}/{quote(location.name, safe='')}"
    path += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    connection = http.client.HTTPConnection(location.host, location.port or 80, timeout=CONNECT_S)
    try:
        connection.request(method, path, body, {"Authorization": f"Basic {base64.b64encode(words).decode()}"})
        answer = connection.getresponse()
        data = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(credentials.scrub(f"The shelf at {location.place} does not answer: {error}.")) from None
    finally:
        connection.close()
    if answer.status == 401:
        raise UnavailableError(f"The shelf at {location.place} refuses the password.")
    if answer.status == 409:
        raise StoreError(f"{location} cannot have that name: something is there already.")
    return None if answer.status == 404 else data


class ShelfWriter(Writer):
    """Keeps everything until ``close`` sends it at once: before that there is nothing on the server."""

    def __init__(self, backend: ServerBackend, location: ServerLocation, content: Content) -> None:
        self._backend, self._location, self._content = backend, location, content
        self._payloads: list[bytes] | None = []
        self._labels: list[int] = []

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Any) -> None:
        check_put(self._location, self._content, len(self._labels), ids, payloads, labels)
        if self._payloads is None:
            raise StoreError(f"{self._location} is closed.")
        self._payloads += payloads
        self._labels += [int(label) for label in labels]

    def close(self) -> None:
        payloads, self._payloads = self._payloads, None
        if payloads is None:
            return
        check_complete(self._location, self._content, len(self._labels))
        ends = np.cumsum([len(payload) for payload in payloads], dtype="<i8")
        table = np.array([ends, self._labels], "<i8").tobytes()
        manifest = write_manifest("shelf", self._content).encode()
        self.requests += 1
        ask(self._backend, self._location, "PUT", b"\n".join([manifest, table + b"".join(payloads)]))

    def abort(self) -> None:
        self._payloads = None


class ShelfReader(Reader):
    def __init__(self, backend: ServerBackend, location: ServerLocation) -> None:
        self._location = location
        blob = ask(backend, location, "GET")
        self.requests = 1
        if blob is None:
            raise StoreError(f"{location} does not exist.")
        manifest, _, rest = blob.partition(b"\n")
        self.content, _ = read_manifest(manifest, "shelf", location)
        size = 16 * self.content.count
        table = np.frombuffer(rest[:size], "<i8").reshape(2, -1)
        self._bounds = np.concatenate(([0], table[0])).tolist()
        self._labels, self._data = table[1], rest[size:]

    def read_bytes(self, ids: Sequence[int], labels: Any) -> list[bytes]:
        check_ids(self._location, self.content.count, ids)
        self.requests += 1
        payloads = []
        for position, image_id in enumerate(ids):
            labels[position] = self._labels[image_id]
            payloads.append(self._data[self._bounds[image_id] : self._bounds[image_id + 1]])
        return payloads

    def read_labels(self) -> Any:
        return np.array(self._labels)

    def close(self) -> None:
        self._data = b""


class Shelf(ServerBackend):
    """A blob a store."""

    name = "shelf"
    title = "A shelf of blobs"
    family = Family.OBJECT
    payloads = frozenset({PayloadKind.BYTES})
    default_codec = "png"
    capabilities = Capabilities(server=True)
    schemes = ("shelf",)
    url_variable = "IMGSTORE_SHELF_URL"
    presets = (Preset("tuned", "There is one way to keep a shelf."),)
    caveats = "It forgets everything when it stops."
    when_to_choose = "When a test needs a server that this package does not know."

    def create(self, location: ServerLocation, content: Content, sync: SyncLevel) -> Writer:
        if sync is SyncLevel.BATCH:
            raise UnsupportedError("Backend shelf sends a store at its end, so it cannot sync batch by batch.")
        begin_server_store(self, location, content)
        if self.exists(location):
            raise StoreError(f"{location} exists already.")
        return ShelfWriter(self, location, content)

    def open(self, location: ServerLocation) -> Reader:
        return ShelfReader(self, location)

    def exists(self, location: ServerLocation) -> bool:
        return ask(self, location, "HEAD") is not None

    def disk_usage(self, location: ServerLocation) -> DiskUsage:
        blob = ask(self, location, "GET")
        if blob is None:
            raise StoreError(f"{location} does not exist.")
        return DiskUsage(len(blob), None, None)

    def durability(self, location: ServerLocation, sync: SyncLevel) -> Durability:
        return Durability(DurableBy.NOTHING, "The shelf keeps everything in memory, so nothing is durable.")

    def destroy(self, location: ServerLocation) -> None:
        check_named(location)
        ask(self, location, "DELETE")

    def facts(self, place: ServerLocation) -> ServerFacts:
        version = ask(self, place.place, "GET", about="version") or b""
        return ServerFacts(self.name, "Shelf", version.decode(), place.place.public(), True)

    def list_stores(self, place: ServerLocation, prefix: str) -> Sequence[ServerLocation]:
        names = json.loads(ask(self, place.place, "GET", prefix=prefix) or b"[]")
        return [place.place.child(name) for name in names]

    def drain(self, location: ServerLocation) -> None:
        """Do nothing: nothing is held back."""

    def ping(self, location: ServerLocation) -> float:
        began = time.perf_counter()
        ask(self, location.place, "GET", about="version")
        return time.perf_counter() - began

    def deliver(self, staged: ServerLocation, final: ServerLocation, *, replace: bool) -> None:
        try:
            ask(self, staged, "POST", to=final.name, replace=str(int(replace)))
        except StoreError:
            raise StoreError(f"{final} exists already.") from None


# The server


class Handler(BaseHTTPRequestHandler):
    """Answers one request; the blobs of all are behind one lock."""

    blobs: ClassVar[dict[str, bytes]] = {}
    lock = threading.Lock()
    secret = ""

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = base64.b64decode(self.headers.get("Authorization", "Basic ").partition(" ")[2]).decode()
        parts = urlsplit(self.path)
        name = unquote(parts.path.split("/", 2)[2])
        query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if given != self.secret:
            self._answer(401)
            return
        with self.lock:
            self._answer(*self._do(name, query, body))

    def _do(self, name: str, query: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if "about" in query:
            return 200, b"1.0"
        if "prefix" in query:
            return 200, json.dumps([key for key in sorted(self.blobs) if key.startswith(query["prefix"])]).encode()
        if self.command == "PUT":
            self.blobs[name] = body
        elif name not in self.blobs:
            return 404, b""
        elif self.command == "DELETE":
            del self.blobs[name]
        elif self.command == "POST":
            if query["to"] in self.blobs and query["replace"] == "0":
                return 409, b""
            self.blobs[query["to"]] = self.blobs.pop(name)
        return 200, self.blobs.get(name, b"") if self.command == "GET" else b""

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _handle

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until killed; the first line on standard output is the port."""
    Handler.secret = sys.argv[1]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
