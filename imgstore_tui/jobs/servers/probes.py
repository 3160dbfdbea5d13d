"""Chooses free ports of the loopback address, and asks servers there whether they answer."""

from __future__ import annotations

import contextlib
import random
import socket
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence

LOOPBACK = "127.0.0.1"
_PORTS = range(20_000, 32_000)
"""Below the ports that the kernel hands out to clients."""
_ANSWER_S = 2.0


def free_ports(names: Sequence[str], offsets: Iterable[int] = ()) -> dict[str, int]:
    """Return a free port for each name; those at the given distances above it are free too.

    All of them, those at a distance as well, are below the ports that the kernel hands out to clients.
    """
    offsets = tuple(offsets)
    bases = range(_PORTS.start - max(offsets, default=0), _PORTS.stop - max(offsets, default=0))
    chosen: dict[str, int] = {}
    taken: set[int] = set()
    for name in names:
        while True:
            port = random.choice(bases)  # noqa: S311 - nothing relies on it being hard to guess
            numbers = {port, *(port + offset for offset in offsets)}
            if not numbers & taken and all(map(_is_free, numbers)):
                break
        chosen[name] = port
        taken |= numbers
    return chosen


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    """Whether something listens on a port."""
    try:
        socket.create_connection((LOOPBACK, port), _ANSWER_S).close()
    except OSError:
        return False
    return True


def replies(port: int, request: bytes = b"", beginning: bytes = b"") -> bool:
    """Whether a port answers.

    Args:
        port: The port.
        request: What is sent; nothing to a server that greets first.
        beginning: What the answer begins with; whatever it is, there must be one.
    """
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), _ANSWER_S) as connection:
        connection.settimeout(_ANSWER_S)
        connection.sendall(request)
        answer = connection.recv(max(len(beginning), 5))
        return bool(answer) and answer.startswith(beginning)
    return False


def http_status(
    port: int, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None,
    *, limit_s: float = _ANSWER_S,
) -> int | None:  # fmt: skip
    """Send a request to a port and return the status of the answer, None if there is none within a time."""
    request = urllib.request.Request(f"http://{LOOPBACK}:{port}{path}", body, dict(headers or {}), method=method)
    try:
        with _DIRECT.open(request, timeout=limit_s) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Past any proxy that the environment names."""
