"""Connects to PostgreSQL, and turns what its driver says into a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from psycopg import errors, sql

from imgstore_tui.core import credentials
from imgstore_tui.core.errors import StoreError, UnavailableError
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.server import CONNECT_S
from imgstore_tui.storekit.server_errors import (
    LOCK_S,
    Classified,
    Failure,
    errors_as_sentences,
    no_answer,
    no_database,
    no_tls,
    other_server,
    refusal,
    too_old,
)

if TYPE_CHECKING:
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

    Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_PRODUCT = "PostgreSQL"
_SILENT_MS = 10_000
"""A server that has not confirmed a packet for so long counts as gone."""
_LONGEST_NAME = 63
_OLDEST = 11
"""The first with ``toast_tuple_target`` and with columns beside an index's own."""
_NOT_OURS = {"host", "port", "dbname", "user", "password", "connect_timeout", "options", "service", "passfile"}


def connect(backend: ServerBackend, location: ServerLocation, *, read_only: bool = False) -> Connection:
    """Connect to the database of a location; each statement is a transaction of its own.

    Raises:
        UnavailableError: If the server does not answer, refuses, or lacks the database.
    """
    more = {name: value for name, value in location.parameters if name not in _NOT_OURS}
    settings = f"-c lock_timeout={LOCK_S}s -c default_transaction_read_only={'on' if read_only else 'off'}"
    given = {
        "host": location.host,
        "port": location.port,
        "user": backend.user(location),
        "password": backend.password(location) or credentials.get("PGPASSWORD"),
        "tcp_user_timeout": _SILENT_MS,
    }
    try:
        connection = psycopg.connect(
            dbname=location.database,
            connect_timeout=CONNECT_S,
            application_name=client_name(location.name),
            options=settings,
            autocommit=True,
            **{name: value for name, value in given.items() if value} | more,
        )
    except psycopg.Error as error:
        raise _cannot_connect(location, error) from None
    version = connection.info.server_version  # 150018 for 15.18
    if version < _OLDEST * 10_000:
        connection.close()
        raise too_old(_PRODUCT, location, f"version {version // 10_000}.{version // 100 % 100}", str(_OLDEST))
    return connection


def client_name(store: str) -> str:
    """Return what a connection for a store is called at the server; those for a name with more behind it begin so."""
    name = f"imgstore-tui {store}".rstrip()
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in name)[:_LONGEST_NAME]


def _cannot_connect(location: ServerLocation, error: psycopg.Error) -> UnavailableError:
    reason = credentials.scrub(_last_part(error))
    if "does not exist" in reason and "database" in reason:
        return no_database(_PRODUCT, location, "createdb")
    if "invalid response to" in reason or "expected authentication request" in reason:
        return other_server(_PRODUCT, location, reason)
    if "SSL" in reason:
        return no_tls(_PRODUCT, location, reason)
    if isinstance(error, psycopg.ProgrammingError):  # what it was told to connect to makes no sense
        return UnavailableError(f"{location.place} cannot be used: {reason}. Correct the address.")
    for words, advice in (
        ("password authentication failed", "Put the password into the variable IMGSTORE_POSTGRES_URL or PGPASSWORD."),
        ("no password supplied", "Put the password into the variable IMGSTORE_POSTGRES_URL or PGPASSWORD."),
        ("pg_hba.conf", "Ask who runs it to let you in."),
        ("too many", "Close other connections, or try again later."),
        ("starting up", "Try again in a moment."),
    ):
        if words in reason:
            return refusal(_PRODUCT, location, reason, advice)
    return no_answer(_PRODUCT, location, reason)


def _last_part(error: psycopg.Error) -> str:
    """Return what is wrong, without the address that the driver puts before it."""
    text = first_line(error)
    for mark in ("FATAL:", "failed: "):
        if mark in text:
            text = text.rpartition(mark)[2]
    return text.strip().rstrip(".")


def _classify(error: Exception) -> Classified:
    kinds: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Failure], ...] = (
        (errors.DiskFull, Failure.FULL),
        (errors.DuplicateTable, Failure.EXISTS),
        (errors.InsufficientPrivilege, Failure.FORBIDDEN),
        (errors.LockNotAvailable, Failure.LOCKED),
        ((errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow, errors.QueryCanceled), Failure.STOPPED),
        (psycopg.OperationalError, Failure.GONE),
    )
    found = next((failure for kind, failure in kinds if isinstance(error, kind)), Failure.OTHER)
    return found, message(error)


driver_errors = errors_as_sentences((psycopg.Error, OverflowError), _classify)
"""Turns the driver's errors into a sentence: ``with driver_errors(location, "written")``."""


def message(error: Exception) -> str:
    """Return the first line of what a driver says, without a secret and its full stop."""
    return credentials.scrub(first_line(error)).rstrip(".")


def table(location: ServerLocation) -> sql.Identifier:
    """Return the name of a store's table, quoted; a schema stands before a full stop.

    Raises:
        StoreError: If it is longer than the server keeps: another table could be meant then.
    """
    names = location.name.split(".", 1)
    for name in names:
        if not 0 < len(name.encode()) <= _LONGEST_NAME:
            raise StoreError(f"{location}: a name of PostgreSQL has 1 to {_LONGEST_NAME} bytes. Choose another.")
    return sql.Identifier(*names)


def table_beside_values(location: ServerLocation) -> sql.Identifier:
    """Return the same for a statement with values, in which the driver takes a percent sign for the place of one.

    Raises:
        StoreError: If it is longer than the server keeps.
    """
    table(location)
    return sql.Identifier(*location.name.replace("%", "%%").split(".", 1))
