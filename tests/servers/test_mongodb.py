"""MongoDB, against a real server that the tests start."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import numpy as np
import pytest

pytest.importorskip("pymongo", reason="pymongo is not installed (extra mongodb)")

import pymongo

from imgstore_tui.core import credentials
from imgstore_tui.core.backend import DurableBy
from imgstore_tui.core.errors import StoreError, UnavailableError
from imgstore_tui.core.location import ServerLocation
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.server import ServerBackend
from imgstore_tui.testing.conformance_server import ServerConformance
from imgstore_tui.testing.store_material import StoreSetup, is_sentence
from tests.support.servers import own_node, server

if TYPE_CHECKING:
    Database = Any


class TestMongodb(ServerConformance):
    backend = "mongodb"

    @pytest.fixture
    def server_url(self) -> str:
        return server("mongodb").url


@pytest.fixture
def database() -> Iterator[Database]:
    """Return a database of this test as MongoDB's own driver sees it, round the code that is tested."""
    url = server("mongodb").url
    before = credentials.held()
    credentials.hold({"IMGSTORE_MONGODB_URL": url})
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        own = client[f"t{uuid.uuid4().hex}"]
        yield own
        client.drop_database(own.name)
    credentials.forget()
    credentials.hold(before)


@pytest.fixture
def place(database: Database) -> ServerLocation:
    kind = registry.backends.get("mongodb")
    assert issubclass(kind, ServerBackend)
    return replace(kind.address()[0], database=database.name)


def backend_of(text: str = "mongodb") -> ServerBackend:
    backend = StoreSetup.of(text).backend
    assert isinstance(backend, ServerBackend)
    return backend


def test_a_collection_of_somebody_else_is_neither_read_nor_removed(place: ServerLocation, database: Database) -> None:
    database["somebodys"].insert_one({"_id": 0, "label": 1, "data": b"x"})
    database.create_collection("a_view", viewOn="somebodys")
    for name in ("somebodys", "a_view"):
        for action in (backend_of().open, backend_of().destroy):
            with pytest.raises(StoreError) as caught:
                action(place.child(name))
            assert is_sentence(caught.value, place.child(name))
    assert backend_of().list_stores(place, "") == []
    staged = StoreSetup.of("mongodb").make(place.child("staged"), StoreSetup.of("mongodb").material([(3, 3, 3)]))
    with pytest.raises(StoreError, match="left alone"):
        backend_of().deliver(staged, place.child("somebodys"), replace=True)
    assert database["somebodys"].count_documents({}) == 1


def test_a_large_image_lies_in_a_bucket_that_goes_with_its_store(place: ServerLocation, database: Database) -> None:
    setup = StoreSetup.of("mongodb+raw")
    large, small = np.zeros((2500, 2700, 3), np.uint8), np.full((20, 20, 3), 7, np.uint8)
    large[::17] = 9
    material = setup.pack([small, large, small], [1, 2, 3])
    location = setup.make(place.child("large"), material)
    names = database.list_collection_names()
    assert len(names) == 3
    assert sum(name.endswith(".chunks") for name in names) == 1
    assert [store.name for store in backend_of().list_stores(place, "")] == ["large"]
    with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
        editor.put_bytes([1], [large[::-1].tobytes()], np.array([5]))
        editor.put_bytes([2], [large.tobytes()], np.array([6]))
        editor.put_bytes([1], [b"small"], np.array([7]))
    files = next(name for name in names if name.endswith(".files"))
    assert database[files].count_documents({}) == 1
    backend_of().deliver(location, place.child("final"), replace=False)
    with setup.backend.open(place.child("final")) as reader:
        labels = np.zeros(3, np.int64)
        assert reader.read_bytes([2, 1, 0], labels) == [large.tobytes(), b"small", material.payloads[0]]
        assert labels.tolist() == [6, 7, 1]
    backend_of().destroy(place.child("final"))
    assert database.list_collection_names() == []


def test_what_a_replaced_store_had_in_a_bucket_goes_with_it(place: ServerLocation, database: Database) -> None:
    setup = StoreSetup.of("mongodb+raw")
    large = setup.pack([np.zeros((2500, 2700, 3), np.uint8), np.zeros((1, 1, 3), np.uint8)], [1, 2])
    old, new = setup.make(place.child("old"), large), setup.make(place.child("new"), large)
    assert len(database.list_collection_names()) == 6
    backend_of().deliver(new, old, replace=True)
    assert len(database.list_collection_names()) == 3
    large.check_store(setup.backend, old)


def test_documents_that_are_missing_are_noticed(place: ServerLocation, database: Database) -> None:
    setup = StoreSetup.of("mongodb")
    material = setup.material([(3, 3, 3)] * 6)
    location = setup.make(place.child("damaged"), material)
    database["damaged"].delete_one({"_id": 2})
    with setup.backend.open(location) as reader:
        for ids in ([2], [1, 2, 3], [3, 2]):
            with pytest.raises(StoreError, match="images are missing in it"):
                material.get(reader, ids)
        with pytest.raises(StoreError, match="images are missing in it"):
            reader.read_labels()


