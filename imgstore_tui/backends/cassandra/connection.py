"""Connects to a keyspace of Cassandra, and turns the errors of its driver into a sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imgstore_tui.backends.cassandra import driver
from imgstore_tui.backends.cassandra.driver import Cause, Session
from imgstore_tui.core import credentials
from imgstore_tui.core.errors import UnavailableError, UsageError, unknown_name
from imgstore_tui.storekit.server import CONNECT_S
from imgstore_tui.storekit.server_errors import (
    Classified,
    Failure,
    errors_as_sentences,
    no_answer,
    no_database,
    other_server,
    refusal,
    server_text,
)

if TYPE_CHECKING:
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_PRODUCT = "Cassandra"
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
        raise _cannot_connect(location, error) from None
    try:
        there = session.execute(
            "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = %s", (location.database,)
        )
    except driver.ERRORS as error:
        session.close()
        raise _cannot_connect(location, error) from None
    except BaseException:
        session.close()
        raise
    if not there:
        session.close()
        raise no_database(_PRODUCT, location, "CREATE KEYSPACE", "keyspace")
    return session


@contextlib.contextmanager
def connected(backend: ServerBackend, location: ServerLocation, action: str) -> Iterator[Session]:
    """Connect for the length of a block, in which the driver's errors become a sentence."""
    with contextlib.closing(connect(backend, location)) as session, driver_errors(location, action):
        yield session


def _cannot_connect(location: ServerLocation, error: Exception) -> UnavailableError:
    reason = message(error)
    match driver.cause(error):
        case Cause.LOGIN:
            advice = "Put user and password into the variable IMGSTORE_CASSANDRA_URL."
            return refusal(_PRODUCT, location, reason, advice)
        case Cause.TOO_OLD:
            where = server_text(_PRODUCT, location)
            return UnavailableError(f"{where} cannot be used: it is older than Cassandra 4.0 ({reason}). Update it.")
        case Cause.FOREIGN:
            return other_server(_PRODUCT, location, reason)
        case Cause.FORBIDDEN:
            return refusal(_PRODUCT, location, reason, "Ask who runs it to let you in.")
        case _:
            return no_answer(_PRODUCT, location, reason)


_FAILURES = {
    Cause.EXISTS: Failure.EXISTS,
    Cause.FORBIDDEN: Failure.FORBIDDEN,
    Cause.TIMEOUT: Failure.SILENT,
    Cause.GONE: Failure.GONE,
}


def _classify(error: Exception) -> Classified:
    return _FAILURES.get(driver.cause(error), Failure.OTHER), message(error)


driver_errors = errors_as_sentences(driver.ERRORS, _classify)
"""Turns the driver's errors into a sentence: ``with driver_errors(location, "written")``."""


def message(error: Exception) -> str:
    """Return what went wrong, without a secret and the full stop."""
    return credentials.scrub(driver.reason(error)).rstrip(".")
