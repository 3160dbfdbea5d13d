"""Defines where a store lives: a path, or a name on a server; and the text of both.

A local location is a ``pathlib.Path``. A server's is a ``ServerLocation``, which never holds a secret. An address goes
to the end of the text; ``,`` ``#`` ``"`` ``%`` and spaces in a part of it are percent-encoded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from imgstore_tui.core.errors import UsageError, unknown_name
from imgstore_tui.core.paths import expand_path

_ADDRESS = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*)://")
_FILE = re.compile(r"^file:(?=[/.~])", re.IGNORECASE)
_BAD_ENCODING = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SECRET_PARAMETER = re.compile(
    r"passw|pwd|passphrase|secret|token|credential|signature|^sig$|(access|account|api|shared|private)[_-]?key",
    re.IGNORECASE,
)


class AddressForm(StrEnum):
    """How an address names a store; the value is what is shown to the user."""

    TABLE = "HOST/DATABASE#NAME"
    OBJECT = "BUCKET/NAME"

    @property
    def place(self) -> str:
        """The same of where stores are made."""
        return self.value.partition("#")[0].replace("/NAME", "/PREFIX")


@dataclass(frozen=True, slots=True)
class Scheme:
    """What the addresses of one scheme are: declared by the backend that takes them."""

    form: AddressForm
    url_variable: str
    """The environment variable that holds an address with its password."""
    parameters: frozenset[str] | None = None
    """What may follow the question mark, ``_`` and ``-`` and capitals being alike; None where the driver decides."""


@dataclass(frozen=True, slots=True)
class ServerLocation:
    """A place on a server: a database or bucket, and the name of a store in it. It holds no secret."""

    scheme: str
    host: str = ""
    """Name or address of the machine, several separated by commas; empty where the driver knows it."""
    port: int | None = None
    database: str = ""
    """Database, keyspace or bucket."""
    name: str = ""
    """Table, collection or prefix of the store; empty for the place in which stores are made."""
    user: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    """What follows the question mark, in its order."""
    form: AddressForm = AddressForm.TABLE

    def child(self, name: str) -> ServerLocation:
        """Return the location of a store called ``name`` in this place."""
        prefix = f"{self.name}/" if self.form is AddressForm.OBJECT and self.name else ""
        return replace(self, name=prefix + name)

    @property
    def place(self) -> ServerLocation:
        """The database or bucket that it is in."""
        return replace(self, name="")

    def public(self) -> str:
        """Return the address as text, which ``parse_location`` takes apart again."""
        query = f"?{urlencode(self.parameters, quote_via=quote)}" if self.parameters else ""
        if self.form is AddressForm.OBJECT:
            name = f"/{quote(self.name)}" if self.name else ""
            return f"{self.scheme}://{quote(self.database, safe='')}{name}{query}"
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host and "," not in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        name = f"#{quote(self.name, safe='')}" if self.name else ""
        return f"{self.scheme}://{user}{host.replace(',', '%2C')}{port}/{quote(self.database, safe='')}{query}{name}"

    def __str__(self) -> str:
        return self.public()


Location: TypeAlias = Path | ServerLocation


def public_text(location: Location) -> str:
    """Return the text of a location that may be shown, saved and logged."""
    return location.public() if isinstance(location, ServerLocation) else str(location)


def is_address(text: str) -> bool:
    """Whether a text begins like an address, which then goes to its end: ``SCHEME://`` or ``file:``."""
    return _ADDRESS.match(text) is not None or _FILE.match(text) is not None


def parse_location(text: str, schemes: Mapping[str, Scheme]) -> Location:
    """Take the text of a location apart; a path that exists is a path, whatever it looks like.

    Args:
        text: A path, an address, or either in double quotes.
        schemes: The schemes of the servers that are known here.

    Raises:
        UsageError: If it is malformed, of an unknown scheme, or holds a password or key.
    """
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not is_address(text) or os.path.lexists(text):
        return expand_path(text)
    if _FILE.match(text):
        return _file(text)
    try:
        parts = urlsplit(text)
    except ValueError:
        raise UsageError(f"An address that begins with '{text.partition('://')[0]}://' is malformed.") from None
    if parts.scheme not in schemes:
        raise unknown_name("kind of address", parts.scheme, {*schemes, "file"})
    return parse_server(text, parts, schemes[parts.scheme])