def test_a_deletion_that_was_broken_off_is_finished_by_the_next_change(
    place: ServerLocation, database: Database
) -> None:
    setup = StoreSetup.of("mongodb")
    location = setup.make(place.child("half"), setup.material([(3, 3, 3)] * 6))
    kept = list(database["half"].find({"_id": {"$in": [1, 4]}}))
    with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
        editor.delete([1, 4])
    # As it is when the process dies between the manifest and the documents.
    database["half"].insert_many(kept)
    database["half"].update_one({"_id": "manifest"}, {"$set": {"deleting": [1, 4]}})
    with setup.backend.open(location) as reader:
        assert list(reader.ids()) == [0, 2, 3, 5]
        assert len(reader.read_labels()) == 4
    with setup.backend.edit(location, SyncLevel.BUFFERED) as editor:
        editor.delete([0])
    assert database["half"].count_documents({"_id": {"$gte": 0}}) == 3


def test_levels_are_what_the_server_acknowledges(place: ServerLocation) -> None:
    location = place.child("x")
    assert backend_of().durability(location, SyncLevel.BUFFERED).by is DurableBy.NOTHING
    for level in (SyncLevel.END, SyncLevel.BATCH):
        durability = backend_of().durability(location, level)
        assert durability.by is DurableBy.ACKNOWLEDGE
        assert "j=true" in durability.reason
        assert "storage_engine=wiredTiger" in durability.reason


def test_the_size_is_that_of_the_files_and_unknown_to_a_user_who_may_ask_for_no_checkpoint(
    place: ServerLocation, database: Database
) -> None:
    setup = StoreSetup.of("mongodb")
    location = setup.make(place.child("weighed"), setup.material([(64, 64, 3)] * 200))
    backend_of().drain(location)
    stored = 200 * 64 * 64 * 3
    assert stored < (setup.backend.disk_usage(location).apparent_bytes or 0) < 1.3 * stored
    database.command("createUser", "guest", pwd="guest-Pa:ss", roles=["readWrite"])
    try:
        parts = urlsplit(server("mongodb").url)
        user = f"guest:{quote('guest-Pa:ss', safe='')}"
        credentials.hold({
            "IMGSTORE_MONGODB_URL": f"mongodb://{user}@127.0.0.1:{parts.port}/{place.database}"
        })  # fmt: skip
        guest = replace(place, user="guest", parameters=())
        fresh = setup.make(guest.child("fresh"), setup.material([(64, 64, 3)] * 200))
        assert setup.backend.disk_usage(fresh).apparent_bytes in (None, *range(stored, 2 * stored))
        assert backend_of().facts(guest).version
        assert backend_of().durability(fresh, SyncLevel.END).by is DurableBy.ACKNOWLEDGE
        backend_of().drain(fresh)
        setup.backend.destroy(fresh)
    finally:
        database.command("dropUser", "guest")


@pytest.mark.parametrize("name", ["a $ b", ".x", "x.", "a..b", "system.x", "x" * 300, "a\x00b"])
def test_a_name_that_the_server_does_not_take_is_refused(place: ServerLocation, name: str) -> None:
    setup = StoreSetup.of("mongodb")
    with pytest.raises(StoreError) as caught:
        setup.make(place.child(name), setup.material([(3, 3, 3)]))
    assert "a collection of MongoDB has 1 to 255 bytes" in str(caught.value)


@pytest.mark.parametrize("database_name", ["a b", "a.b", 'a"b', "a$b", "x" * 64])
def test_a_database_that_the_server_does_not_take_is_refused(place: ServerLocation, database_name: str) -> None:
    with pytest.raises(StoreError) as caught:
        backend_of().exists(replace(place, database=database_name).child("x"))
    assert "a database of MongoDB has 1 to 63 bytes" in str(caught.value)


def test_the_user_is_looked_for_in_the_database_unless_another_is_named(place: ServerLocation) -> None:
    parts = urlsplit(server("mongodb").url)
    assert unquote(parts.query) == "authSource=admin"
    with pytest.raises(UnavailableError) as caught:
        backend_of().facts(replace(place, parameters=()))
    assert is_sentence(caught.value)
    assert "?authSource=NAME" in str(caught.value)


def test_a_server_that_dies_in_the_middle_is_a_sentence_and_its_rest_goes() -> None:
    before = credentials.held()
    with own_node("mongodb") as node:
        credentials.hold(node.variables())
        setup = StoreSetup.of("mongodb")
        kind = registry.backends.get("mongodb")
        assert issubclass(kind, ServerBackend)
        location = kind.address()[0].child("half")
        material = setup.material([(40, 41, 3)] * 40)
        writer = setup.backend.create(location, material.content, SyncLevel.END)
        material.put(writer, 0, 20)
        node.kill()
        with pytest.raises(StoreError) as caught:
            material.put(writer, 20)
        assert is_sentence(caught.value, location)
        writer.abort()
        with pytest.raises(UnavailableError) as refused:
            setup.backend.open(location)
        assert is_sentence(refused.value)
        node.start()
        with pytest.raises(StoreError):
            setup.backend.open(location)
        setup.backend.destroy(location)
        assert backend_of().list_stores(location.place, "") == []
    credentials.forget()
    credentials.hold(before)
