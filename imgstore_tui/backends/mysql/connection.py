"""Connects to MySQL or MariaDB, and turns what the driver says into a sentence."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.constants import CR, ER

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
    server_text,
    too_old,
)

if TYPE_CHECKING:
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

PORT = 3306
_PRODUCT = "MySQL"
_ANSWER_S = 60
"""A server that is there, but has not answered a statement by then, counts as gone."""
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 4), (socket.TCP_KEEPINTVL, 2), (socket.TCP_KEEPCNT, 3))
_SILENT_MS = 10_000
"""A machine that has not confirmed a packet for so long counts as gone."""
LONGEST_NAME = 64
_OLDEST = {"MySQL": (8, 0), "MariaDB": (10, 5)}
_FAILURES = {
    code: failure
    for failure, codes in {
        Failure.MISSING: (ER.NO_SUCH_TABLE,),
        Failure.EXISTS: (ER.TABLE_EXISTS_ERROR,),
        Failure.FULL: (ER.DISK_FULL, ER.RECORD_FILE_FULL),
        Failure.LOCKED: (ER.LOCK_WAIT_TIMEOUT,),
        Failure.FORBIDDEN: (
            ER.TABLEACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, ER.SPECIFIC_ACCESS_DENIED_ERROR, 1290,
        ),
        # 1927 of MariaDB and 3169 of MySQL: the connection was killed at the server.
        Failure.GONE: (CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, ER.SERVER_SHUTDOWN, 1927, 3169),
    }.items()
    for code in codes
}  # fmt: skip


class Connection:
    """A connection on which each statement is a transaction of its own until ``BEGIN``."""

    def __init__(self, backend: ServerBackend, location: ServerLocation, *, binary: bool = False) -> None:
        """Connect to the database of a location.

        Args:
            backend: What knows user and password.
            location: A place or a store.
            binary: Whether statements are taken byte by byte, which is quicker for images; then names in them must
                be ASCII.

        Raises:
            UnavailableError: If the server does not answer, refuses, lacks the database or is too old.
        """
        self._location = location
        charset = "latin1" if binary and location.name.isascii() else "utf8mb4"
        self._encoding = "latin1" if charset == "latin1" else "utf8"
        try:
            link = _reach(location)
        except OSError as error:
            raise no_answer(_PRODUCT, location, first_line(error)) from None
        options = Path("~/.my.cnf").expanduser()
        try:
            self._driver: Any = pymysql.connect(
                host=location.host,
                port=location.port or PORT,
                database=location.database,
                user=backend.user(location) or None,
                password=backend.password(location) or credentials.get("MYSQL_PWD") or "",
                charset=charset,
                autocommit=True,
                read_timeout=_ANSWER_S,
                write_timeout=_ANSWER_S,
                init_command=f"SET SESSION sql_mode='STRICT_ALL_TABLES', lock_wait_timeout={LOCK_S}, "
                f"innodb_lock_wait_timeout={LOCK_S}",
                read_default_file=str(options) if options.is_file() else None,
                program_name="imgstore-tui",
                defer_connect=True,
                **_tls(location),
            )
            self._driver.connect(link)
        except pymysql.MySQLError as error:
            link.close()
            raise _cannot_connect(location, error) from None
        except RuntimeError as error:  # cryptography is missing
            link.close()
            raise UnavailableError(f"{server_text(_PRODUCT, location)} cannot be used: {first_line(error)}.") from None
        self.product, self.version = _product(self._driver.get_server_info())
        oldest = _OLDEST[self.product]
        if tuple(int(part) for part in self.version.split(".")[:2]) < oldest:
            self.close()
            raise too_old(_PRODUCT, location, f"{self.product} {self.version}", ".".join(map(str, oldest)))

    def query(self, statement: str | bytes | bytearray, values: Sequence[object] | None = None) -> Sequence[Any]:
        """Run a statement and return the rows of its answer; the driver writes ``values`` where ``%s`` stands."""
        with self._driver.cursor() as cursor:
            if isinstance(statement, str) and values is not None:
                cursor.execute(statement, values)
            else:
                cursor.execute(statement if isinstance(statement, str) else bytes(statement))
            rows: Sequence[Any] = cursor.fetchall()
        return rows

    def encoded(self, text: str) -> bytes:
        """Return the text of a statement in the encoding of this connection."""
        return text.encode(self._encoding)

    def close(self) -> None:
        """Close it; what was not committed is taken back."""
        # The driver says good-bye first, which fails where the server has gone.
        with contextlib.suppress(pymysql.MySQLError, OSError):
            self._driver.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _reach(location: ServerLocation) -> socket.socket:
    """Open a connection to a server that greets.

    Raises:
        OSError: If none does in time.
    """
    link = socket.create_connection((location.host, location.port or PORT), CONNECT_S)
    try:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (*_KEEP_ALIVE, (socket.TCP_USER_TIMEOUT, _SILENT_MS)):
            link.setsockopt(socket.IPPROTO_TCP, option, value)
        if not select.select([link], [], [], CONNECT_S)[0]:
            raise TimeoutError("timed out")
    except BaseException:
        link.close()
        raise
    return link


def _tls(location: ServerLocation) -> dict[str, Any]:
    """Return what the parameters of an address say of TLS, which MySQL's own tools call ``ssl-mode`` and ``ssl-ca``."""
    given = {name.lower().replace("-", "_"): value for name, value in location.parameters}
    mode = given.get("ssl_mode", "VERIFY_CA" if "ssl_ca" in given else "DISABLED").upper()
    if mode in {"DISABLED", "PREFERRED"}:
        return {}
    settings: dict[str, Any] = {name: given[name] for name in ("ssl_ca", "ssl_cert", "ssl_key") if name in given}
    if mode == "REQUIRED" and not settings:
        return {"ssl": {"check_hostname": False}}
    return settings | {"ssl_verify_cert": mode != "REQUIRED", "ssl_verify_identity": mode == "VERIFY_IDENTITY"}


