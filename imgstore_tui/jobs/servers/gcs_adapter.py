"""Stands before fake-gcs-server: ``python -m imgstore_tui.jobs.servers.gcs_adapter PORT UPSTREAM_PORT``.

Clients put objects by the XML API. The emulator takes such a PUT only when it looks like one by a signed URL, and
leaves the entity tag and the generation out of the headers of its answer. Both are mended here; all else passes as it
is.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_LOOPBACK = "127.0.0.1"
_JSON_API = ("/upload/", "/storage/", "/_internal", "/download/")
_OWN_HEADERS = ("content-length", "transfer-encoding", "connection", "date", "server")
_connections = threading.local()


class Adapter(BaseHTTPRequestHandler):
    """One connection of a client."""

    upstream = 0
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name in the base class
        """Say nothing."""

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, is_put = self.path, self.command == "PUT" and not self.path.startswith(_JSON_API)
        if is_put:
            path += f"{'&' if '?' in path else '?'}X-Goog-Algorithm=x"
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in ("content-length", "connection")
        }
        answer, data = self._ask(path, body, headers)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OWN_HEADERS:
                self.send_header(name, value)
        if is_put and answer.status == 200:
            made = json.loads(data)
            self.send_header("ETag", f'"{made["etag"]}"')
            self.send_header("x-goog-generation", made["generation"])
            data = b""
        length = answer.getheader("Content-Length") or "0" if self.command == "HEAD" else str(len(data))
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _ask(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        connection = getattr(_connections, "to_emulator", None)
        if connection is None:
            connection = _connections.to_emulator = http.client.HTTPConnection(_LOOPBACK, self.upstream)
        connection.request(self.command, path, body, headers)
        answer = connection.getresponse()
        return answer, answer.read()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = _pass_on  # noqa: N815 - the names in the base class


def main() -> None:
    """Serve until the process is ended."""
    port, Adapter.upstream = int(sys.argv[1]), int(sys.argv[2])
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer.request_queue_size = 128
    ThreadingHTTPServer((_LOOPBACK, port), Adapter).serve_forever()


if __name__ == "__main__":
    main()
