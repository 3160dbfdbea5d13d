"""A small TCP proxy on a loopback port that passes bytes on, late, not at all, or until it resets the connection."""

from __future__ import annotations

import contextlib
import queue
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator

RESEND_S = 0.2
"""After this time Linux sends again what was not acknowledged, at least (TCP_RTO_MIN)."""


class _Line:
    """Passes pieces on in their order, each some time after it came, as a long line does."""

    def __init__(self, target: socket.socket) -> None:
        self._target = target
        self._pieces: queue.Queue[tuple[float, bytes]] | None = None
        self._thread: threading.Thread | None = None

    def send(self, data: bytes, delay_s: float) -> None:
        if not delay_s and self._pieces is None:
            self._target.sendall(data)
            return
        if self._pieces is None:
            self._pieces = queue.Queue(1024)
            self._thread = threading.Thread(target=self._run, args=(self._pieces,), daemon=True)
            self._thread.start()
        self._pieces.put((time.monotonic() + delay_s, data))

    def _run(self, pieces: queue.Queue[tuple[float, bytes]]) -> None:
        while data := (piece := pieces.get())[1]:
            time.sleep(max(0.0, piece[0] - time.monotonic()))
            with contextlib.suppress(OSError):
                self._target.sendall(data)

    def close(self) -> None:
        """Let what is on its way arrive."""
        if self._pieces is not None and self._thread is not None:
            self._pieces.put((0.0, b""))
            self._thread.join()


class TcpProxy:
    """What it does can be changed while it runs; it counts the connections that it has reset."""

    def __init__(self, port: int) -> None:
        self.delay_s = 0.0
        """How long each piece of what is sent either way is on its way; any number of them at a time."""
        self.loss = 0.0
        """Share of the pieces that get lost once, and are sent again after ``RESEND_S``: what follows them waits."""
        self.cut_after: int | None = None
        """Bytes from a client after which its connection is reset; None for never."""
        self.cuts = 10**9
        """How many connections are reset at most."""
        self.silent = False
        """Whether what a client sends is taken, and nothing is passed on."""
        self.replaced: tuple[bytes, bytes] | None = None
        """Bytes in what is sent either way, and what they are passed on as."""
        self.connections = 0
        """How many clients have connected."""
        self.reset = 0
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self._lock = threading.Lock()
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                self.connections += 1
                try:
                    server = socket.create_connection(("127.0.0.1", self._upstream))
                except OSError:
                    client.close()
                    continue
                for one in (client, server):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [client, server]
                threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, from_client: bool) -> None:
        passed, line = 0, _Line(target)
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                passed += len(data)
                if from_client and self._cuts(passed):
                    # Closing with a linger time of zero resets the connection.
                    source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                if self.replaced is not None:
                    data = data.replace(*self.replaced)
                if not (from_client and self.silent):
                    line.send(data, self.delay_s + (RESEND_S if random.random() < self.loss else 0.0))
        line.close()
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _cuts(self, passed: int) -> bool:
        with self._lock:
            if self.cut_after is None or passed <= self.cut_after or self.cuts <= 0:
                return False
            self.cuts -= 1
            self.reset += 1
            return True

    def close(self) -> None:
        """End all connections."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextlib.contextmanager
def tcp_proxy(port: int) -> Iterator[TcpProxy]:
    """Run a proxy before a loopback port."""
    proxy = TcpProxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
