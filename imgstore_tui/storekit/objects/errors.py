"""Turns a request that failed into a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imgstore_tui.core.errors import StoreError, UnavailableError
from imgstore_tui.storekit.objects.driver import Cause, RequestError

if TYPE_CHECKING:
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.objects.backend import ObjectBackend


@contextlib.contextmanager
def said(backend: ObjectBackend, location: ServerLocation, doing: str) -> Iterator[None]:
    """Turn the errors of requests into a sentence.

    Args:
        backend: Whose store it is.
        location: The store, or the place of stores.
        doing: What cannot be done to it, e.g. ``written``.

    Raises:
        UnavailableError: If the server does not answer, refuses, or lacks the bucket.
        StoreError: For everything else.
    """
    try:
        yield
    except RequestError as error:
        raise _sentence(backend, location, doing, error) from None


def _sentence(
    backend: ObjectBackend, location: ServerLocation, doing: str, error: RequestError
) -> StoreError | UnavailableError:
    where, more = backend.server_text(location), f" ({error.detail})" if error.detail else ""
    match error.cause:
        case Cause.DOWN:
            return UnavailableError(f"{where} does not answer{more}. Start it, or correct the address.")
        case Cause.NO_BUCKET:
            return UnavailableError(
                f"{where} has no {backend.bucket_word} '{location.database}'. Create it, or name another."
            )
        case Cause.DENIED:
            return UnavailableError(f"{where} refuses{more}: {location} cannot be {doing}. {backend.key_help}")
        case Cause.NO_CREDENTIALS:
            return UnavailableError(f"{where} needs a key, and there is none. {backend.key_help}")
        case Cause.SILENT:
            return UnavailableError(f"{location} cannot be {doing}: {where} has not answered in time.")
        case Cause.FULL:
            return StoreError(f"{location} cannot be {doing}: the server has no room left{more}. Make room there.")
        case Cause.CHANGED:
            return StoreError(f"{location} cannot be {doing}: another process has changed it meanwhile{more}.")
        case Cause.MISSING:
            return StoreError(f"{location} cannot be {doing}: an object of it is missing{more}.")
        case _:
            return StoreError(f"{location} cannot be {doing}: {error}.")
