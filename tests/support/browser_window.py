"""A window of ``imgstore-tui web`` without a browser: the websocket that a page opens, as bytes. Source: RFC 6455."""

from __future__ import annotations

import base64
import http.client
import json
import os
import select
import socket
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class BrowserWindow:
    """One window: what it received so far, and what it sends, well formed or not."""

    def __init__(self, address: str, columns: int = 80, rows: int = 24) -> None:
        """Open the page with its token, then the websocket.

        Args:
            address: What the server has printed.
            columns: Width of the window.
            rows: Height of the window.
        """
        parts = urlsplit(address)
        host, port = str(parts.hostname), int(parts.port or 80)
        page = http.client.HTTPConnection(host, port, timeout=30)
        page.request("GET", f"/?{parts.query}")
        cookie = str(page.getresponse().getheader("Set-Cookie")).partition(";")[0]
        page.close()
        self._socket = socket.create_connection((host, port), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        self._socket.sendall(
            f"GET /ws?width={columns}&height={rows} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Origin: http://{host}:{port}\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            data = self._socket.recv(1)
            assert data, head
            head += data
        assert head.startswith(b"HTTP/1.1 101"), head
        self.received = b""
        """All that came, with the heads of its frames."""
        self.closed = False
        """Whether the server has closed the connection."""

    def press(self, keys: str) -> None:
        """Send keys as the page does."""
        self.say(["stdin", keys])

    def say(self, message: object) -> None:
        """Send a message of the page's protocol."""
        self.frame(TEXT, json.dumps(message).encode())

    def frame(self, kind: int, data: bytes) -> None:
        """Send a frame of a kind."""
        mask = os.urandom(4)
        if len(data) < 126:
            head = bytes([0x80 | kind, 0x80 | len(data)])
        elif len(data) < 1 << 16:
            head = bytes([0x80 | kind, 0x80 | 126]) + len(data).to_bytes(2, "big")
        else:
            head = bytes([0x80 | kind, 0x80 | 127]) + len(data).to_bytes(8, "big")
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        self.send_bytes(head + mask + masked)

    def send_bytes(self, data: bytes) -> None:
        """Send what need be no frame; a server that has closed takes none."""
        try:
            self._socket.sendall(data)
        except OSError:
            self.closed = True

    def read(self, seconds: float) -> bool:
        """Take in what comes within so long; return whether there was anything."""
        if self.closed or not select.select([self._socket], [], [], seconds)[0]:
            return False
        try:
            data = self._socket.recv(1 << 16)
        except OSError:
            data = b""
        self.closed = not data
        self.received += data
        return bool(data)

    def until(self, words: Sequence[bytes] | bytes, seconds: float = 60) -> None:
        """Wait until any of some words was received."""
        choices = [words] if isinstance(words, bytes) else words
        deadline = time.monotonic() + seconds
        while not any(choice in self.received for choice in choices):
            assert time.monotonic() < deadline, self.received[-2000:]
            assert not self.closed, self.received[-2000:]
            self.read(0.1)

    def close(self) -> None:
        """Close the connection without a word, as a browser that is killed does."""
        self._socket.close()
        self.closed = True
