"""Downloading CIFAR: the one thing here that uses the network, and only when it is asked to."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.core.errors import DataError, UnavailableError, UsageError, unknown_name
from imgstore_tui.core.units import format_bytes
from imgstore_tui.datasets.cifar.layout import CIFAR10, CIFAR100
from imgstore_tui.storekit.atomic_write import atomic_file

BASE_URL = "https://www.cs.toronto.edu/~kriz/"
"""Where the makers of CIFAR publish it."""
BASE_VARIABLE = "IMGSTORE_TUI_CIFAR_URL"
"""Environment variable that names another place with the same files: a mirror at hand."""
TIMEOUT_S = 30.0
"""A server that says nothing for so long is given up."""
LARGEST_BYTES = 1 << 30
"""No archive of CIFAR is nearly as large."""

_PIECE = 1 << 20
_ARCHIVES = {"cifar10": ("cifar-10-python.tar.gz", CIFAR10), "cifar100": ("cifar-100-python.tar.gz", CIFAR100)}

FetchProgress = Callable[[int, int | None], None]
"""Called with bytes received and bytes in all (None: the server did not say)."""


@dataclass(frozen=True, slots=True)
class Download:
    """What is to be fetched, from where, and where to."""

    url: str
    destination: Path
    md5: str


def plan_download(name: str, folder: Path, environment: dict[str, str] | None = None) -> Download:
    """Return what fetching a dataset means; nothing is touched yet.

    Args:
        name: ``cifar10`` or ``cifar100``.
        folder: Folder for the archive.
        environment: Where ``BASE_VARIABLE`` is looked up; None for that of the process.

    Raises:
        UsageError: If there is no such dataset to fetch, no such folder, or the other place is no web address.
    """
    if name not in _ARCHIVES:
        raise unknown_name("dataset to fetch", name, _ARCHIVES)
    archive, layout = _ARCHIVES[name]
    base = (environment if environment is not None else os.environ).get(BASE_VARIABLE, BASE_URL)
    parts = urllib.parse.urlsplit(base)
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc:  # an address is shown: no password may stand in it
        raise UsageError(f"{BASE_VARIABLE} must be an address that begins with https:// or http:// and names no user.")
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder. Make it, or name another with --to.")
    return Download(base.rstrip("/") + "/" + archive, folder / archive, layout.archives[archive])


def is_downloaded(wanted: Download) -> bool:
    """Tell whether the archive has been fetched before, whole.

    Raises:
        DataError: If something else lies there.
    """
    if not wanted.destination.exists():
        return False
    if wanted.destination.is_file():
        with wanted.destination.open("rb") as file:
            if hashlib.file_digest(file, _md5).hexdigest() == wanted.md5:
                return True
    raise DataError(
        f"{wanted.destination} is there already and is not the archive. Move it away, or name another --to."
    )


def fetch(wanted: Download, progress: FetchProgress) -> None:
    """Download the archive: afterwards it is there whole and checked, or not at all.

    Raises:
        UnavailableError: If the network or the server does not give it.
        DataError: If what came is not the archive that is published.
        OSError: If it cannot be written.
    """
    with atomic_file(wanted.destination, partial_name=f".{wanted.destination.name}.part") as file:
        _receive(wanted, file.write, progress)


def _receive(wanted: Download, write: Callable[[bytes], int], progress: FetchProgress) -> None:
    digest = _md5()
    done = 0
    with _opened(wanted.url) as answer:
        length = answer.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        progress(0, total)
        while piece := _piece(answer, wanted.url):
            done += len(piece)
            if done > LARGEST_BYTES:
                raise DataError(f"{wanted.url} does not end after {format_bytes(LARGEST_BYTES)}; nothing was kept.")
            digest.update(piece)
            write(piece)
            progress(done, total)
    if total is not None and done < total:
        raise UnavailableError(
            f"The connection broke after {format_bytes(done)} of {format_bytes(total)}; nothing was kept. Try again."
        )
    if digest.hexdigest() != wanted.md5:
        raise DataError(
            f"{wanted.url} gave {format_bytes(done)} with another checksum than published; nothing was kept."
        )


def _opened(url: str) -> http.client.HTTPResponse:
    try:
        # The address begins with http: plan_download has seen to it.
        answer: http.client.HTTPResponse = urllib.request.urlopen(url, timeout=TIMEOUT_S)  # noqa: S310
    except urllib.error.HTTPError as error:
        with contextlib.closing(error):
            raise UnavailableError(f"{url} is not to be had: the server answers {error.code} {error.reason}.") from None
    except urllib.error.URLError as error:
        raise _no_way(url, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise _no_way(url, error) from None
    return answer


def _piece(answer: http.client.HTTPResponse, url: str) -> bytes:
    try:
        return answer.read(_PIECE)
    except (OSError, http.client.HTTPException) as error:
        raise _no_way(url, error) from None


def _no_way(url: str, reason: object) -> UnavailableError:
    words = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return UnavailableError(f"{url} cannot be reached: {str(words).rstrip('.')}. Check the network, then try again.")


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)
