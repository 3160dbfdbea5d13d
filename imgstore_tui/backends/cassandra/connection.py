"""Connects to a keyspace of Cassandra, and turns the errors of its driver into a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imgstore_tui.backends.cassandra import driver
from imgstore_tui.backends.cassandra.driver import Cause, Session
from imgstore_tui.core import credentials
from imgstore_tui.core.errors import ImgstoreError, StoreError, UnavailableError, UsageError, unknown_name
from imgstore_tui.storekit.server import CONNECT_S

if TYPE_CHECKING:
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_PARAMETERS = {"dc", "tls", "tlsCAFile"}


def connect(backend: ServerBackend, location: ServerLocation) -> Session:
    """Connect to the server of a location, as the user of the location or of the address variable.

    Raises:
        UnavailableError: If it does not answer, refuses, is too old, or lacks the keyspace.
        UsageError: If a parameter of the address is unknown.
    """
    parameters = dict(location.parameters)
    for name in parameters:
        if name not in _PARAMETERS:
            raise unknown_name("parameter of an address cassandra://", name, _PARAMETERS)
    if parameters.get("tls", "false") not in ("true", "false"):
        raise UsageError("The parameter tls of an address cassandra:// is true or false.")
    user = backend.user(location)
    server = f"Cassandra at {location.host}{'' if location.port is None else f':{location.port}'}"
    try:
        session = driver.connect(
            location.host.split(","),
            location.port,
            login=(user, backend.password(location) or "") if user else None,
            connect_s=CONNECT_S,
            data_center=parameters.get("dc"),
            tls_ca_file=parameters.get("tlsCAFile"),
            tls=parameters.get("tls") == "true",
        )
    except driver.ERRORS as error:
        raise UnavailableError(_cannot_connect(server, error)) from None
    try:
        there = session.execute(
            "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = %s", (location.database,)
        )
    except driver.ERRORS as error:
        session.close()
        raise UnavailableError(_cannot_connect(server, error)) from None
    except BaseException:
        session.close()
        raise
    if not there:
        session.close()
        raise UnavailableError(
            f"{server} has no keyspace '{location.database}'. Create it (CREATE KEYSPACE), or name another."
        )
    return session


@contextlib.contextmanager
def connected(backend: ServerBackend, location: ServerLocation, action: str) -> Iterator[Session]:
    """Connect for the length of a block, in which the driver's errors become a sentence."""
    with contextlib.closing(connect(backend, location)) as session, driver_errors(location, action):
        yield session


def _cannot_connect(server: str, error: Exception) -> str:
    reason = message(error)
    match driver.cause(error):
        case Cause.LOGIN:
            return f"{server} refuses: {reason}. Put user and password into the variable IMGSTORE_CASSANDRA_URL."
        case Cause.TOO_OLD:
            return f"{server} cannot be used: it is older than Cassandra 4.0 ({reason}). Update it."
        case Cause.FORBIDDEN:
            return f"{server} refuses: {reason}. Ask who runs it to let you in."
        case _:
            return f"{server} does not answer: {reason}. Start it, or correct the address."


@contextlib.contextmanager
def driver_errors(location: ServerLocation, action: str) -> Iterator[None]:
    """Turn the driver's errors into a sentence.

    Args:
        location: The store.
        action: What cannot be done to it, e.g. ``written``.

    Raises:
        StoreError: For every error of the driver.
    """
    try:
        yield
    except ImgstoreError:
        raise
    except driver.ERRORS as error:
        raise StoreError(_sentence(location, action, error)) from None


def _sentence(location: ServerLocation, action: str, error: Exception) -> str:
    head, reason = f"{location} cannot be {action}", message(error)
    match driver.cause(error):
        case Cause.EXISTS:
            return f"{location} exists already; a store is made under a name of its own."
        case Cause.FORBIDDEN:
            return f"{head}: the server does not allow it ({reason})."
        case Cause.TIMEOUT:
            return f"{head}: the server has not answered in time ({reason})."
        case Cause.GONE:
            return f"{head}: the server has gone ({reason})."
        case _:
            return f"{head}: {reason}."


def message(error: Exception) -> str:
    """Return what went wrong, without a secret and the full stop."""
    return credentials.scrub(driver.reason(error)).rstrip(".")
