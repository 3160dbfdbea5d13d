"""What goes wrong between a program and MariaDB is a sentence within seconds, and nothing is left."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pymysql", reason="pymysql is not installed (extra mysql)")

import pymysql

from imgstore_tui.core.backend import DurableBy, Writer
from imgstore_tui.core.errors import StoreError, UnavailableError
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import Material, StoreSetup, is_sentence
from tests.support.program import program
from tests.support.server_places import backend_of, hold, url_of
from tests.support.servers import PREFIX, own_node
from tests.support.tcp_proxy import TcpProxy

NAME = "mariadb"
CANARY = "canary-Pass'word\\1"


@pytest.fixture
def name() -> str:
    return NAME


@pytest.fixture
def node() -> Iterator[Node]:
    """Return a server that a test may stop."""
    with own_node("mariadb", password=CANARY) as running:
        yield running


def setup(text: str = "mysql") -> StoreSetup:
    return StoreSetup.of(text)


def fill(material: Material, writer: Writer) -> None:
    material.put(writer)
    writer.close()


def sql(location: ServerLocation, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements round everything that is tested; return the answer of the last one."""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(url_of(NAME))
    connection = pymysql.connect(
        host="127.0.0.1", port=parts.port, user=parts.username, password=unquote(parts.password or ""),
        database=location.database, charset="utf8mb4", autocommit=True,
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


def tables(location: ServerLocation, prefix: str) -> list[str]:
    return [name for (name,) in sql(location, "SHOW TABLES") if name.startswith(prefix)]


@pytest.mark.timeout(60)
def test_what_is_wrong_with_an_address_is_a_sentence(place: ServerLocation) -> None:
    url, backend = url_of(NAME), backend_of(NAME)
    cases = {
        "has no database 'nowhere'. Create it": f"{url.rpartition('/')[0]}/nowhere",
        "does not answer": url.replace(f":{place.port}/", ":1/"),
        "refuses: Access denied": url.replace("imgstore:", "imgstore:wrong"),
        "refuses: Access denied for user 'nobody'": url.replace("imgstore:", "nobody:"),
    }
    for words, wrong in cases.items():
        location = hold(NAME, wrong)
        for act in (backend.facts, lambda found: backend.open(found.child(f"{PREFIX}x"))):
            began = time.monotonic()
            with pytest.raises(UnavailableError) as caught:
                act(location)
            assert is_sentence(caught.value)
            assert words in str(caught.value)
            assert time.monotonic() - began < 10


@pytest.mark.timeout(60)
def test_a_server_that_takes_a_connection_and_says_nothing_is_given_up(place: ServerLocation, proxy: TcpProxy) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = url_of(NAME)
        location = hold(NAME, url.replace(f":{place.port}/", f":{silent.getsockname()[1]}/")).child(f"{PREFIX}silent")
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="does not answer: timed out"):
            setup().backend.open(location)
        assert time.monotonic() - began < 15


@pytest.mark.timeout(120)
def test_a_server_that_is_killed_while_a_store_is_written_and_comes_back(node: Node) -> None:
    location = hold(NAME, node.variables()["IMGSTORE_MYSQL_URL"]).child(f"{PREFIX}killed")
    one = setup("mysql+raw")
    material = one.material([(64, 64, 3)] * 40)
    writer = one.backend.create(location, material.content, SyncLevel.BUFFERED)
    node.kill()
    with pytest.raises(StoreError) as caught:
        fill(material, writer)
    assert is_sentence(caught.value, location)
    assert CANARY not in str(caught.value)
    writer.abort()
    with pytest.raises(UnavailableError):
        one.backend.open(location)
    node.start()
    for store in backend_of(NAME).list_stores(location.place, PREFIX):
        one.backend.destroy(store)
    one.make(location, material)
    material.check_store(one.backend, location)


@pytest.mark.timeout(170)
def test_a_run_goes_on_when_the_server_dies_and_shows_no_password(node: Node, own_home: Path) -> None:
    url = node.variables()["IMGSTORE_MYSQL_URL"]
    sql(hold(NAME, url), "CREATE TABLE neighbour AS SELECT 1 AS a")
    words = ["run", "-b", "mysql", "npy", "-n", "1,30", "-d", "synthetic,size=16", "--rounds", "1", "--quiet"]
    done = program(*words, "--save", "whole.json", IMGSTORE_MYSQL_URL=url)
    assert done.returncode == 0, done.stderr
    saved = json.loads(Path("whole.json").read_text())
    assert {row["status"] for row in saved["measurements"]} == {"ok"}
    assert saved["environment"]["servers"][0]["product"] == "MariaDB"
    assert tables(hold(NAME, url), "") == ["neighbour"]
    node.stop()
    refused = program(*words, IMGSTORE_MYSQL_URL=url)
    assert refused.returncode in (1, 3)
    assert "does not answer" in refused.stdout + refused.stderr
    node.start()
    for text in (done.stdout, done.stderr, refused.stdout, refused.stderr, Path("whole.json").read_text()):
        assert "canary-Pass" not in text
    for path in own_home.rglob("*"):
        assert not path.is_file() or b"canary-Pass" not in path.read_bytes(), path


