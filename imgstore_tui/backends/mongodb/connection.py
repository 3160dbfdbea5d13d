"""Connects to MongoDB, and turns the errors of its driver into a sentence."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, urlencode

import pymongo
from pymongo import errors, uri_parser
from pymongo.collection import Collection
from pymongo.write_concern import WriteConcern

from imgstore_tui.core import credentials
from imgstore_tui.core.errors import StoreError, UnavailableError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.server import CONNECT_S
from imgstore_tui.storekit.server_errors import (
    Classified,
    Failure,
    errors_as_sentences,
    no_answer,
    no_tls,
    other_server,
    refusal,
    server_text,
)

if TYPE_CHECKING:
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

    Client: TypeAlias = pymongo.MongoClient[dict[str, Any]]
    Documents: TypeAlias = Collection[dict[str, Any]]

_PRODUCT = "MongoDB"
_ANSWER_S = 20
"""A request that has not been answered by then has failed."""
ADMIN_S = 120
"""The same for requests that make the server write all that it holds."""
_LONGEST_NAME = 255
_LONGEST_DATABASE = 63
_NOT_IN_DATABASES = re.compile(r'[/\\. "$*<>:|?\x00]')
_OWN_PARAMETERS = {
    "appname", "connecttimeoutms", "retryreads", "retrywrites", "serverselectiontimeoutms", "sockettimeoutms",
    "timeoutms",
}  # fmt: skip
UNAUTHORIZED = 13
_AUTHENTICATION_FAILED = 18
_FAILURES = {
    UNAUTHORIZED: Failure.FORBIDDEN,
    48: Failure.EXISTS,  # NamespaceExists
    11_000: Failure.CHANGED,  # DuplicateKey
    14_031: Failure.FULL,  # OutOfDiskSpace
}
_NO_MESSAGE = ("Got response id", "Message length", "Got opcode")
"""What the driver says of an answer that is none in the protocol of MongoDB."""
_BUFFERED = WriteConcern(w=1, j=False)
_DURABLE = WriteConcern(w="majority", j=True)


def write_concern(sync: SyncLevel, *, last: bool) -> WriteConcern:
    """Return how a write is acknowledged.

    The journal is one sequence: a write that is in it on the device has all before it there, too.

    Args:
        sync: The sync level.
        last: Whether it is the last write that must be durable: of a batch, or of the store.
    """
    return _DURABLE if last and sync is not SyncLevel.BUFFERED else _BUFFERED


def connect(backend: ServerBackend, location: ServerLocation, *, answer_s: float = _ANSWER_S) -> Client:
    """Connect to the server of a location, as the user of the location or of the address variable.

    Args:
        backend: Knows user and password.
        location: The place or store.
        answer_s: Longest wait for an answer.

    Raises:
        StoreError: If the server keeps no database of such a name.
        UnavailableError: If it does not answer, refuses, or is too old.
    """
    database = location.database
    if _NOT_IN_DATABASES.search(database) or len(database.encode()) > _LONGEST_DATABASE:
        raise StoreError(
            f"{location.place}: a database of MongoDB has 1 to {_LONGEST_DATABASE} bytes, none of them a blank or one "
            'of / \\ . " $ * < > : | ?. Choose another.'
        )
    more = [(name, value) for name, value in location.parameters if name.lower() not in _OWN_PARAMETERS]
    _check_parameters(location, more)
    host = f"[{location.host}]" if ":" in location.host and "," not in location.host else location.host
    port = "" if location.port is None else f":{location.port}"
    user = backend.user(location)
    login = {"username": user, "password": backend.password(location)} if user else {}
    try:
        # The driver takes the database as the one that knows the user, where `authSource` names no other.
        client: Client = pymongo.MongoClient(
            f"{location.scheme}://{host}{port}/{quote(database, safe='')}?{urlencode(more, quote_via=quote)}",
            appname="imgstore-tui",
            serverSelectionTimeoutMS=CONNECT_S * 1000,
            connectTimeoutMS=CONNECT_S * 1000,
            socketTimeoutMS=int(answer_s * 1000),
            retryReads=False,
            retryWrites=False,
            **{name: value for name, value in login.items() if value},
        )
    except (errors.PyMongoError, ValueError, TypeError) as error:
        raise UnavailableError(f"{server_text(_PRODUCT, location)} cannot be connected to: {message(error)}.") from None
    try:
        client.admin.command("ping")
    except errors.PyMongoError as error:
        client.close()
        raise _cannot_connect(location, error) from None
    except BaseException:
        client.close()
        raise
    return client


def _check_parameters(location: ServerLocation, parameters: Sequence[tuple[str, str]]) -> None:
    """Raise UnavailableError for a parameter that the driver would pass over with a warning."""
    for name, value in parameters:
        try:
            uri_parser.split_options(urlencode([(name, value)], quote_via=quote))
        except (errors.PyMongoError, ValueError, TypeError):
            raise UnavailableError(
                f"{location.place} cannot be used: its parameter '{name}' is unknown, or '{value}' is no value of it. "
                "Correct the address."
            ) from None


@contextlib.contextmanager
def connected(
    backend: ServerBackend, location: ServerLocation, action: str, *, answer_s: float = _ANSWER_S
) -> Iterator[Client]:
    """Connect for the length of a block, in which the driver's errors become a sentence."""
    with contextlib.closing(connect(backend, location, answer_s=answer_s)) as client, driver_errors(location, action):
        yield client


