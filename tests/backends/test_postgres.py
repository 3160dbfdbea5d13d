"""PostgreSQL, against a real server that the tests start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("psycopg", reason="psycopg is not installed (extra postgres)")

from imgstore_tui.core import credentials
from imgstore_tui.core.backend import DurableBy
from imgstore_tui.core.errors import StoreError, UnavailableError
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.server import ServerBackend
from imgstore_tui.testing.conformance_server import ServerConformance
from imgstore_tui.testing.store_material import StoreSetup, is_sentence
from tests.support.postgres_server import HOW_TO_GET, PostgresServer, postgres_server, programs


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    if programs() is None:
        pytest.skip(HOW_TO_GET)
    with postgres_server() as server:
        yield server


class TestPostgres(ServerConformance):
    backend = "postgres"

    @pytest.fixture
    def server_url(self, postgres: PostgresServer) -> str:
        return postgres.url()


@pytest.fixture
def place(postgres: PostgresServer) -> Iterator[ServerLocation]:
    before = credentials.held()
    credentials.hold({"IMGSTORE_POSTGRES_URL": postgres.url()})
    kind = registry.backends.get("postgres")
    assert issubclass(kind, ServerBackend)
    yield kind.address()[0]
    credentials.forget()
    credentials.hold(before)


def setup() -> StoreSetup:
    return StoreSetup.of("postgres")


def test_a_table_of_somebody_else_is_neither_read_nor_removed(place: ServerLocation, postgres: PostgresServer) -> None:
    postgres.sql("CREATE TABLE somebodys(a int); INSERT INTO somebodys VALUES (1)")
    postgres.sql("CREATE VIEW a_view AS SELECT 1")
    backend = setup().backend
    for name in ("somebodys", "a_view"):
        for action in (backend.open, backend.destroy):
            with pytest.raises(StoreError) as caught:
                action(place.child(name))
            assert is_sentence(caught.value, place.child(name))
    assert postgres.sql("SELECT a FROM somebodys") == ["1"]
    postgres.sql("DROP TABLE somebodys; DROP VIEW a_view")


def test_a_server_that_forces_nothing_makes_no_level_durable(place: ServerLocation) -> None:
    backend = setup().backend
    for level in (SyncLevel.END, SyncLevel.BATCH):
        durability = backend.durability(place.child("x"), level)
        assert durability.by is DurableBy.NOTHING
        assert "fsync=off" in durability.reason


def test_rows_that_are_missing_are_noticed(place: ServerLocation, postgres: PostgresServer) -> None:
    material = setup().material([(3, 3, 3)] * 6)
    location = setup().make(place.child("damaged"), material)
    postgres.sql("DELETE FROM damaged WHERE id = 2")
    with setup().backend.open(location) as reader:
        for ids in ([2], [1, 2, 3], [3, 2]):
            with pytest.raises(StoreError, match="images are missing in it"):
                material.get(reader, ids)
        with pytest.raises(StoreError, match="images are missing in it"):
            reader.read_labels()
    setup().backend.destroy(location)


def test_a_name_that_the_server_would_cut_is_refused(place: ServerLocation) -> None:
    material = setup().material([(3, 3, 3)])
    with pytest.raises(StoreError, match="1 to 63 bytes"):
        setup().make(place.child("x" * 64), material)


def test_a_second_writer_of_a_store_is_refused(place: ServerLocation) -> None:
    material = setup().material([(3, 3, 3)])
    location = setup().make(place.child("shared"), material)
    editor = setup().backend.edit(location, SyncLevel.BUFFERED)
    with pytest.raises(StoreError, match="is being written by another process"):
        setup().backend.edit(location, SyncLevel.BUFFERED)
    editor.close()
    setup().backend.destroy(location)


def test_a_server_that_dies_in_the_middle_is_a_sentence_and_leaves_nothing() -> None:
    if programs() is None:
        pytest.skip(HOW_TO_GET)
    before = credentials.held()
    with postgres_server("fsync=on") as server:
        credentials.hold({"IMGSTORE_POSTGRES_URL": server.url()})
        kind = registry.backends.get("postgres")
        assert issubclass(kind, ServerBackend)
        location = kind.address()[0].child("half")
        material = setup().material([(40, 41, 3)] * 40)
        writer = setup().backend.create(location, material.content, SyncLevel.END)
        material.put(writer, 0, 20)
        server.kill()
        with pytest.raises(StoreError) as caught:
            material.put(writer, 20)
        assert is_sentence(caught.value, location)
        writer.abort()
        with pytest.raises(UnavailableError) as refused:
            setup().backend.open(location)
        assert is_sentence(refused.value)
        server.start()
        assert server.tables() == []
    credentials.forget()
    credentials.hold(before)
