"""Asks a server something, in a process of its own: ``python -m imgstore_tui.plugins.server_process``.

A driver may hang or crash, and the screen must not. The process reads one line of JSON, the secrets among it, from its
standard input, answers with one line, and ends; one that takes too long is killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

from imgstore_tui.core import credentials
from imgstore_tui.core.errors import ImgstoreError, StoreError, UnavailableError
from imgstore_tui.core.json_values import from_json, to_json
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.model import FAR_S, ServerFacts
from imgstore_tui.plugins import registry
from imgstore_tui.storekit import child_python
from imgstore_tui.storekit.server import PREFIX, ServerBackend

ASK_LIMIT_S = 20.0
"""A server is connected to within a quarter of that; the rest is for starting Python on a busy machine."""
REMOVE_LIMIT_S = 120.0
_LOOKS = 2
"""How often in a row a server must have no store of a run and no work for one: a request may reach it in between."""
_LOOK_AGAIN_S = 0.1
_DISTANCE_LOOKS, _DISTANCE_S = 6, 5.0
"""How often and how long a server with long round trips is asked for more of them."""
_SETTLE_S = 15.0
"""What a client that has died asked for takes no longer."""


def server_facts(location: ServerLocation) -> ServerFacts:
    """Return what the server of a location says of itself.

    Raises:
        UnavailableError: If it does not answer, refuses, or lacks the database.
    """
    facts: ServerFacts = from_json(ServerFacts, _ask("facts", location, ASK_LIMIT_S))
    return facts


def list_stores(location: ServerLocation, prefix: str) -> list[str]:
    """Return the names of the stores of ours in the place of a location whose names begin so.

    Raises:
        ImgstoreError: If the server cannot be asked.
    """
    names: list[str] = _ask("list", location, ASK_LIMIT_S, prefix=prefix)
    return names


def remove_stores(location: ServerLocation, prefix: str, limit_s: float = REMOVE_LIMIT_S) -> list[str]:
    """Remove the stores of ours in the place of a location whose names begin so, and return their names.

    The server has said by then, asked anew, that it has none of them and makes none.

    Raises:
        ImgstoreError: If one must stay, or the server cannot be asked.
    """
    names: list[str] = _ask("remove", location, limit_s, prefix=prefix)
    return names


def _ask(action: str, location: ServerLocation, limit_s: float, **more: str) -> Any:
    request = {"credentials": credentials.held(), "action": action, "location": location.public(), **more}
    process = subprocess.Popen(
        child_python.command("imgstore_tui.plugins.server_process"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=child_python.environment(),
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(json.dumps(request).encode(), limit_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise UnavailableError(f"{location.place} did not answer within {limit_s:.0f} s.") from None
    except BaseException:
        process.kill()
        process.wait()
        raise
    try:
        answer = json.loads(out)
    except ValueError:
        code = process.returncode
        raise UnavailableError(
            f"{location.place} could not be asked: the process that asks it ended ({code})."
        ) from None
    if "error" in answer:
        raise (UnavailableError if answer["unavailable"] else StoreError)(answer["error"])
    return answer["value"]


def _answer(request: dict[str, Any]) -> Any:
    location = registry.parse_location(request["location"])
    if not isinstance(location, ServerLocation):
        raise StoreError(f"{location} is not on a server.")
    kind = registry.server_of(location)
    registry.check_installed(kind)
    backend: ServerBackend = registry.with_defaults(kind)
    if request["action"] == "facts":
        # Facts first: what is wrong with the server is said best by them.
        facts = backend.facts(location)
        return to_json(_with_distance(backend, facts, location.child(f"{PREFIX}x")))
    if request["action"] == "remove":
        return _remove(backend, location, request["prefix"])
    return [store.name for store in backend.list_stores(location, request["prefix"])]


def _with_distance(backend: ServerBackend, facts: ServerFacts, location: ServerLocation) -> ServerFacts:
    """Add the shortest round trip; where it is long, look at it again, to tell a long line from a busy server."""
    deadline = time.monotonic() + _DISTANCE_S
    round_trips = [backend.ping(location)]
    while min(round_trips) >= FAR_S and len(round_trips) < _DISTANCE_LOOKS and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_S)
        round_trips.append(backend.ping(location))
    spread = max(round_trips) / min(round_trips) if len(round_trips) > 1 else None
    return replace(facts, round_trip_s=min(round_trips), round_trip_spread=spread)


def _remove(backend: ServerBackend, place: ServerLocation, prefix: str) -> list[str]:
    """Remove stores until the server, asked anew, has none and makes none; return their names.

    Raises:
        StoreError: If one is still there, or might still come, after ``_SETTLE_S`` seconds without another one.
    """
    removed: dict[str, None] = {}
    rests, deadline = 0, time.monotonic() + _SETTLE_S
    while rests < _LOOKS:
        ended = backend.end_requests(place, prefix)
        stores = backend.list_stores(place, prefix)
        rests = 0 if ended or stores else rests + 1
        for store in stores:
            backend.destroy(store)
            if store.name not in removed:
                removed[store.name], deadline = None, time.monotonic() + _SETTLE_S
        if rests < _LOOKS:
            if time.monotonic() > deadline:
                raise StoreError(f"{place} still works on what was asked for {prefix}*: more may come.")
            time.sleep(_LOOK_AGAIN_S)
    return list(removed)


def main() -> None:
    """Answer one request."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.read())
    credentials.hold(request["credentials"])
    try:
        answer: dict[str, Any] = {"value": _answer(request)}
    except ImgstoreError as error:
        answer = {"error": str(error), "unavailable": isinstance(error, UnavailableError)}
    except Exception as error:  # a driver's own error is a sentence too
        answer = {"error": credentials.scrub(f"{type(error).__name__}: {error}"), "unavailable": True}
    out.write(json.dumps(answer))
    out.flush()


if __name__ == "__main__":
    main()