def _cannot_connect(location: ServerLocation, error: errors.PyMongoError) -> UnavailableError:
    reason = message(error)
    if isinstance(error, errors.OperationFailure) and error.code == _AUTHENTICATION_FAILED:
        advice = (
            "Put user and password into the variable IMGSTORE_MONGODB_URL, and "
            f"?authSource=NAME if another database than '{location.database}' knows the user."
        )
        return refusal(_PRODUCT, location, reason, advice)
    if isinstance(error, errors.ConfigurationError):
        return UnavailableError(f"{server_text(_PRODUCT, location)} cannot be used: {reason}.")
    if isinstance(error, errors.OperationFailure):
        return refusal(_PRODUCT, location, reason, "Ask who runs it to let you in.")
    if "SSL" in reason:
        return no_tls(_PRODUCT, location, reason)
    if any(words in reason for words in _NO_MESSAGE):
        return other_server(_PRODUCT, location, reason)
    return no_answer(_PRODUCT, location, reason)


def _classify(error: Exception) -> Classified:
    code, reason = _code(error), message(error)
    if code in _FAILURES:
        return _FAILURES[code], reason
    if "No space left" in reason:
        return Failure.FULL, reason
    if isinstance(error, errors.NetworkTimeout):
        return Failure.SILENT, reason
    return Failure.GONE if isinstance(error, errors.ConnectionFailure) else Failure.OTHER, reason


driver_errors = errors_as_sentences((errors.PyMongoError, OverflowError, ValueError), _classify)
"""Turns the driver's errors into a sentence: ``with driver_errors(location, "written")``."""


def _code(error: Exception) -> int | None:
    """Return the server's code of an error."""
    if isinstance(error, errors.BulkWriteError):
        return _first_failure(error).get("code")
    return error.code if isinstance(error, errors.OperationFailure) else None


def _first_failure(error: errors.BulkWriteError) -> Mapping[str, Any]:
    """Return what the server says of the first write of many that failed."""
    failures = [*error.details.get("writeErrors", []), *error.details.get("writeConcernErrors", [])]
    return failures[0] if failures else {}


def message(error: Exception) -> str:
    """Return what went wrong, without the driver's state, a secret and the full stop."""
    text = first_line(error)
    if isinstance(error, errors.BulkWriteError):
        text = str(_first_failure(error).get("errmsg", text))
    for mark in (" (configured timeouts", ", Timeout: ", ", full error: "):
        text = text.partition(mark)[0]
    return credentials.scrub(text)[:200].rstrip(".")


def collection(client: Client, location: ServerLocation) -> Documents:
    """Return the collection of a store.

    Raises:
        StoreError: If the server takes no collection of such a name.
    """
    check_name(location)
    return client[location.database][location.name]


def check_name(location: ServerLocation) -> None:
    """Raise StoreError if the server takes no collection of such a name."""
    name = location.name
    wrong = "$" in name or "\x00" in name or ".." in name or name != name.strip(".") or name.startswith("system.")
    if not name or wrong or len(f"{location.database}.{name}".encode()) > _LONGEST_NAME:
        raise StoreError(
            f"{location}: a collection of MongoDB has 1 to {_LONGEST_NAME} bytes with its database, no $, no full "
            "stop at an end or beside another, and does not begin with 'system.'. Choose another."
        )