def server_of(url: str, schemes: Mapping[str, Scheme]) -> tuple[ServerLocation, str | None]:
    """Take apart the address that an environment variable holds; return it and its password.

    Raises:
        UsageError: If it is malformed or of an unknown scheme; the message holds no part of it that may be secret.
    """
    try:
        parts = urlsplit(url)
        password = None if parts.password is None else unquote(parts.password)
    except ValueError:
        raise UsageError("The address is malformed.") from None
    if not _ADDRESS.match(url):
        scheme = next(iter(schemes))
        raise UsageError(f"The address names no kind of server. Write {scheme}://{schemes[scheme].form.place}.")
    if parts.scheme not in schemes:
        raise unknown_name("kind of address", parts.scheme[:32], schemes)
    return parse_server(url, parts, schemes[parts.scheme], secrets=True), password


def parse_server(text: str, parts: SplitResult, scheme: Scheme, *, secrets: bool = False) -> ServerLocation:
    """Build a server location from the parts of an address; what is secret is left out, or refused.

    Raises:
        UsageError: If it is malformed, or holds a password or key and ``secrets`` is false.
    """
    head = f"An address {parts.scheme}://"
    example = f"Write {parts.scheme}://{scheme.form.place if secrets else scheme.form}."
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    open_parameters = tuple(pair for pair in parameters if not _SECRET_PARAMETER.search(pair[0]))
    # First of all: no message below may repeat what is secret.
    # A password that is not encoded may hold what ends a host.
    user_and_password = unquote(text.partition("://")[2].rpartition("@")[0])
    # What stands behind # is a name, even where parameters were meant.
    behind = parse_qsl(parts.fragment.partition("?")[2], keep_blank_values=True)
    hidden = len(open_parameters) < len(parameters) or any(_SECRET_PARAMETER.search(name) for name, _ in behind)
    if not secrets and (":" in user_and_password or hidden):
        raise UsageError(
            f"{head} with a password or key is not taken as an argument, where others can read it. "
            f"Leave it out here and set the variable {scheme.url_variable}."
        )
    if _UNPRINTABLE.search(text) or '"' in text or _BAD_ENCODING.search(text):
        raise UsageError(f"{head} holds a space, a quotation mark or a lone % sign. Percent-encode it.")
    path = unquote(parts.path.strip("/"))
    if any(_CONTROL.search(part) for part in (unquote(parts.netloc), path, unquote(parts.fragment))):
        raise UsageError(f"{head} holds a control character. Leave it out.")
    _check_parameters(parts.scheme, open_parameters, scheme.parameters)
    if scheme.form is AddressForm.OBJECT:
        if not parts.netloc or "@" in parts.netloc:
            raise UsageError(f"{head} names no bucket. {example}")
        return ServerLocation(
            parts.scheme, database=unquote(parts.netloc), name=path, parameters=open_parameters, form=scheme.form
        )
    host, port = _host(parts.netloc.rpartition("@")[2], head)
    user = unquote(parts.netloc.rpartition("@")[0].partition(":")[0])
    if not host:
        raise UsageError(f"{head} names no host. {example}")
    if not path:
        raise UsageError(f"{head}{host} names no database. {example}")
    if "/" in path:
        raise UsageError(f"{head}{host} names more than a database. {example}")
    return ServerLocation(parts.scheme, host, port, path, unquote(parts.fragment), user, open_parameters, scheme.form)


def _check_parameters(scheme: str, given: Sequence[tuple[str, str]], known: frozenset[str] | None) -> None:
    """Raise UsageError for a parameter that would be passed over, such as one that asks for encryption."""
    for name, _ in given:
        if known is not None and _folded(name) not in map(_folded, known):
            raise unknown_name(f"parameter of an address {scheme}://", name, known)


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")


def secrets_in(url: str) -> list[str]:
    """Return the secret parts of an address: its password, and parameters that are called like one."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return [url]
    return [
        value
        for value in (parts.password, *(value for name, value in pairs if _SECRET_PARAMETER.search(name)))
        if value
    ]


def _host(text: str, head: str) -> tuple[str, int | None]:
    """Split host and port; several hosts stay together with their ports."""
    text = unquote(text)
    if "," in text:
        return text, None
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^:\[\]]*))(?::(\d*))?", text)
    if match is None:
        raise UsageError(f"{head} has no valid host and port.")
    port = int(match[3]) if match[3] else None
    if port is not None and not 0 < port < 65_536:
        raise UsageError(f"{head} has the port {port}, which is not between 1 and 65535.")
    return match[1] or match[2], port


def _file(text: str) -> Path:
    rest = text[len("file:") :]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost") or not slash:
            raise UsageError(f"'{text}' names another machine. Write file:///PATH.")
        rest = f"/{path}"
    return expand_path(unquote(rest))
