"""A store counts as removed when the server, asked anew, has none of it and makes none.

What is provoked here: a client that dies while the server waits to do what it asked for; an object that is put after
its store was removed; a node that was killed before its schema was in its files.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from imgstore_tui.core import credentials
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.plugins.server_process import list_stores, remove_stores
from imgstore_tui.testing.store_material import StoreSetup
from tests.support.server_places import backend_of, setup_of
from tests.support.servers import own_node

PREFIX = f"imgstore_tui_dead{os.getpid()}_"
_COMMIT_LOG_S = 10.0
"""The period after which Cassandra forces its commit log."""
pytestmark = pytest.mark.timeout(300)


@contextlib.contextmanager
def _postgres_held(url: str) -> Iterator[Any]:
    import psycopg

    with psycopg.connect(url) as held, psycopg.connect(url, autocommit=True) as other:
        held.execute("LOCK TABLE pg_catalog.pg_class IN SHARE MODE")
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%CREATE TABLE%'"
        yield lambda: other.execute(waiting).fetchone() == (1,)
        held.rollback()


@contextlib.contextmanager
def _mysql_held(url: str) -> Iterator[Any]:
    from urllib.parse import unquote, urlsplit

    import pymysql

    parts = urlsplit(url)
    login: dict[str, Any] = {
        "host": parts.hostname, "port": parts.port, "user": parts.username, "password": unquote(parts.password or ""),
        "autocommit": True,
    }  # fmt: skip
    waiting = "SELECT count(*) FROM information_schema.processlist WHERE info LIKE 'CREATE TABLE%'"
    with contextlib.closing(pymysql.connect(**login)) as held, contextlib.closing(pymysql.connect(**login)) as other:

        def is_waiting() -> bool:
            with other.cursor() as cursor:
                cursor.execute(waiting)
                return bool(cursor.fetchone() == (1,))

        with held.cursor() as cursor:
            cursor.execute("FLUSH TABLES WITH READ LOCK")
            yield is_waiting
            cursor.execute("UNLOCK TABLES")


_HELD = {"postgres": _postgres_held, "mariadb": _mysql_held}


@pytest.mark.parametrize("name", _HELD, indirect=True)
def test_what_a_dead_client_asked_for_does_not_come_after_the_removal(name: str, place: ServerLocation) -> None:
    backend = backend_of(name)
    url = credentials.held()[backend.url_variable]
    store = place.child(f"{PREFIX}1")
    script = (
        "import sys; from imgstore_tui.core import credentials; from tests.support.server_places import setup_of\n"
        "name, variable, url, store = sys.argv[1:]\n"
        "credentials.hold({variable: url}); one = setup_of(name)\n"
        "one.make(one.backend.address()[0].child(store), one.material([(3, 3, 3)]))"
    )
    with _HELD[name](url) as is_waiting:
        words = [sys.executable, "-c", script, name, backend.url_variable, url, store.name]
        client = subprocess.Popen(words)
        deadline = time.monotonic() + 30
        while not is_waiting():
            assert client.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        client.kill()
        client.wait()
        assert is_waiting()
        assert list_stores(place, PREFIX) == []
        assert remove_stores(place, PREFIX) == []
        assert not is_waiting()
    assert list_stores(place, PREFIX) == []
    assert not backend.exists(store)


@pytest.mark.parametrize("name", ["seaweedfs", "fake-gcs", "azurite"], indirect=True)
def test_an_object_that_comes_after_the_removal_of_a_runs_store_is_a_leftover(name: str, place: ServerLocation) -> None:
    one = setup_of(name)
    prefix = f"imgstore_tui/{PREFIX}"
    store, kept = place.child(f"{prefix}1"), place.child(f"{prefix}2")
    late = f"{store.name}/0123abcd/0000000000000001"
    client = one.backend.client(place)  # type: ignore[attr-defined]
    one.make(store, one.material([(3, 3, 3)]))
    assert remove_stores(place, prefix) == [store.name]
    client.put(late, b"late")
    client.put(f"{kept.name}/somebody's", b"theirs")
    try:
        assert list_stores(place, prefix) == [store.name]
        assert remove_stores(place, prefix) == [store.name]
        assert list_stores(place, prefix) == []
        assert not one.backend.exists(store)
        assert one.backend.exists(kept)
    finally:
        client.delete([f"{kept.name}/somebody's"])
        client.close()


@pytest.mark.full
@pytest.mark.parametrize("fast", [True, False])
def test_a_table_that_only_the_commit_log_of_a_killed_node_knows_goes(fast: bool) -> None:
    with own_node("cassandra", fast=fast) as node:
        before = credentials.held()
        credentials.hold(node.variables())
        one = StoreSetup.of("cassandra+raw")
        store = one.backend.address()[0].child(f"{PREFIX}1")  # type: ignore[attr-defined]
        one.make(store, one.material([(3, 3, 3)]))
        time.sleep(_COMMIT_LOG_S + 1)
        node.kill()
        node.start()
        assert list_stores(store.place, PREFIX) == [store.name]
        assert remove_stores(store.place, PREFIX) == [store.name]
        assert list_stores(store.place, PREFIX) == []
        assert not one.backend.exists(store)
        # The name is free, and what is made under it is whole.
        material = one.material([(5, 4, 3)] * 3)
        one.make(store, material)
        material.check_store(one.backend, store)
        one.backend.destroy(store)
        credentials.forget()
        credentials.hold(before)
