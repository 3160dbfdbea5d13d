"""What goes wrong between a program and MongoDB or Cassandra is a sentence within seconds, and nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pymongo", reason="pymongo is not installed (extra mongodb)")
pytest.importorskip("cassandra", reason="cassandra is not installed (extra cassandra)")

from imgstore_tui.core.backend import Writer
from imgstore_tui.core.errors import StoreError, UnavailableError
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.testing.store_material import Material, is_sentence
from tests.support.program import program
from tests.support.server_places import backend_of, hold, setup_of, through, url_of, variable_of
from tests.support.servers import PREFIX, own_node
from tests.support.tcp_proxy import TcpProxy

CANARY = "canary-Pass#word@1"
SERVERS = ("mongodb", "cassandra")
pytestmark = pytest.mark.timeout(300)


def fill(material: Material, writer: Writer) -> None:
    material.put(writer)
    writer.close()


@pytest.fixture(params=SERVERS)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_what_is_wrong_with_an_address_is_a_sentence(name: str, place: ServerLocation) -> None:
    url = url_of(name)
    password = url.partition("@")[0].rpartition(":")[2]
    cases = {"does not answer": url.replace(f":{place.port}/", ":1/"), "refuses": url.replace(password, "wr0ng-Pa33")}
    for words, wrong in cases.items():
        location = hold(name, wrong)
        for act in (backend_of(name).facts, lambda found: backend_of(name).open(found.child(f"{PREFIX}x"))):
            began = time.monotonic()
            with pytest.raises(UnavailableError) as caught:
                act(location)
            assert is_sentence(caught.value)
            assert words in str(caught.value)
            assert "wr0ng" not in str(caught.value)
            assert time.monotonic() - began < 30


def test_a_server_that_falls_silent_is_given_up(name: str, place: ServerLocation, proxy: TcpProxy) -> None:
    one = setup_of(name)
    material = one.material([(64, 64, 3)] * 4)
    location = through(name, place, proxy).child(f"{PREFIX}silent")
    writer = one.backend.create(location, material.content, SyncLevel.BUFFERED)
    proxy.silent = True
    began = time.monotonic()
    with pytest.raises(StoreError) as caught:
        fill(material, writer)
    assert is_sentence(caught.value, location)
    assert "has not answered" in str(caught.value)
    with pytest.raises(UnavailableError, match="does not answer"):
        one.backend.open(location)
    assert time.monotonic() - began < 90
    writer.abort()


@pytest.mark.parametrize(
    ("name", "bytes_sent", "words"),
    [
        # The driver's own word for what the server can do: the bytes of its answer are changed on their way.
        ("mongodb", (b"maxWireVersion\x00\x11", b"maxWireVersion\x00\x05"), "requires at least"),
        # The server's own word for a protocol that it does not know: the first bytes of the request are changed.
        ("cassandra", (b"\x05\x00\x00\x00\x05\x00\x00\x00\x00", b"\x09\x00\x00\x00\x05\x00\x00\x00\x00"), "older than"),
    ],
)
def test_a_server_that_is_too_old_is_refused(
    name: str, bytes_sent: tuple[bytes, bytes], words: str, place: ServerLocation, proxy: TcpProxy
) -> None:
    location = through(name, place, proxy)
    proxy.replaced = bytes_sent
    with pytest.raises(UnavailableError) as caught:
        backend_of(name).facts(location)
    assert is_sentence(caught.value)
    assert words in str(caught.value)


def test_a_large_image_among_small_ones_comes_back(name: str, place: ServerLocation) -> None:
    one = setup_of(name)
    shapes = [(2600, 2600, 3), *((1 + number % 90, 1 + number % 70, 3) for number in range(300))]
    material = one.material(shapes)
    location = one.make(place.child(f"{PREFIX}large"), material)
    material.check_store(one.backend, location)


def test_a_store_goes_in_and_out_and_whole(name: str, place: ServerLocation) -> None:
    url = url_of(name)
    address = f"{place.public()}#{PREFIX}converted"
    settings: dict[str, Any] = {variable_of(name): url}
    words = ("convert", "synthetic,size=16", name, address, "--count", "300", "--quiet")
    done = program(*words, **settings)
    assert done.returncode == 0, done.stderr
    again = program(*words, **settings)
    assert again.returncode == 2
    assert "exists already" in again.stderr
    replaced = program(*words, "--replace", **settings)
    assert replaced.returncode == 0, replaced.stderr
    out = program("convert", f"store:{address}", "npy", "out.npy", "--quiet", **settings)
    assert out.returncode == 0, out.stderr
    stores = [store.name for store in backend_of(name).list_stores(place, f"{PREFIX}converted")]
    assert stores == [f"{PREFIX}converted"]
    with backend_of(name).open(place.child(f"{PREFIX}converted")) as reader:
        assert reader.content.count == 300


def test_a_kill_right_after_a_store_has_its_name_leaves_nothing(
    name: str, place: ServerLocation, own_home: Path
) -> None:
    address = f"{place.public()}#{PREFIX}delivered"
    script = (
        "import os, sys; from imgstore_tui.jobs.convert import workspace; from imgstore_tui.__main__ import main\n"
        "workspace.Workspace.finish = lambda self: os.kill(os.getpid(), 9)\n"
        "main()"
    )
    words = ["convert", "synthetic,size=16", name, address, "--count", "30", "--quiet"]
    settings: dict[str, Any] = {variable_of(name): url_of(name)}
    died = subprocess.run(
        [sys.executable, "-c", script, *words], env={**os.environ, **settings}, check=False, capture_output=True
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert len(list((own_home / "conversions").iterdir())) == 1
    again = program(*words, **settings)
    assert "exists already" in again.stderr
    assert list((own_home / "conversions").iterdir()) == []
    with backend_of(name).open(place.child(f"{PREFIX}delivered")) as reader:
        assert reader.content.count == 30


def test_a_run_goes_on_when_the_server_dies_and_shows_no_password(name: str, own_home: Path) -> None:
    with own_node(name, password=CANARY) as node:
        url = node.variables()[variable_of(name)]
        settings: dict[str, Any] = {variable_of(name): url}
        words = ["run", "-b", name, "npy", "-n", "1,30", "-d", "synthetic,size=16", "--rounds", "1", "--quiet"]
        done = program(*words, "--save", "whole.json", timeout=250, **settings)
        assert done.returncode == 0, done.stderr + done.stdout
        saved = json.loads(Path("whole.json").read_text())
        assert {row["status"] for row in saved["measurements"]} == {"ok"}
        assert saved["environment"]["servers"][0]["version"]
        assert not backend_of(name).list_stores(hold(name, url), "")
        node.stop()
        refused = program(*words, **settings)
        assert refused.returncode in (1, 3)
        assert "does not answer" in refused.stdout + refused.stderr
    for text in (done.stdout, done.stderr, refused.stdout, refused.stderr, Path("whole.json").read_text()):
        assert "canary-Pass" not in text
    for path in own_home.rglob("*"):
        assert not path.is_file() or b"canary-Pass" not in path.read_bytes(), path