@pytest.mark.timeout(120)
def test_an_image_beyond_max_allowed_packet_is_refused(node: Node) -> None:
    location = hold(NAME, node.variables()["IMGSTORE_MYSQL_URL"]).child(f"{PREFIX}large")
    sql(location, "SET GLOBAL max_allowed_packet = 1048576")
    for text in ("mysql+raw", "mysql+raw:preset=plain"):
        one = setup(text)
        image = np.random.default_rng(1).integers(0, 255, (800, 800, 3), np.uint8)
        material = one.pack([image], [7])
        with pytest.raises(StoreError, match="max_allowed_packet of the server is 1,048,576") as caught:
            one.make(location, material)
        assert is_sentence(caught.value, location)
        one.backend.destroy(location)
        assert tables(location, PREFIX) == []
        # Together they are longer than a statement may be.
        many = one.material([(300, 300, 3)] * 9)
        one.make(location, many)
        many.check_store(one.backend, location)
        one.backend.destroy(location)


def test_odd_names_are_names_and_too_long_ones_are_refused(place: ServerLocation) -> None:
    one = setup("mysql+raw")
    material = one.material([(3, 3, 3)] * 2)
    for name in (
        f'{PREFIX}quote"s',
        f"{PREFIX}`back`",
        f"{PREFIX}Capitals and blanks",
        f"{PREFIX}ünï.cöde",
        f"{PREFIX}a,b#c%41",
    ):
        location = place.child(name)
        assert registry.parse_location(location.public()) == location
        one.make(location, material)
        material.check_store(one.backend, location)
        assert [store.name for store in backend_of(NAME).list_stores(place, PREFIX)] == [name]
        assert (one.backend.disk_usage(location).apparent_bytes or 0) > 0
        backend_of(NAME).drain(location)
        one.backend.destroy(location)
        assert not one.backend.exists(location)
    for name in ("x" * 65, "blank at the end ", "\U0001f5bc"):
        with pytest.raises(StoreError, match="a name of MySQL has"):
            one.backend.open(place.child(name))


def test_tables_of_somebody_else_are_neither_read_nor_removed(place: ServerLocation) -> None:
    sql(
        place, f"CREATE TABLE {PREFIX}theirs (a INT)", f"INSERT INTO {PREFIX}theirs VALUES (1)",
        f"CREATE TABLE {PREFIX}alike (id BIGINT, label BIGINT, data LONGBLOB)",
        f"CREATE VIEW {PREFIX}view AS SELECT 1 AS id",
    )  # fmt: skip
    one = setup("mysql+raw")
    for name in (f"{PREFIX}theirs", f"{PREFIX}alike", f"{PREFIX}view"):
        for act in (one.backend.open, one.backend.destroy):
            with pytest.raises(StoreError) as caught:
                act(place.child(name))
            assert is_sentence(caught.value, place.child(name))
        with pytest.raises(StoreError, match="exists already"):
            one.make(place.child(name), one.material([(3, 3, 3)]))
    assert backend_of(NAME).list_stores(place, PREFIX) == []
    assert sql(place, f"SELECT a FROM {PREFIX}theirs") == [(1,)]
    sql(place, f"DROP VIEW {PREFIX}view", f"DROP TABLE {PREFIX}theirs, {PREFIX}alike")


def test_what_the_server_forces_decides_what_a_level_promises(place: ServerLocation) -> None:
    backend = backend_of(NAME)
    fast = backend.durability(place.child("x"), SyncLevel.END)
    assert fast.by is DurableBy.NOTHING
    assert is_sentence(fast.reason)
    with own_node("mariadb", fast=False) as node:
        location = hold(NAME, node.variables()["IMGSTORE_MYSQL_URL"]).child("x")
        durable = backend.durability(location, SyncLevel.END)
        assert durable.by is DurableBy.ACKNOWLEDGE
        assert "innodb_flush_log_at_trx_commit=1" in durable.reason
        assert backend.durability(location, SyncLevel.BUFFERED).by is DurableBy.ACKNOWLEDGE
        assert levels_of_a_run(node) == {"mysql": {"forced"}, "npy": {"buffered"}}


def levels_of_a_run(node: Node) -> dict[str, set[str]]:
    """Return the sync levels of the rows of a run that asks for buffered writes, and check that they end."""
    done = program(
        "run", "-b", "mysql", "npy", "-n", "1,20", "-d", "synthetic,size=16", "-o", "write-many", "--rounds", "1",
        "--quiet", "--json", IMGSTORE_MYSQL_URL=node.variables()["IMGSTORE_MYSQL_URL"],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["measurements"]
    assert {row["status"] for row in rows} == {"ok"}
    return {name: {row["sync"] for row in rows if row["backend"] == name} for name in ("mysql", "npy")}


def test_a_server_that_forces_nothing_is_ranked_as_buffered(node: Node, own_home: Path) -> None:
    assert levels_of_a_run(node) == {"mysql": {"buffered"}, "npy": {"buffered"}}


def test_a_session_that_is_not_ours_sees_no_password_in_arguments(node: Node) -> None:
    assert node.password == CANARY
    for pid in node.pids:
        assert b"canary" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    location = hold(NAME, node.variables()["IMGSTORE_MYSQL_URL"])
    assert CANARY not in str(replace(location, name="x"))
