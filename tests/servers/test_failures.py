"""What goes wrong between a program and a server of any kind is a sentence, and nothing is left.

What one kind has of its own is in its own file: ``test_mysql_failures``, ``test_nosql_failures``,
``test_object_failures``, ``cli/test_servers`` for PostgreSQL.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from imgstore_tui.core import credentials
from imgstore_tui.core.errors import StoreError, UnavailableError, UsageError
from imgstore_tui.core.location import AddressForm, ServerLocation, secrets_in
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.jobs.servers.catalogue import recipe
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import StoreSetup, is_sentence
from tests.support.program import program, sentence
from tests.support.server_places import backend_of, hold, kind_of, setup_of, through, url_of
from tests.support.servers import PREFIX, own_node
from tests.support.tcp_proxy import TcpProxy

SERVERS = ("postgres", "mariadb", "mongodb", "cassandra", "seaweedfs", "fake-gcs", "azurite")
"""One of each kind of storage."""
HTTP = b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnone"
pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("no address at all", "kind of server"),
        ("ftp://h/db", "kind of address"),
        ("{scheme}://", "names no"),
        ("{scheme}://[::1/db", "malformed"),
        ("{scheme}://h/d b", "Percent-encode it"),
        ("{scheme}://h/d%zz", "Percent-encode it"),
    ],
)
@pytest.mark.parametrize("name", SERVERS)
def test_an_address_that_is_none_is_a_sentence_that_repeats_nothing_of_it(name: str, wrong: str, words: str) -> None:
    kind = kind_of(name)
    credentials.hold({kind.url_variable: wrong.format(scheme=kind.schemes[0])})
    with pytest.raises(UsageError) as caught:
        kind.address()
    assert is_sentence(caught.value)
    assert str(caught.value).startswith(f"{kind.url_variable}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [("{scheme}://h:port/db", "valid host and port"), ("{scheme}://h:70000/db", "port"), ("{scheme}://h", "database")],
)
@pytest.mark.parametrize("name", [one for one in SERVERS if kind_of(one).address_form is AddressForm.TABLE])
def test_an_address_without_a_port_or_database_is_a_sentence(name: str, wrong: str, words: str) -> None:
    kind = kind_of(name)
    credentials.hold({kind.url_variable: wrong.format(scheme=kind.schemes[0])})
    with pytest.raises(UsageError) as caught:
        kind.address()
    assert is_sentence(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "greeting", "address", "words"),
    [
        ("postgres", HTTP, "postgresql://u:pass@{host}/place", "is no PostgreSQL server"),
        ("mariadb", b"SSH-2.0-OpenSSH_9.2\r\n", "mysql://u:pass@{host}/place", "is no MySQL server"),
        ("mongodb", HTTP, "mongodb://u:pass@{host}/place", "is no MongoDB server"),
        ("cassandra", HTTP, "cassandra://u:pass@{host}/place", "is no Cassandra server"),
        (
            "seaweedfs",
            HTTP,
            "s3://place?endpoint=http://{host}&access_key_id=a&secret_access_key=b",
            "no bucket 'place'",
        ),
        ("fake-gcs", HTTP, "gs://place?endpoint=http://{host}", "no bucket 'place'"),
        ("azurite", HTTP, "az://place?endpoint=http://{host}&account=a&account_key=YQ==", "no container 'place'"),
    ],
)
def test_a_program_of_another_kind_is_not_called_a_server_that_does_not_answer(
    name: str, greeting: bytes, address: str, words: str
) -> None:
    kind = kind_of(name)
    pytest.importorskip(kind.requires[0], reason=f"{kind.requires[0]} is not installed (extra {kind.extra})")
    with greeter(greeting) as port:
        place = hold(name, address.format(host=f"127.0.0.1:{port}"))
        began = time.monotonic()
        with pytest.raises(UnavailableError) as caught:
            backend_of(name).facts(place)
    assert is_sentence(caught.value)
    assert words in str(caught.value)
    assert time.monotonic() - began < 20


@contextlib.contextmanager
def greeter(greeting: bytes) -> Iterator[int]:
    """Yield a port at which whoever connects is told one thing, asked or not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client = listener.accept()[0]
                    with contextlib.suppress(OSError), client:
                        if greeting is HTTP:
                            client.recv(2**16)
                        client.sendall(greeting)
                        client.shutdown(socket.SHUT_WR)
                        client.recv(2**16)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("name", SERVERS)
