"""Downloads CIFAR on the user's request."""

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
"""Address at which the authors of CIFAR publish it."""
BASE_VARIABLE = "IMGSTORE_TUI_CIFAR_URL"
"""Environment variable with the address of a mirror."""
TIMEOUT_S = 30.0
"""Seconds without data after which a server is given up."""
LARGEST_BYTES = 1 << 30
"""Limit of a download; the archives of CIFAR are far smaller."""

_PIECE = 1 << 20
_ARCHIVES = {"cifar10": ("cifar-10-python.tar.gz", CIFAR10), "cifar100": ("cifar-100-python.tar.gz", CIFAR100)}

FetchProgress = Callable[[int, int | None], None]
"""Called with the bytes received and the total (None if the server does not send it)."""


@dataclass(frozen=True, slots=True)
class Download:
    """A planned download: source, destination, checksum."""

    url: str
    destination: Path
    md5: str


def plan_download(name: str, folder: Path, environment: dict[str, str] | None = None) -> Download:
    """Return the download of a dataset, without starting it.

    Args:
        name: ``cifar10`` or ``cifar100``.
        folder: Folder for the archive.
        environment: Environment with ``BASE_VARIABLE``; None for that of the process.

    Raises:
        UsageError: If there is no such dataset or folder, or the address of the mirror is not valid.
    """
    if name not in _ARCHIVES:
        raise unknown_name("dataset to fetch", name, _ARCHIVES)
    archive, layout = _ARCHIVES[name]
    base = (environment if environment is not None else os.environ).get(BASE_VARIABLE, BASE_URL)
    parts = urllib.parse.urlsplit(base)
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc:  # the address is shown, so it may hold no password
        raise UsageError(f"{BASE_VARIABLE} must be an address that begins with https:// or http:// and names no user.")
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder. Make it, or name another with --to.")
    return Download(base.rstrip("/") + "/" + archive, folder / archive, layout.archives[archive])


def is_downloaded(download: Download) -> bool:
    """Return whether the archive is already at the destination, complete.

    Raises:
        DataError: If something else is there.
    """
    if not download.destination.exists():
        return False
    if download.destination.is_file():
        with download.destination.open("rb") as file:
            if hashlib.file_digest(file, _md5).hexdigest() == download.md5:
                return True
    raise DataError(
        f"{download.destination} is there already and is not the archive. Move it away, or name another --to."
    )


def fetch(download: Download, progress: FetchProgress) -> None:
    """Download the archive; afterwards it is at the destination complete and checked, or not at all.

    Args:
        download: The download.
        progress: Called with the progress.

    Raises:
        UnavailableError: If the network or the server fails.
        DataError: If the checksum is not the published one, or the download does not end.
        OSError: If the archive cannot be written.
    """
    with atomic_file(download.destination, partial_name=f".{download.destination.name}.part") as file:
        _receive(download, file.write, progress)


def _receive(download: Download, write: Callable[[bytes], int], progress: FetchProgress) -> None:
    digest = _md5()
    done = 0
    with _open(download.url) as response:
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        progress(0, total)
        while piece := _read_piece(response, download.url):
            done += len(piece)
            if done > LARGEST_BYTES:
                raise DataError(f"{download.url} does not end after {format_bytes(LARGEST_BYTES)}; nothing was kept.")
            digest.update(piece)
            write(piece)
            progress(done, total)
    if total is not None and done < total:
        raise UnavailableError(
            f"The connection broke after {format_bytes(done)} of {format_bytes(total)}; nothing was kept. Try again."
        )
    if digest.hexdigest() != download.md5:
        raise DataError(
            f"{download.url} gave {format_bytes(done)} with another checksum than published; nothing was kept."
        )


def _open(url: str) -> http.client.HTTPResponse:
    try:
        # plan_download has checked that the address begins with http.
        response: http.client.HTTPResponse = urllib.request.urlopen(url, timeout=TIMEOUT_S)  # noqa: S310
    except urllib.error.HTTPError as error:
        with contextlib.closing(error):
            raise UnavailableError(f"{url} is not to be had: the server answers {error.code} {error.reason}.") from None
    except urllib.error.URLError as error:
        raise _unreachable(url, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, error) from None
    return response


def _read_piece(response: http.client.HTTPResponse, url: str) -> bytes:
    try:
        return response.read(_PIECE)
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(url, error) from None


def _unreachable(url: str, reason: object) -> UnavailableError:
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return UnavailableError(f"{url} cannot be reached: {str(text).rstrip('.')}. Check the network, then try again.")


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)
