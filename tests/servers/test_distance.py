"""A run on a server at the end of a long line: its figures are those of the line, and it says so."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from imgstore_tui.core.location import ServerLocation
from imgstore_tui.plugins.server_process import server_facts
from tests.support.program import program
from tests.support.server_places import through
from tests.support.servers import server
from tests.support.tcp_proxy import TcpProxy, tcp_proxy

ROUND_TRIP_S = 0.02
SLOW_S = 0.1
IMAGES = 25
pytestmark = pytest.mark.timeout(170)


@pytest.mark.parametrize("name", ["postgres"], indirect=True)
def test_a_server_that_is_slow_at_first_is_not_called_far(name: str, place: ServerLocation, proxy: TcpProxy) -> None:
    location = through(name, place, proxy)
    proxy.delay_s, done = SLOW_S / 2, threading.Event()

    def settle() -> None:
        # Its facts are asked for by one connection, its round trips by one for each look.
        while proxy.connections < 3 and not done.wait(0.01):
            pass
        proxy.delay_s = ROUND_TRIP_S / 2

    thread = threading.Thread(target=settle)
    thread.start()
    try:
        started = server_facts(location)
    finally:
        done.set()
        thread.join()
    assert started.round_trip_s is not None
    assert started.round_trip_s < SLOW_S
    assert started.round_trip_spread is not None
    assert not started.is_far
    far = server_facts(location)
    assert far.round_trip_s is not None
    assert far.round_trip_s >= ROUND_TRIP_S
    assert far.is_far
    assert far.is_same(started)


@pytest.mark.parametrize(("name", "backend", "product"), [
    ("postgres", "postgres", "PostgreSQL"), ("seaweedfs", "s3", "S3 API (SeaweedFS)"),
])  # fmt: skip
def test_a_run_across_a_line_of_20_ms_is_right_and_says_so(name: str, backend: str, product: str) -> None:
    node = server(name)
    parts = urlsplit(node.url)
    port = urlsplit(dict(parse_qsl(parts.query))["endpoint"]).port if backend == "s3" else parts.port
    assert port is not None
    with tcp_proxy(port) as proxy:
        proxy.delay_s = ROUND_TRIP_S / 2
        settings: dict[str, Any] = {node.url_variable: node.url.replace(str(port), str(proxy.port), 1)}
        done = program(
            "run", "-b", f"{backend},{backend}:preset=plain,npy", "-n", str(IMAGES), "-d", "synthetic,size=16",
            "-o", "write-many,read-many", "--rounds", "1", "--save", "run.json", timeout=150, **settings,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"A request to {product} " in " ".join(done.stderr.split())
    assert f"the figures of {backend} are those of this distance" in " ".join(done.stderr.split())
    run = json.loads(Path("run.json").read_text())
    assert {row["status"] for row in run["measurements"]} == {"ok"}
    assert all(row["verified"] for row in run["measurements"])
    (facts,) = run["environment"]["servers"]
    assert facts["round_trip_s"] >= ROUND_TRIP_S
    for row in run["measurements"]:
        if row["backend"] == backend:
            assert row["round_trip_s"] >= ROUND_TRIP_S
            # One request after another: every one of them crosses the line.
            one_by_one = row["spec"].endswith("preset=plain")
            assert row["seconds"] >= ROUND_TRIP_S * (IMAGES if one_by_one else 1)
        else:
            assert row["round_trip_s"] is None
    shown = program("show", "run.json")
    text = " ".join(shown.stdout.split())
    assert f"{backend}: {product}" in text
    assert "round trip 2" in text or "round trip 3" in text or "round trip 4" in text