def test_a_client_that_is_not_installed_is_a_sentence_with_the_command_that_gets_it(name: str) -> None:
    kind = kind_of(name)
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({kind.requires}))\n"
        f"sys.argv[1:] = ['run', '-b', '{kind.name}', '-n', '1']; from imgstore_tui.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3
    said = sentence(done)
    assert f"'{kind.name}' needs {kind.requires[0]}, not installed. Run: " in said
    assert "pip install" in said


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("postgres", {"nonsense": "1"}, 'cannot be used: invalid connection option "nonsense"'),
        ("mongodb", {"nonsense": "1"}, "its parameter 'nonsense' is unknown"),
        ("mongodb", {"tls": "perhaps"}, "'perhaps' is no value of it"),
        ("postgres", {"sslmode": "require"}, "the encryption that the address asks for fails"),
        ("mariadb", {"ssl-mode": "VERIFY_IDENTITY"}, "the encryption that the address asks for fails"),
        ("mongodb", {"tls": "true"}, "the encryption that the address asks for fails"),
    ],
    indirect=["name"],
)
def test_what_an_address_asks_for_is_never_passed_over(
    name: str, parameters: dict[str, str], words: str, place: ServerLocation
) -> None:
    asking = replace(place, parameters=(*place.parameters, *parameters.items()))
    with pytest.raises(UnavailableError) as caught:
        backend_of(name).facts(asking)
    assert is_sentence(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["seaweedfs", "fake-gcs", "azurite"], indirect=True)
def test_an_odd_bucket_or_prefix_is_a_sentence(name: str, place: ServerLocation) -> None:
    for odd in (replace(place, database="No B\"u'cket ü"), place.child("a/../b"), place.child("a//b")):
        with pytest.raises((UnavailableError, StoreError)) as caught:
            backend_of(name).facts(odd)
        assert is_sentence(caught.value), caught.value


def test_a_bucket_that_is_missing_is_named_where_it_would_be_a_folder() -> None:
    with own_node("fake-gcs", fast=False) as node:
        place = replace(hold("fake-gcs", node.variables()["IMGSTORE_GCS_URL"]), database="no-such-bucket")
        with pytest.raises(UnavailableError, match="has no bucket 'no-such-bucket'"):
            backend_of("fake-gcs").facts(place)


