"""Checks the address and the password of a server as the user writes them; what is secret goes into memory only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.location import AddressForm, ServerLocation, secrets_in
from imgstore_tui.core.model import ServerFacts
from imgstore_tui.core.units import format_bytes, format_seconds
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.server import ServerBackend

PASSWORD = "password"  # noqa: S105 - the name of a line
_HERE = {True: "on this machine", False: "on another machine", None: "where it runs is unknown"}


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A server that the user has named."""

    location: ServerLocation
    secrets: Mapping[str, str]
    """What is to be held in memory, by the variable that it stands for."""


def address_hint(backend: type[ServerBackend]) -> str:
    """Return what an address looks like."""
    user = "USER@" if backend.address_form is AddressForm.TABLE else ""
    return f"{backend.schemes[0]}://{user}{backend.address_form.value.partition('#')[0]}"


def secret_lines(backend: type[ServerBackend]) -> tuple[str, ...]:
    """Return the names of the lines for what is secret: a password, or the keys that the server's own tools take."""
    return (PASSWORD,) if backend.address_form is AddressForm.TABLE else backend.secret_variables


def parse_address(backend: type[ServerBackend], text: str, secrets: Mapping[str, str]) -> ServerAddress:
    """Return the server that an address and secrets name.

    Args:
        backend: The backend whose server it is.
        text: The address, without a secret.
        secrets: What stands in each of the lines for secrets; empty where nothing does.

    Raises:
        UsageError: If the address is malformed, of another backend, or holds a secret.
    """
    text = text.strip()
    if "://" in text and secrets_in(text):
        raise UsageError("What is secret does not belong into the address, where it is shown. Write it below.")
    location = registry.parse_location(text) if text else None
    if not isinstance(location, ServerLocation):
        raise UsageError(f"Write the address of the server, e.g. {address_hint(backend)}.")
    if location.scheme not in backend.schemes:
        raise UsageError(f"That is the address of another kind of server. Write {address_hint(backend)}.")
    place = location if location.form is AddressForm.OBJECT else location.place
    url = place.public()
    held = {name: value for name, value in secrets.items() if value and name != PASSWORD}
    if password := secrets.get(PASSWORD):
        if not place.user:
            raise UsageError(f"A password is that of a user. Write {address_hint(backend)}.")
        user = quote(place.user, safe="")
        url = url.replace(f"://{user}@", f"://{user}:{quote(password, safe='')}@", 1)
    return ServerAddress(place, {backend.url_variable: url, **held})


def health_text(facts: ServerFacts) -> str:
    """Return what a server that answers has said of itself."""
    free = "" if facts.free_bytes is None else f", {format_bytes(facts.free_bytes)} free"
    settings = ", ".join(f"{name} {value}" for name, value in facts.settings.items())
    more = f" Settings: {settings}." if settings else ""
    emulator = ", an emulator, which is never ranked" if facts.emulator else ""
    away = (
        f", round trip {format_seconds(facts.round_trip_s)}" if facts.is_far and facts.round_trip_s is not None else ""
    )
    return f"It answers: {facts.product} {facts.version}{emulator}, {_HERE[facts.same_host]}{away}{free}.{more}"