def _product(version: str) -> tuple[str, str]:
    """Return product and version out of what a server greets with: ``5.5.5-10.11.19-MariaDB-0+deb12u1``."""
    if "mariadb" in version.lower():
        return "MariaDB", version.removeprefix("5.5.5-").partition("-")[0]
    return "MySQL", version.partition("-")[0]


def _cannot_connect(location: ServerLocation, error: pymysql.MySQLError) -> UnavailableError:
    code, reason = code_of(error), message(error)
    if code == ER.BAD_DB_ERROR:
        return no_database(_PRODUCT, location, "CREATE DATABASE")
    if isinstance(error, pymysql.InternalError) and not code:  # what greets is none of its packets
        return other_server(_PRODUCT, location, reason)
    if "SSL" in reason:
        return no_tls(_PRODUCT, location, reason)
    advice = {
        ER.DBACCESS_DENIED_ERROR: "Ask who runs it to let you into this database.",
        ER.CON_COUNT_ERROR: "Close other connections, or try again later.",
        ER.HOST_NOT_PRIVILEGED: "Ask who runs it to let you in.",
    } | dict.fromkeys(
        (ER.ACCESS_DENIED_ERROR, 1524, 1698), "Put user and password into the variable IMGSTORE_MYSQL_URL."
    )
    if code in advice:
        return refusal(_PRODUCT, location, reason, advice[code])
    return no_answer(_PRODUCT, location, reason)


def _classify(error: Exception) -> Classified:
    code, reason = code_of(error), message(error)
    if code == ER.NET_PACKET_TOO_LARGE:
        return (
            Failure.OTHER,
            "an image is larger than max_allowed_packet of the server. Raise that, or make images smaller",
        )
    if code in _FAILURES:
        return _FAILURES[code], reason
    return Failure.GONE if isinstance(error, (OSError, pymysql.InterfaceError)) else Failure.OTHER, reason


driver_errors = errors_as_sentences((pymysql.MySQLError, OSError, OverflowError, UnicodeError), _classify)
"""Turns the driver's errors into a sentence: ``with driver_errors(location, "written")``."""


def code_of(error: Exception) -> int:
    """Return the number that the server or the driver has given an error, 0 if there is none."""
    number = error.args[0] if isinstance(error, pymysql.MySQLError) and error.args else 0
    return number if isinstance(number, int) else 0


def message(error: Exception) -> str:
    """Return the first line of what the server or the driver says, without a secret and its full stop."""
    words = error.args[1] if isinstance(error, pymysql.MySQLError) and len(error.args) > 1 else None
    text = first_line(Exception(str(words))) if words else first_line(error)
    return credentials.scrub("the connection is closed" if text in {"0", "(0, '')", "InterfaceError"} else text)


def table(location: ServerLocation) -> str:
    """Return the name of a store's table, quoted.

    Raises:
        StoreError: If it is none that the server can keep.
    """
    name = location.name
    if not 0 < len(name) <= LONGEST_NAME or name.endswith(" ") or max(name) > "\uffff" or "\0" in name:
        raise StoreError(
            f"{location}: a name of MySQL has 1 to {LONGEST_NAME} characters of the basic plane, and no space at its "
            "end. Choose another."
        )
    return "`" + name.replace("`", "``") + "`"
