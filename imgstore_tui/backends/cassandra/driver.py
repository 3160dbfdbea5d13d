"""Wraps the driver of Cassandra, which has no types: sessions, statements, batches, and what its errors mean."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from typing import Any, TypeAlias

import cassandra
from cassandra import DriverException
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import (
    EXEC_PROFILE_DEFAULT,
    Cluster,
    ExecutionProfile,
    NoHostAvailable,
    UserTypeDoesNotExist,
)
from cassandra.connection import ConnectionException
from cassandra.policies import DCAwareRoundRobinPolicy, FallthroughRetryPolicy, RoundRobinPolicy
from cassandra.protocol import ErrorMessage
from cassandra.query import BatchStatement, BatchType, SimpleStatement, tuple_factory

from imgstore_tui.core.text import first_line

Row: TypeAlias = tuple[Any, ...]
Statement: TypeAlias = Any
"""Text with ``%s`` for values, a prepared statement, or a batch."""
Call: TypeAlias = tuple[Statement, Sequence[Any] | None]

ERRORS: tuple[type[Exception], ...] = (
    NoHostAvailable, DriverException, ConnectionException, ErrorMessage, UserTypeDoesNotExist, OSError, ValueError,
    OverflowError,
)  # fmt: skip
"""What the driver raises; some of it derives from ``Exception`` alone."""
ANSWER_S = 20.0
"""A request that has not been answered by then has failed."""
SCHEMA_S = 60.0
"""The same for changes of the schema, which take seconds on a busy node."""
_PROTOCOL = 5
"""The protocol of Cassandra 4.0 and later; the driver would try newer ones of other products first."""

# It warns of every batch that the server finds large; and prints what it also raises.
_log = logging.getLogger("cassandra")
_log.addHandler(logging.NullHandler())
_log.propagate = False


class Cause(Enum):
    """Why a request has failed."""

    GONE = auto()
    """The server does not answer, or the connection is lost."""
    TIMEOUT = auto()
    LOGIN = auto()
    FORBIDDEN = auto()
    EXISTS = auto()
    TOO_OLD = auto()
    FOREIGN = auto()
    """What answers does not speak the protocol of Cassandra."""
    OTHER = auto()


class Session:
    """A connection pool. Requests are counted; none is sent again by the driver."""

    def __init__(self, cluster: Any, session: Any) -> None:
        self._cluster, self._session = cluster, session
        self.requests = 0

    @property
    def release(self) -> str:
        """Version of the server that answered first."""
        for host in self._cluster.metadata.all_hosts():
            if host.release_version:
                return str(host.release_version)
        return ""

    @property
    def address(self) -> str:
        """Address of the machine that answered first."""
        return str(next((host.address for host in self._cluster.metadata.all_hosts()), ""))

    def execute(
        self, statement: Statement, values: Sequence[Any] | None = None, timeout: float = ANSWER_S
    ) -> list[Row]:
        """Send a statement and return its rows."""
        self.requests += 1
        return self._rows(self._session.execute(statement, values, timeout=timeout))

    def prepare(self, text: str, page_rows: int | None = None) -> Statement:
        """Have the server parse a statement with ``?`` for values; its rows come by pages of so many."""
        self.requests += 1
        prepared = self._session.prepare(text)
        if page_rows is not None:
            prepared.fetch_size = page_rows
        return prepared

    def execute_all(self, calls: Iterable[Call], at_once: int) -> Iterator[list[Row]]:
        """Yield the rows of each call in order; no more than ``at_once`` are on their way or wait to be yielded."""
        sent: deque[Any] = deque()
        for statement, values in calls:
            if len(sent) == at_once:
                yield self._rows(sent.popleft().result())
            self.requests += 1
            sent.append(self._session.execute_async(statement, values, timeout=ANSWER_S))
        while sent:
            yield self._rows(sent.popleft().result())

    def _rows(self, result: Any) -> list[Row]:
        rows: list[Row] = list(result.current_rows)
        while result.has_more_pages:
            self.requests += 1
            result.fetch_next_page()
            rows += result.current_rows
        # A request and its timer refer to each other. Both hold what was sent and answered until Python collects
        # such rings, which it does not do while a trial is timed: all images would be in memory by the end.
        result.response_future._timer = None
        return rows

    def close(self) -> None:
        """Close all connections."""
        with contextlib.suppress(*ERRORS):
            self._cluster.shutdown()


def simple(text: str, page_rows: int | None = None) -> Statement:
    """Return a statement that is sent as text, whose rows come by pages of so many."""
    return SimpleStatement(text) if page_rows is None else SimpleStatement(text, fetch_size=page_rows)


def unlogged_batch(statement: Statement, rows: Iterable[Sequence[Any]]) -> Statement:
    """Return many executions of a prepared statement as one request; in one partition it is done or not."""
    batch = BatchStatement(BatchType.UNLOGGED)
    for row in rows:
        batch.add(statement, row)
    return batch


def connect(
    hosts: Sequence[str],
    port: int | None,
    *,
    login: tuple[str, str] | None,
    connect_s: float,
    data_center: str | None = None,
    tls_ca_file: str | None = None,
    tls: bool = False,
) -> Session:
    """Connect to a cluster.

    Args:
        hosts: Names or addresses to begin with.
        port: Port of all its nodes; None for 9042.
        login: User and password.
        connect_s: Longest wait for a connection.
        data_center: The one whose nodes are asked; None for all.
        tls_ca_file: Certificates to trust, in place of the system's.
        tls: Whether connections are encrypted.

    Raises:
        Exception: One of ``ERRORS``.
    """
    policy = DCAwareRoundRobinPolicy(data_center) if data_center else RoundRobinPolicy()
    profile = ExecutionProfile(
        load_balancing_policy=policy,
        retry_policy=FallthroughRetryPolicy(),
        consistency_level=cassandra.ConsistencyLevel.LOCAL_QUORUM,
        serial_consistency_level=cassandra.ConsistencyLevel.LOCAL_SERIAL,
        row_factory=tuple_factory,
        request_timeout=ANSWER_S,
    )
    cluster = Cluster(
        list(hosts),
        port=port or 9042,
        protocol_version=_PROTOCOL,
        compression=False,
        auth_provider=PlainTextAuthProvider(*login) if login else None,
        ssl_context=ssl.create_default_context(cafile=tls_ca_file) if tls else None,
        connect_timeout=connect_s,
        control_connection_timeout=connect_s,
        # Without it, each value beyond 4 kB waits 40 ms for an acknowledgement.
        sockopts=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        schema_metadata_enabled=False,
        token_metadata_enabled=False,
        monitor_reporting_enabled=False,
    )
    try:
        session = cluster.connect()
    except BaseException:
        cluster.shutdown()
        raise
    # One clock for all who write: the server's.
    session.use_client_timestamp = False
    return Session(cluster, session)


def cause(error: Exception) -> Cause:
    """Return why a request has failed."""
    inner = _innermost(error)
    if isinstance(inner, cassandra.AuthenticationFailed):
        return Cause.LOGIN
    if isinstance(inner, cassandra.Unauthorized):
        return Cause.FORBIDDEN
    if isinstance(inner, cassandra.AlreadyExists):
        return Cause.EXISTS
    if isinstance(inner, cassandra.OperationTimedOut | cassandra.Timeout):
        return Cause.TIMEOUT
    text = str(inner)
    if "unsupported protocol version" in text or "explicitly set client protocol_version" in text:
        return Cause.TOO_OLD
    if "driver does not support protocol version" in text:
        return Cause.FOREIGN
    if isinstance(error, NoHostAvailable) or isinstance(inner, ConnectionException | OSError):
        return Cause.GONE
    return Cause.OTHER


def reason(error: Exception) -> str:
    """Return what went wrong in one line, without the driver's words around it and the full stop."""
    text = first_line(_innermost(error))
    for mark in ("Last error: ", 'message="'):
        if mark in text:
            text = text.partition(mark)[2]
    return text.rstrip('". ')


def _innermost(error: Exception) -> Exception:
    """Return what one of the hosts has said, where the driver has only gathered that."""
    if isinstance(error, NoHostAvailable) and isinstance(error.errors, dict) and error.errors:
        said = next(iter(error.errors.values()))
        return said if isinstance(said, Exception) else ValueError(str(said))
    return error