@pytest.mark.parametrize("name", ["fake-gcs", "azurite"], indirect=True)
def test_a_bucket_that_is_missing_is_named(name: str, place: ServerLocation) -> None:
    backend, missing = backend_of(name), replace(place, database="no-such-bucket")
    acts: list[Callable[[], object]] = [
        lambda: backend.facts(missing),
        lambda: backend.exists(missing.child("x")),
        lambda: setup_of(name).make(missing.child("x"), setup_of(name).material([(3, 3, 3)])),
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(UnavailableError) as caught:
            act()
        assert is_sentence(caught.value)
        assert f"has no {'bucket' if name == 'fake-gcs' else 'container'} 'no-such-bucket'" in str(caught.value)


@pytest.mark.parametrize("name", ["azurite"], indirect=True)
def test_a_wrong_key_is_refused_and_not_repeated(name: str, place: ServerLocation) -> None:
    (key,) = secrets_in(url_of(name))
    wrong = "d3JvbmcgY2FuYXJ5IGtleQ=="
    location = hold(name, url_of(name).replace(quote(key, safe=""), quote(wrong, safe="")))
    for act in (backend_of(name).facts, lambda found: backend_of(name).open(found.child("x"))):
        with pytest.raises(UnavailableError) as caught:
            act(location)
        assert is_sentence(caught.value)
        assert "refuses" in str(caught.value)
        assert "AZURE_STORAGE_ACCOUNT_KEY" in str(caught.value)
        assert wrong not in str(caught.value)


@pytest.mark.parametrize("name", ["postgres", "mariadb", "mongodb", "cassandra", "fake-gcs", "azurite"], indirect=True)
def test_a_connection_that_is_cut_while_writing_is_a_sentence(
    name: str, place: ServerLocation, proxy: TcpProxy
) -> None:
    one = setup_of(name)
    material = one.material([(64, 64, 3)] * 40)
    location = through(name, place, proxy).child(f"{PREFIX}cut")
    proxy.cut_after = 100_000
    with pytest.raises(StoreError) as caught:
        one.make(location, material)
    assert is_sentence(caught.value, location)
    assert "the server has gone" in str(caught.value) or "ended the connection" in str(caught.value)
    assert proxy.reset
    proxy.cut_after = None
    assert set(backend_of(name).list_stores(location.place, location.name)) <= {location}
    with pytest.raises(StoreError, match=r"never finished|does not exist"):
        one.backend.open(location)
    one.backend.destroy(location)
    assert not one.backend.exists(location)
    one.make(location, material)
    material.check_store(one.backend, location)


@pytest.mark.parametrize("name", SERVERS, indirect=True)
def test_a_link_of_20_ms_is_slower_and_right(name: str, place: ServerLocation, proxy: TcpProxy) -> None:
    one = setup_of(name)
    material = one.material([(16, 16, 3)] * 30)
    location = through(name, place, proxy).child(f"{PREFIX}slow")
    proxy.delay_s = 0.01
    one.make(location, material)
    material.check_store(one.backend, location)
    assert backend_of(name).ping(location) >= 0.02


@pytest.mark.parametrize("name", ["mongodb", "cassandra"], indirect=True)
def test_of_two_editors_the_second_is_refused(name: str, place: ServerLocation) -> None:
    one = setup_of(name)
    location = one.make(place.child(f"{PREFIX}shared"), one.material([(3, 3, 3)] * 4))
    first, second = (one.backend.edit(location, SyncLevel.BUFFERED) for _ in range(2))
    first.delete([3])
    first.close()
    with pytest.raises(StoreError, match="another process changes it"):
        second.delete([2])
    second.abort()
    with one.backend.open(location) as reader:
        assert list(reader.ids()) == [0, 1, 2]


@pytest.mark.parametrize("name", ["postgres", "mongodb", "fake-gcs", "azurite"], indirect=True)
def test_odd_names_are_names(name: str, place: ServerLocation) -> None:
    one = setup_of(name)
    material = one.material([(3, 3, 3)] * 2)
    for word in ("quote\"s and 'others'", "Capitals and blanks", "ünï-cöde", "a,b#c%41", "semi;colon--"):
        location = place.child(f"{PREFIX}{word}")
        assert registry.parse_location(location.public()) == location
        one.make(location, material)
        material.check_store(one.backend, location)
        with one.backend.edit(location, SyncLevel.BUFFERED) as editor:
            editor.put_array([1], material.array[1:2], material.labels[1:2])
        material.check_store(one.backend, location)
        assert [store.name for store in backend_of(name).list_stores(place, PREFIX)] == [location.name]
        one.backend.destroy(location)
        assert not one.backend.exists(location)


@pytest.mark.parametrize(("name", "product"), [("postgres", "PostgreSQL"), ("mariadb", "MariaDB")], indirect=["name"])
def test_a_server_that_is_too_old_is_refused(name: str, product: str, place: ServerLocation, proxy: TcpProxy) -> None:
    major, _, minor = backend_of(name).facts(place).version.partition(".")
    location = through(name, place, proxy)
    # What the server says of itself is changed on its way, and is as long as before.
    proxy.replaced = {
        "postgres": (f"server_version\0{major}".encode(), f"server_version\0{'9'.zfill(len(major))}".encode()),
        "mariadb": (f"-{major}.{minor.partition('.')[0]}.".encode(), f"-{'5'.zfill(len(major))}.01.".encode()),
    }[name]
    with pytest.raises(UnavailableError) as caught:
        backend_of(name).facts(location)
    assert is_sentence(caught.value)
    assert product in str(caught.value)
    assert "on it can be used. Update it, or name another." in str(caught.value)


@pytest.mark.parametrize("name", ["fake-gcs", "azurite"], indirect=True)
def test_an_image_beyond_what_a_request_takes_is_refused(
    name: str, place: ServerLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real limits are terabytes and 5 GB: the images of this test are small, and so is the limit.
    monkeypatch.setattr(kind_of(name), "most_bytes", 1000)
    location = place.child(f"{PREFIX}large")
    with pytest.raises(StoreError, match="at most 1,000 bytes"):
        setup_of(name).make(location, setup_of(name).material([(64, 64, 3)] * 2))
    backend_of(name).destroy(location)


@pytest.mark.parametrize("name", ["fake-gcs", "azurite"])
def test_a_server_that_dies_while_a_store_is_written_is_a_sentence(name: str) -> None:
    with own_node(name) as node:
        location = hold(name, node.variables()[kind_of(name).url_variable]).child("half")
        one = StoreSetup.of(f"{recipe(name).backend}+raw:layout=object")
        material = one.material([(40, 41, 3)] * 40)
        writer = one.backend.create(location, material.content, SyncLevel.BUFFERED)
        material.put(writer, 0, 20)
        node.kill()
        with pytest.raises(UnavailableError) as caught:
            material.put(writer, 20)
        assert is_sentence(caught.value)
        writer.abort()
        node.start()
        with pytest.raises(StoreError):
            one.backend.open(location)
        one.backend.destroy(location)
        assert not one.backend.exists(location)


@pytest.mark.parametrize(
    "name",
    ["mariadb", "mongodb", "seaweedfs", "fake-gcs", pytest.param("cassandra", marks=pytest.mark.full),
     pytest.param("azurite", marks=pytest.mark.full)],
)  # fmt: skip
def test_a_run_goes_on_when_the_server_is_killed_in_the_middle(name: str, own_home: Path) -> None:
    backend = recipe(name).backend
    with own_node(name) as node:
        settings: dict[str, Any] = node.variables()

        def die() -> None:
            while not any(b'"ok"' in path.read_bytes() for path in own_home.rglob("*.jsonl")):
                time.sleep(0.02)
            node.kill()

        thread = threading.Thread(target=die)
        thread.start()
        words = ("run", "-b", f"{backend},npy", "-n", "100", "-o", "write-many,read-many", "-d", "synthetic,size=32",
                 "--rounds", "3", "--quiet", "--budget", "none", "--save", "run.json")  # fmt: skip
        done = program(*words, timeout=280, **settings)
        thread.join()
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr + done.stdout
        rows = json.loads(Path("run.json").read_text())["measurements"]
        assert {row["status"] for row in rows if row["backend"] == "npy"} == {"ok"}
        reasons = {row["reason"] for row in rows if row["backend"] == backend and row["status"] == "failed"}
        assert reasons
        assert all(is_sentence(reason) for reason in reasons), reasons
        assert any("does not answer" in reason or "has gone" in reason for reason in reasons), reasons
        node.start()
        swept = program("sweep", **settings)
        assert swept.returncode == 0, swept.stderr
        assert program("sweep", "--list", **settings).stderr.startswith("Nothing is left of any run")
        assert not backend_of(name).list_stores(hold(name, settings[kind_of(name).url_variable]), "imgstore_tui")
