"""Words what goes wrong between a backend and its server: the same sentences, whatever its driver says."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias

from imgstore_tui.core.errors import ImgstoreError, StoreError, UnavailableError

if TYPE_CHECKING:
    from imgstore_tui.core.location import ServerLocation

_ERROR_NUMBER = re.compile(r"\[Errno -?\d+\] ")
LOCK_S = 10
"""A table that somebody holds for longer is not waited for."""
LOCK_WAIT_S = 2
"""How long a writer's lock on a name is asked for: a server gives it up some time after the connection has ended."""


class Failure(Enum):
    """Why a statement or request has failed."""

    MISSING = auto()
    EXISTS = auto()
    CHANGED = auto()
    """Another process was quicker."""
    LOCKED = auto()
    """Another process holds what it needs."""
    FULL = auto()
    FORBIDDEN = auto()
    SILENT = auto()
    """The server is there, but does not answer in time."""
    STOPPED = auto()
    GONE = auto()
    """The connection is lost."""
    OTHER = auto()


Classified: TypeAlias = tuple[Failure, str]
"""Why something has failed, and what the driver says, without a secret and the full stop."""
ErrorContext: TypeAlias = Callable[["ServerLocation", str], contextlib.AbstractContextManager[None]]


def errors_as_sentences(
    kinds: tuple[type[Exception], ...], classify: Callable[[Exception], Classified]
) -> ErrorContext:
    """Return a context in which a driver's errors become a sentence.

    Args:
        kinds: What the driver raises.
        classify: Says what one of them means.

    Returns:
        Given a store and what cannot be done to it, e.g. ``written``: a context that raises StoreError.
    """

    @contextlib.contextmanager
    def context(location: ServerLocation, action: str) -> Iterator[None]:
        try:
            yield
        except ImgstoreError:
            raise
        except kinds as error:
            raise StoreError(_sentence(location, action, *classify(error))) from None

    return context


def _sentence(location: ServerLocation, action: str, failure: Failure, reason: str) -> str:
    match failure:
        case Failure.MISSING:
            return f"{location} does not exist."
        case Failure.EXISTS:
            return f"{location} exists already; a store is made under a name of its own."
        case Failure.CHANGED:
            why = "another process changes it at the same time"
        case Failure.LOCKED:
            why = f"another connection has held it for {LOCK_S} s"
        case Failure.FULL:
            why = f"the disk of the server is full ({reason}). Make room there"
        case Failure.FORBIDDEN:
            why = f"the server does not allow it ({reason})"
        case Failure.SILENT:
            why = f"the server has not answered in time ({reason})"
        case Failure.STOPPED:
            why = f"the server has stopped ({reason})"
        case Failure.GONE:
            why = f"the server has gone ({reason})"
        case Failure.OTHER:
            why = reason
    return f"{location} cannot be {action}: {why}."


def server_text(product: str, location: ServerLocation) -> str:
    """Return how a message names the server of a location."""
    return f"{product} at {_address(location)}"


def _address(location: ServerLocation) -> str:
    return f"{location.host}{'' if location.port is None else f':{location.port}'}"


def no_answer(product: str, location: ServerLocation, reason: str) -> UnavailableError:
    """Build the error for a server that cannot be reached."""
    where, why = server_text(product, location), _ERROR_NUMBER.sub("", reason)
    return UnavailableError(f"{where} does not answer: {why}. Start it, or correct the address.")


def other_server(product: str, location: ServerLocation, reason: str) -> UnavailableError:
    """Build the error for an address at which a program of another kind answers."""
    return UnavailableError(
        f"What answers at {_address(location)} is no {product} server ({reason}). Correct the address."
    )


def no_tls(product: str, location: ServerLocation, reason: str) -> UnavailableError:
    """Build the error for a connection that cannot be encrypted as the address asks for."""
    return UnavailableError(
        f"{server_text(product, location)} cannot be used: the encryption that the address asks for fails ({reason}). "
        "Set TLS up there, or correct the address."
    )


def refusal(product: str, location: ServerLocation, reason: str, advice: str) -> UnavailableError:
    """Build the error for a server that lets nobody in; ``advice`` is a sentence."""
    return UnavailableError(f"{server_text(product, location)} refuses: {reason}. {advice}")


def too_old(product: str, location: ServerLocation, version: str, oldest: str) -> UnavailableError:
    """Build the error for a server of a version that lacks what a backend needs."""
    return UnavailableError(
        f"{server_text(product, location)} is {version}; from {oldest} on it can be used. Update it, or name another."
    )


def no_database(product: str, location: ServerLocation, command: str, kind: str = "database") -> UnavailableError:
    """Build the error for a server without the database of a location; ``command`` makes one."""
    return UnavailableError(
        f"{server_text(product, location)} has no {kind} '{location.database}'. Create it ({command}), or name another."
    )
