"""Finds out which product answers at an address: by the headers of an answer to a request without a key."""

from __future__ import annotations

import functools
import http.client
import ipaddress
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from imgstore_tui.storekit.server import CONNECT_S

UNKNOWN = "unknown"
_PRINTABLE = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Product:
    """What a server says that it is."""

    name: str
    version: str
    emulator: bool = False
    """Whether it only imitates the service, for tests: its speed says nothing of it."""
    durable: bool = False
    """Whether its maker promises that what it acknowledges is on its devices."""


@functools.lru_cache(maxsize=64)
def headers(url: str) -> Mapping[str, str]:
    """Return the headers of the answer to a GET without a key, names in small letters; empty if there is none."""
    if urlsplit(url).scheme not in ("http", "https"):
        return {}
    try:
        with urllib.request.urlopen(url, timeout=CONNECT_S) as answer:  # noqa: S310 - the scheme was checked
            found = answer.headers
    except urllib.error.HTTPError as error:
        found = error.headers
        error.close()
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    return {name.lower(): _PRINTABLE.sub("?", str(value))[:120] for name, value in found.items()}


def same_host(url: str) -> bool | None:
    """Whether an address is of this machine; None if its name is not known."""
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)[0]
    except (OSError, ValueError, IndexError):
        return None
    address = str(found[4][0])
    if ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        return True
    try:
        with socket.socket(found[0], socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
